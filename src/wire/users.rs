//! What is said about people.

use super::{flag, sessions::ThisSession};
use serde::{Deserialize, Serialize};

/// Who is signed in, as far as the page needs to know. Nothing in it signs anybody in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// The account's address.
    pub email: String,
    /// When the account was made, in Unix seconds.
    pub created_at: i64,
    /// The session that this browser holds.
    pub session: ThisSession,
    /// The server's time of this answer, in Unix seconds: the page says "5 minutes ago" by it,
    /// so that the server's HTML and the browser's agree to the letter.
    pub now: i64,
}

/// A sign-up, sign-in or sign-out was done; the browser goes on to `next`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoOn {
    /// A path of this site.
    pub next: String,
}

/// A password was changed; the page says what was ended with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordChanged {
    /// Sessions that ended.
    pub count: u32,
    /// API keys that were revoked.
    pub keys: u32,
    /// Apps that were disconnected.
    pub apps: u32,
    /// A path of this site.
    pub next: String,
}

/// Numbers of API keys and apps that a change of the password revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Revoked {
    /// API keys.
    pub keys: u32,
    /// Apps.
    pub apps: u32,
}

/// API keys and apps that a change of the password can revoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocables {
    /// Keys, then apps; of each those that are new first.
    pub listed: Vec<Revocable>,
    /// Number of those for which the list has no room.
    pub more: u32,
    /// The server's time of this answer, in Unix seconds.
    pub now: i64,
}

/// An API key or an app, which acts for its user without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocable {
    /// Names the key, or the client.
    pub id: String,
    /// Way in which it acts.
    pub acts: Acts,
    /// Label of the key, or the name of the app.
    pub name: String,
    /// When the key was made, or the app was last connected, in Unix seconds.
    pub made_at: i64,
    /// When it was last used, in Unix seconds.
    pub last_used_at: Option<i64>,
    /// No earlier change of the password left it in place.
    pub is_new: bool,
}

/// How a program acts for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Acts {
    /// By an API key that begins and ends like this.
    ByKey(String),
    /// As an app that the user signed in to.
    AsApp,
}

/// Query parameters of the sign-in and sign-up pages, percent-decoded once, by the server. The
/// router's own query map decodes twice, which changes an address that holds `%` or `+`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignInQuery {
    /// Path of this site to go on to, octet for octet as the user was on the way to it.
    pub next: Option<String>,
    /// Address to put into the e-mail field.
    pub email: Option<String>,
    /// Query of a link between the two pages, from its `?` on, which keeps `next`; empty without one.
    pub carried: String,
}

/// The page that a form stands on, path and query, without the `?done=` of an earlier success. The
/// server alone knows it.
#[derive(Clone)]
pub struct FormPage(pub String);

/// What a new password must be, for the form to say beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordPolicy {
    /// In Unicode code points.
    pub min_length: u32,
}

/// A form that came back without JavaScript: what became of it, and, where it was not done, what
/// had been typed in it. Never a password.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReturnedForm {
    /// The server function that was asked, such as `sign_in`.
    pub function: String,
    /// How many sessions it ended or keys it revoked, or why it was not done.
    pub outcome: Result<u32, super::Error>,
    /// Keys and apps that a change of the password revoked.
    #[serde(default)]
    pub revoked: Revoked,
    /// Field names and what was typed in them.
    pub typed: Vec<(String, String)>,
}

impl ReturnedForm {
    /// What had been typed in a field.
    pub fn typed(&self, field: &str) -> Option<String> {
        self.typed
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, value)| value.clone())
    }

    /// Whether a box had been ticked.
    pub fn is_ticked(&self, field: &str) -> bool {
        self.typed(field).and_then(|sent| flag::read(&sent)) == Some(true)
    }
}
