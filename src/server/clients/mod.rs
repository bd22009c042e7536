//! Programs that may ask for tokens: registered by the operator, held in memory, and proving
//! themselves at each request.

mod assertion;
mod authenticate;
mod commands;
mod register;
mod row;
mod uris;

pub use assertion::ClientKeys;
pub use authenticate::authenticate;
pub use commands::{Command, run};
pub use register::{NewAuthentication, Registration, add, edit, list, set_disabled};

use super::{
    error::Error, oidc::scopes::Scopes, random, secret::HashedClientSecret,
    signing_keys::Algorithm, state::State,
};
use moka::sync::Cache;
use std::sync::Arc;

/// What every client's id begins with. Users' ids are 22 letters without it, so that no token's
/// `sub` can be both (RFC 8725, 3.8; RFC 9700, 4.15).
const ID_PREFIX: &str = "client-";
/// Held in memory at most.
const HELD_MAX: u64 = 10_000;

/// How a token is asked for (RFC 6749, 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum GrantType {
    /// A person signs in and consents; the code that comes back buys the tokens.
    AuthorizationCode,
    /// A refresh token buys the next ones.
    RefreshToken,
    /// The client asks for itself.
    ClientCredentials,
}

impl GrantType {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
    ];

    /// As requests and rows have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// What a client proves itself by: one way, which its registration says (RFC 9700, 2.5).
#[derive(Debug)]
pub enum Authentication {
    /// Nothing: a program on somebody's device, which can keep no secret.
    None,
    /// A secret, in the header or in the form (`client_secret_basic`, `client_secret_post`).
    ClientSecret(HashedClientSecret),
    /// A token that it signs (`private_key_jwt`, RFC 7523).
    PrivateKeyJwt(ClientKeys),
}

/// A registered client, as its row said when it was read.
#[derive(Debug)]
pub struct Client {
    /// Public.
    pub id: String,
    /// What people read when they are asked for consent.
    pub name: String,
    /// Where a code may be sent, compared to the letter (RFC 9700, 2.1).
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a session has ended.
    pub backchannel_logout_uri: Option<String>,
    /// What it may ask for.
    pub scopes: Scopes,
    /// How it may ask.
    pub grant_types: Vec<GrantType>,
    /// What its access tokens are for; none: Cloakroom itself.
    pub audience: Option<String>,
    /// What signs its tokens.
    pub algorithm: Algorithm,
    /// What it proves itself by.
    pub authentication: Authentication,
    /// Nobody is asked for consent.
    pub is_trusted: bool,
    /// When it was registered, in Unix seconds.
    pub created_at: i64,
    /// Since when it gets no tokens, in Unix seconds.
    pub disabled_at: Option<i64>,
}

impl Client {
    /// It can keep no secret, so that it has none.
    pub fn is_public(&self) -> bool {
        matches!(self.authentication, Authentication::None)
    }

    /// Whether it may ask in this way.
    pub fn may(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }
}

/// Clients in memory.
pub struct Clients {
    held: Cache<String, Held>,
}

#[derive(Clone)]
struct Held {
    client: Arc<Client>,
    changes: u64,
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            held: Cache::new(HELD_MAX),
        }
    }
}

/// Whether a text has the shape of a client's id.
pub fn is_id(text: &str) -> bool {
    text.strip_prefix(ID_PREFIX).is_some_and(random::is_id)
}

/// The client of this id, unless it is disabled: from memory where that can be believed.
///
/// # Errors
/// If it has to be asked for and the database does not answer.
pub async fn find(state: &State, id: &str) -> Result<Option<Arc<Client>>, Error> {
    // Nobody looks up what cannot be one.
    if !is_id(id) {
        return Ok(None);
    }
    let is_hearing = state.hearing.is_good(&state.sessions, &state.db);
    // Before the row is read: what changes meanwhile makes what was read old.
    let changes = state.hearing.changes();
    if is_hearing
        && let Some(held) = state.clients.held.get(id)
        && held.changes == changes
    {
        return Ok(Some(held.client));
    }
    let Some(client) = row::read(state, id).await? else {
        return Ok(None);
    };
    if client.disabled_at.is_some() {
        return Ok(None);
    }
    let client = Arc::new(client);
    let held = Held {
        client: Arc::clone(&client),
        changes,
    };
    state.clients.held.insert(id.to_owned(), held);
    Ok(Some(client))
}
