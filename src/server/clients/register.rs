//! Registering clients, and what of them is stored.

use super::{
    Client, ClientKeys, GrantType, ID_PREFIX,
    row::{Row, bind, select},
    uris,
};
use crate::server::{
    error::Error,
    oidc::scopes::Scopes,
    secret::PlainClientSecret,
    sessions::commit_change,
    signing_keys::{self, Algorithm},
    state::State,
};

/// Longest name of a client, in code points.
const NAME_MAX: usize = 100;

/// What an operator says of a client. `None` leaves an edited client as it is; an empty text or list
/// takes away what it had.
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

impl Row {
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
            self.redirect_uris = uris::read(&uris, true)?;
        }
        if let Some(uris) = said.post_logout_redirect_uris {
            self.post_logout_redirect_uris = uris::read(&uris, true)?;
        }
        if let Some(uri) = said.backchannel_logout_uri {
            let uri = uris::read(&[uri], false)?;
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
            // What is for a client is an id token: a client that looks at no type would take an
            // access token with this audience for one (RFC 8725, 3.12).
            if audience.starts_with(ID_PREFIX) {
                return Err(refused(
                    "--audience",
                    "expected a service, not a client's id",
                ));
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
    // Published before the client sees the first token.
    if let Some(algorithm) = said.algorithm {
        signing_keys::prepare(state, algorithm).await?;
    }
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
    if is_disabled {
        tracing::info!(event = "client_disabled", client = id);
    } else {
        tracing::info!(event = "client_enabled", client = id);
    }
    Ok(())
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
