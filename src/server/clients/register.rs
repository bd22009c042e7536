//! Registering clients, and what of them is stored.

use super::{Authentication, Client, ClientKeys, GrantType, ID_PREFIX};
use crate::server::{
    error::Error,
    oidc::scopes::Scopes,
    secret::{HashedClientSecret, PlainClientSecret},
    sessions::commit_change,
    signing_keys::{self, Algorithm},
    state::State,
};
use http::Uri;

/// Longest name of a client, in code points.
const NAME_MAX: usize = 100;

/// What an operator says of a client. `None` and empty lists leave an edited client as it is.
#[derive(Default)]
pub struct Registration {
    /// What people read.
    pub name: Option<String>,
    /// Where codes may be sent.
    pub redirect_uris: Option<Vec<String>>,
    /// Where browsers may be sent after signing out.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// Where it is told that a session has ended; empty: nowhere.
    pub backchannel_logout_uri: Option<String>,
    /// What it may ask for.
    pub scopes: Option<Scopes>,
    /// How it may ask.
    pub grant_types: Option<Vec<GrantType>>,
    /// What its access tokens are for; empty: Cloakroom itself.
    pub audience: Option<String>,
    /// What signs its tokens.
    pub algorithm: Option<Algorithm>,
    /// What it is to prove itself by.
    pub authentication: Option<NewAuthentication>,
    /// Whether people are asked for consent.
    pub is_trusted: Option<bool>,
}

/// What a client is to prove itself by from now on.
pub enum NewAuthentication {
    /// Nothing.
    None,
    /// A new secret, which is made.
    ClientSecret,
    /// Tokens that it signs; these are its public keys, a JWK set (RFC 7517).
    PrivateKeyJwt(String),
}

/// A row of the table.
#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    redirect_uris: String,
    post_logout_redirect_uris: String,
    backchannel_logout_uri: Option<String>,
    scopes: String,
    grant_types: String,
    audience: String,
    algorithm: String,
    authentication: String,
    hashed_secret: Option<String>,
    jwks: Option<String>,
    is_trusted: i64,
    created_at: i64,
    disabled_at: Option<i64>,
}

/// All columns, of every row or of some.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, redirect_uris, post_logout_redirect_uris, backchannel_logout_uri, \
             scopes, grant_types, audience, algorithm, authentication, hashed_secret, jwks, \
             is_trusted, created_at, disabled_at FROM clients ",
            $rest
        )
    };
}

impl Row {
    fn new(id: String, created_at: i64) -> Self {
        Self {
            id,
            name: String::new(),
            redirect_uris: String::new(),
            post_logout_redirect_uris: String::new(),
            backchannel_logout_uri: None,
            scopes: String::new(),
            grant_types: String::new(),
            audience: String::new(),
            algorithm: Algorithm::Es256.name().to_owned(),
            authentication: String::new(),
            hashed_secret: None,
            jwks: None,
            is_trusted: 0,
            created_at,
            disabled_at: None,
        }
    }

    /// Writes into the row what was said; the secret, if one was made.
    fn take(
        &mut self,
        said: Registration,
        state: &State,
    ) -> Result<Option<PlainClientSecret>, Error> {
        if let Some(name) = said.name {
            self.name = read_name(&name)?;
        }
        if let Some(uris) = said.redirect_uris {
            self.redirect_uris = read_uris(&uris, true)?;
        }
        if let Some(uris) = said.post_logout_redirect_uris {
            self.post_logout_redirect_uris = read_uris(&uris, true)?;
        }
        if let Some(uri) = said.backchannel_logout_uri {
            let uri = read_uris(&[uri], false)?;
            self.backchannel_logout_uri = Some(uri).filter(|uri| !uri.is_empty());
        }
        if let Some(scopes) = said.scopes {
            self.scopes = scopes.to_string();
        }
        if let Some(types) = said.grant_types {
            let names: Vec<&str> = types.iter().map(|it| it.name()).collect();
            self.grant_types = names.join(" ");
        }
        if let Some(audience) = said.audience {
            if audience.contains(char::is_whitespace) || audience.contains(char::is_control) {
                return Err(refused("--audience", "expected one without spaces"));
            }
            self.audience = audience;
        }
        if let Some(algorithm) = said.algorithm {
            algorithm.name().clone_into(&mut self.algorithm);
        }
        if let Some(is_trusted) = said.is_trusted {
            self.is_trusted = i64::from(is_trusted);
        }
        let Some(authentication) = said.authentication else {
            return Ok(None);
        };
        (self.hashed_secret, self.jwks) = (None, None);
        let (name, secret) = match authentication {
            NewAuthentication::None => ("none", None),
            NewAuthentication::ClientSecret => {
                let secret = PlainClientSecret::generate(&state.random)?;
                self.hashed_secret = Some(secret.hashed().as_str().to_owned());
                ("client_secret", Some(secret))
            }
            NewAuthentication::PrivateKeyJwt(jwks) => {
                ClientKeys::parse(&jwks).map_err(|why| refused("--jwks", why))?;
                self.jwks = Some(jwks);
                ("private_key_jwt", None)
            }
        };
        name.clone_into(&mut self.authentication);
        Ok(secret)
    }

    /// What only the whole of it shows.
    fn check(&self) -> Result<(), Error> {
        let has = |grant_type: GrantType| {
            self.grant_types
                .split(' ')
                .any(|it| it == grant_type.name())
        };
        if self.name.is_empty() {
            return Err(refused("--name", "expected one"));
        }
        if self.grant_types.is_empty() {
            return Err(refused("--grant-type", "expected at least one"));
        }
        if has(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return Err(refused("--redirect-uri", "expected for authorization_code"));
        }
        if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
            let why = "refresh_token is expected with authorization_code only";
            return Err(refused("--grant-type", why));
        }
        // Whoever says the id would be the client.
        if has(GrantType::ClientCredentials) && self.authentication == "none" {
            let why = "client_credentials is not for a client that proves nothing";
            return Err(refused("--grant-type", why));
        }
        Ok(())
    }

    fn client(self) -> Result<Client, Error> {
        let broken = || Error::Config(format!("client {}: its row is broken", self.id));
        let list =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let authentication = match (&*self.authentication, self.hashed_secret, self.jwks) {
            ("none", None, None) => Authentication::None,
            ("client_secret", Some(hashed), None) => {
                Authentication::ClientSecret(HashedClientSecret::from_row(hashed))
            }
            ("private_key_jwt", None, Some(jwks)) => {
                let keys = ClientKeys::parse(&jwks).map_err(|_| broken())?;
                Authentication::PrivateKeyJwt(keys)
            }
            _ => return Err(broken()),
        };
        let grant_types = self.grant_types.split_whitespace();
        Ok(Client {
            redirect_uris: list(&self.redirect_uris),
            post_logout_redirect_uris: list(&self.post_logout_redirect_uris),
            scopes: Scopes::parse(&self.scopes).ok_or_else(broken)?,
            grant_types: grant_types.filter_map(GrantType::parse).collect(),
            algorithm: Algorithm::parse(&self.algorithm).ok_or_else(broken)?,
            authentication,
            id: self.id.clone(),
            name: self.name,
            backchannel_logout_uri: self.backchannel_logout_uri,
            audience: Some(self.audience).filter(|audience| !audience.is_empty()),
            is_trusted: self.is_trusted != 0,
            created_at: self.created_at,
            disabled_at: self.disabled_at,
        })
    }
}

/// Registers a client: its id, and its secret if it has one.
///
/// # Errors
/// Says what cannot be taken.
pub async fn add(
    state: &State,
    said: Registration,
) -> Result<(String, Option<PlainClientSecret>), Error> {
    let id = format!("{ID_PREFIX}{}", state.random.id()?);
    let mut row = Row::new(id.clone(), state.clock.now_s());
    let secret = row.take(said, state)?;
    row.check()?;
    let algorithm = Algorithm::parse(&row.algorithm).unwrap_or(Algorithm::Es256);
    // Published before the client sees the first token.
    signing_keys::prepare(state, algorithm).await?;
    let mut tx = state.db.write().await?;
    let insert = "INSERT INTO clients (id, name, redirect_uris, post_logout_redirect_uris, \
                      backchannel_logout_uri, scopes, grant_types, audience, algorithm, \
                      authentication, hashed_secret, jwks, is_trusted, created_at) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let created_at = row.created_at;
    bind(sqlx::query(insert), row)
        .bind(created_at)
        .execute(&mut *tx)
        .await?;
    commit_change(state, tx).await?;
    tracing::info!(event = "client_added", client = id);
    Ok((id, secret))
}

/// Changes what was said of a client: its new secret, if it is to have one.
///
/// # Errors
/// Says what cannot be taken, or that there is no such client.
pub async fn edit(
    state: &State,
    id: &str,
    said: Registration,
) -> Result<Option<PlainClientSecret>, Error> {
    let mut tx = state.db.write().await?;
    let row: Option<Row> = sqlx::query_as(select!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(&mut *tx)
        .await?;
    let mut row = row.ok_or_else(|| no_client(id))?;
    let secret = row.take(said, state)?;
    row.check()?;
    let update = "UPDATE clients SET name = $2, redirect_uris = $3, \
                      post_logout_redirect_uris = $4, backchannel_logout_uri = $5, scopes = $6, \
                      grant_types = $7, audience = $8, algorithm = $9, authentication = $10, \
                      hashed_secret = $11, jwks = $12, is_trusted = $13 WHERE id = $1";
    bind(sqlx::query(update), row).execute(&mut *tx).await?;
    commit_change(state, tx).await?;
    tracing::info!(event = "client_edited", client = id);
    Ok(secret)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

/// The thirteen that both statements write, in their order.
fn bind(query: Query<'_>, row: Row) -> Query<'_> {
    query
        .bind(row.id)
        .bind(row.name)
        .bind(row.redirect_uris)
        .bind(row.post_logout_redirect_uris)
        .bind(row.backchannel_logout_uri)
        .bind(row.scopes)
        .bind(row.grant_types)
        .bind(row.audience)
        .bind(row.algorithm)
        .bind(row.authentication)
        .bind(row.hashed_secret)
        .bind(row.jwks)
        .bind(row.is_trusted)
}

/// Keeps a client out, or lets it in again.
///
/// # Errors
/// If there is no such client, or the database does not answer.
pub async fn set_disabled(state: &State, id: &str, is_disabled: bool) -> Result<(), Error> {
    let mut tx = state.db.write().await?;
    let done = sqlx::query("UPDATE clients SET disabled_at = $1 WHERE id = $2")
        .bind(is_disabled.then(|| state.clock.now_s()))
        .bind(id)
        .execute(&mut *tx)
        .await?;
    if done.rows_affected() == 0 {
        return Err(no_client(id));
    }
    commit_change(state, tx).await?;
    tracing::info!(event = "client_disabled", client = id, is_disabled);
    Ok(())
}

/// The client of this id, disabled or not, from the database.
pub(super) async fn read(state: &State, id: &str) -> Result<Option<Client>, Error> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(state.db.pool())
        .await?;
    row.map(Row::client).transpose()
}

/// All clients by id, 500 at a time. The next page comes `after` the last id of this one.
///
/// # Errors
/// If the database does not answer.
pub async fn list(state: &State, after: &str) -> Result<Vec<Client>, Error> {
    let rows: Vec<Row> = sqlx::query_as(select!("WHERE id > $1 ORDER BY id LIMIT 500"))
        .bind(after)
        .fetch_all(state.db.pool())
        .await?;
    rows.into_iter().map(Row::client).collect()
}

fn no_client(id: &str) -> Error {
    Error::Config(format!("{id}: there is no such client"))
}

fn refused(option: &str, why: &str) -> Error {
    Error::Config(format!("{option}: {why}"))
}

fn read_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let is_long = name.chars().count() > NAME_MAX;
    // People read it beside the question whether they trust it.
    if name.is_empty() || is_long || name.chars().any(char::is_control) {
        return Err(refused("--name", "expected 1 to 100 letters"));
    }
    Ok(name.to_owned())
}

/// Addresses as a row has them. An empty one among them is none.
fn read_uris(uris: &[String], may_be_an_app: bool) -> Result<String, Error> {
    let uris: Vec<&str> = uris
        .iter()
        .map(String::as_str)
        .filter(|it| !it.is_empty())
        .collect();
    for uri in &uris {
        if !is_good(uri, may_be_an_app) {
            return Err(Error::Config(format!(
                "{uri}: expected https, or http of this machine, without a fragment, a user or \
                 spaces"
            )));
        }
    }
    Ok(uris.join(" "))
}

/// Over https, or to this machine, or to an app that has registered a scheme of its own, which
/// has a dot in it (RFC 8252, 7.1). Whatever a browser would read in another way is none.
fn is_good(uri: &str, may_be_an_app: bool) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\#<>\"{}|^`*".contains(&byte);
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    if uri.len() > 2_000 || !uri.bytes().all(is_plain) {
        return false;
    }
    match scheme {
        "https" | "http" => {
            let read = uri.parse::<Uri>().ok();
            let Some(authority) = read.as_ref().and_then(Uri::authority) else {
                return false;
            };
            let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&authority.host());
            rest.starts_with("//")
                && !authority.as_str().contains('@')
                && (scheme == "https" || is_local)
        }
        other => {
            let is_scheme = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
            };
            may_be_an_app && other.contains('.') && other.bytes().all(is_scheme)
        }
    }
}
