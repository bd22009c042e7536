//! What of a client is stored.

use super::{Authentication, Client, ClientKeys, GrantType};
use crate::server::{
    error::Error, oidc::scopes::Scopes, secret::HashedClientSecret, signing_keys::Algorithm,
    state::State,
};

/// A row of the table.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub id: String,
    pub name: String,
    pub redirect_uris: String,
    pub post_logout_redirect_uris: String,
    pub backchannel_logout_uri: Option<String>,
    pub scopes: String,
    pub grant_types: String,
    pub audience: String,
    pub algorithm: String,
    pub authentication: String,
    pub hashed_secret: Option<String>,
    pub jwks: Option<String>,
    pub is_trusted: i64,
    pub created_at: i64,
    pub disabled_at: Option<i64>,
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
    /// Of a client of whom nothing is said yet.
    pub(super) fn new(id: String, created_at: i64) -> Self {
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

    /// The client that it is about.
    pub(super) fn client(self) -> Result<Client, Error> {
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

/// A statement on its way.
type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

/// The thirteen that both statements write, in their order.
pub(super) fn bind(query: Query<'_>, row: Row) -> Query<'_> {
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

/// The client of this id, disabled or not, from the database.
pub(super) async fn read(state: &State, id: &str) -> Result<Option<Client>, Error> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(state.db.pool())
        .await?;
    row.map(Row::client).transpose()
}

pub(super) use select;
