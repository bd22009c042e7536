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
