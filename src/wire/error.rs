//! The errors a browser may see: small codes, never the text of an inner error (promise 8).
//!
//! They travel as JSON with a `code`; the words for people are in `app/words.rs`.

use super::json::JsonText;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "super::flat::Error", into = "super::flat::Error")]
pub enum Error {
    /// What was typed cannot be taken; each field says why. 422.
    Fields {
        /// One entry a field, in the order of the form.
        fields: Vec<FieldError>,
    },
    /// The address is unknown, the password is wrong, or the account is disabled: one answer for
    /// all three, so that nobody can learn who has an account (ASVS 6.3.8). 401.
    WrongEmailOrPassword,
    /// This needs somebody who is signed in. 401.
    SignInNeeded,
    /// The password was changed, which signed this browser out. 401.
    PasswordChanged,
    /// This needs somebody who has shown who they are within the last minutes. 403.
    RecentSignInNeeded,
    /// The session had ended when the form was sent, and its user has signed in again. 409.
    NotSent,
    /// The request came from another site, or could not prove that it did not. 403.
    CrossSite,
    /// The page was made for another account than its browser is signed in to now. 409.
    AnotherAccount,
    /// There is nothing here, or nothing that the caller may know of. 404.
    NotFound,
    /// The path exists, the method does not. 405.
    MethodNotAllowed,
    /// The request could not be read. 400.
    BadRequest,
    /// The request did not arrive in time. 408.
    TooSlow,
    /// The request is larger than anything this server is asked. 413.
    TooLarge,
    /// A form is expected. 415.
    WrongContentType,
    /// Too many tries. 429.
    TooManyRequests {
        /// Seconds after which a try is worth it.
        retry_after_s: u32,
    },
    /// Something broke on the server; the log has the rest under this id. 500.
    Unexpected {
        /// Names the log line; means nothing else.
        id: String,
    },
    /// More is asked at once than can be done. 503.
    Busy {
        /// Seconds after which a try is worth it.
        retry_after_s: u32,
    },
    /// The database does not answer, so nothing is allowed (promise 3). 503.
    Unavailable,
    /// The server could not be reached. Made in the browser only.
    Unreachable,
    /// An intermediary answered in place of the server: a proxy, a firewall, or a network that wants
    /// a sign-in of its own. Made in the browser only.
    Intermediary {
        /// The HTTP status of its answer.
        status: u32,
    },
    /// The answer could not be read: the page and the server are of different versions. Made in
    /// the browser only.
    Outdated,
}

impl Error {
    /// Those fields that have a problem, in the order of the form.
    pub fn fields<const N: usize>(all: [(&str, Option<Problem>); N]) -> Self {
        Self::Fields {
            fields: all
                .into_iter()
                .filter_map(|(field, problem)| problem.map(|it| FieldError::new(field, it)))
                .collect(),
        }
    }

    /// The HTTP status that goes with the code (RFC 9110).
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::WrongEmailOrPassword | Self::SignInNeeded | Self::PasswordChanged => 401,
            Self::CrossSite | Self::RecentSignInNeeded => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooSlow => 408,
            Self::AnotherAccount | Self::NotSent => 409,
            Self::TooLarge => 413,
            Self::WrongContentType => 415,
            Self::Fields { .. } => 422,
            Self::TooManyRequests { .. } => 429,
            Self::Unexpected { .. } | Self::Outdated => 500,
            Self::Intermediary { .. } => 502,
            Self::Busy { .. } | Self::Unavailable | Self::Unreachable => 503,
        }
    }

    /// The code that fits a status some layer below us chose.
    pub fn from_status(status: u16) -> Self {
        match status {
            401 => Self::SignInNeeded,
            403 => Self::CrossSite,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::TooSlow,
            413 => Self::TooLarge,
            415 => Self::WrongContentType,
            503 => Self::Unavailable,
            500.. => Self::Unexpected { id: String::new() },
            _ => Self::BadRequest,
        }
    }

    /// Whether signing in helps.
    pub fn needs_sign_in(&self) -> bool {
        matches!(self, Self::SignInNeeded | Self::PasswordChanged)
    }

    /// Seconds for `Retry-After`, where waiting helps.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooManyRequests { retry_after_s } | Self::Busy { retry_after_s } => {
                Some(*retry_after_s)
            }
            Self::Unavailable => Some(2),
            _ => None,
        }
    }

    /// What is wrong with one field, if anything is.
    pub fn of_field(&self, name: &str) -> Option<Problem> {
        match self {
            Self::Fields { fields } => fields
                .iter()
                .find(|error| error.field == name)
                .map(|error| error.problem),
            _ => None,
        }
    }
}

impl FromServerFnError for Error {
    type Encoder = JsonText;

    /// The framework's own errors carry texts of inner errors; those stay behind.
    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Request(_) => Self::Unreachable,
            ServerFnErrorErr::Deserialization(_) if cfg!(target_arch = "wasm32") => Self::Outdated,
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_) => Self::BadRequest,
            _ => Self::Unexpected { id: String::new() },
        }
    }
}

/// What is wrong with one field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's `name` in the form.
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl FieldError {
    /// Names the field and its problem.
    pub fn new(field: &str, problem: Problem) -> Self {
        Self {
            field: field.to_owned(),
            problem,
        }
    }
}

/// The ways in which a field can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "super::flat::Problem", into = "super::flat::Problem")]
pub enum Problem {
    /// Nothing was typed.
    Missing,
    /// Not an e-mail address that mail can be sent to.
    NotAnEmail,
    /// Not the password of whoever is signed in.
    WrongPassword,
    /// There is an account with this address.
    Taken,
    /// Fewer code points than the policy asks.
    TooShort {
        /// How many it asks, in Unicode code points.
        min: u32,
    },
    /// More than can be taken.
    TooLong {
        /// How many can be taken, in Unicode code points.
        max: u32,
    },
    /// With a character that cannot be seen, such as a tab.
    Unprintable,
    /// On the list of passwords that are tried first, or next to one (ASVS 6.2.4).
    Common,
    /// Made from the person's own address (ASVS 6.2.11).
    LikeEmail,
    /// Long, but a pattern that is quickly guessed.
    Guessable,
    /// A number that is too small or too large.
    OutOfRange {
        /// The smallest that can be taken.
        min: u32,
        /// The largest.
        max: u32,
    },
    /// None of those that there are.
    Unknown,
    /// There are as many as there may be.
    TooMany {
        /// How many there may be.
        max: u32,
    },
    /// As many were revoked, and not yet forgotten, as there may be.
    UsedUp {
        /// How many there may be.
        max: u32,
    },
}
