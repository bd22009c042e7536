//! What is said about programs that people sign in to from here.

use serde::{Deserialize, Serialize};

/// What a program asks for, before anybody has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRequest {
    /// What the operator calls the program.
    pub name: String,
    /// The host that it goes back to, or the scheme of a program on this device.
    pub host: String,
    /// What it asks for, by the names of the standard (RFC 6749, 3.3).
    pub scopes: Vec<String>,
    /// Whose account it is about.
    pub email: String,
    /// The program asks that they prove who they are once more; where they go on to when they
    /// have.
    pub confirm_first: Option<String>,
}

/// A program that somebody has allowed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Names the program.
    pub client_id: String,
    /// What the operator calls it.
    pub name: String,
    /// What it was allowed.
    pub scopes: Vec<String>,
    /// When it was first allowed, in Unix seconds.
    pub first_at: i64,
    /// When it last got tokens, in Unix seconds.
    pub last_used_at: Option<i64>,
    /// It stays signed in when the session here ends.
    pub outlives: bool,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apps {
    /// The newest first.
    pub apps: Vec<App>,
    /// The server's time of this answer, in Unix seconds.
    pub now: i64,
}
