//! The JSON of errors: one object, its kind in one key. Enums that serde tags itself would say the
//! same and add 10 KB to the download.

use super::error::{self, FieldError};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Code {
    Fields,
    WrongEmailOrPassword,
    SignInNeeded,
    PasswordChanged,
    RecentSignInNeeded,
    NotSent,
    CrossSite,
    AnotherAccount,
    NotFound,
    MethodNotAllowed,
    BadRequest,
    TooSlow,
    TooLarge,
    WrongContentType,
    TooManyRequests,
    Unexpected,
    Busy,
    Unavailable,
    Unreachable,
    Intermediary,
    Outdated,
}

#[derive(Serialize, Deserialize)]
pub struct Error {
    code: Code,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        use error::Error as E;
        let retry_after_s = match error {
            E::TooManyRequests { retry_after_s } | E::Busy { retry_after_s } => Some(retry_after_s),
            _ => None,
        };
        let status = match error {
            E::Intermediary { status } => Some(status),
            _ => None,
        };
        let code = match error {
            E::Fields { .. } => Code::Fields,
            E::WrongEmailOrPassword => Code::WrongEmailOrPassword,
            E::SignInNeeded => Code::SignInNeeded,
            E::PasswordChanged => Code::PasswordChanged,
            E::RecentSignInNeeded => Code::RecentSignInNeeded,
            E::NotSent => Code::NotSent,
            E::CrossSite => Code::CrossSite,
            E::AnotherAccount => Code::AnotherAccount,
            E::NotFound => Code::NotFound,
            E::MethodNotAllowed => Code::MethodNotAllowed,
            E::BadRequest => Code::BadRequest,
            E::TooSlow => Code::TooSlow,
            E::TooLarge => Code::TooLarge,
            E::WrongContentType => Code::WrongContentType,
            E::TooManyRequests { .. } => Code::TooManyRequests,
            E::Unexpected { .. } => Code::Unexpected,
            E::Busy { .. } => Code::Busy,
            E::Unavailable => Code::Unavailable,
            E::Unreachable => Code::Unreachable,
            E::Intermediary { .. } => Code::Intermediary,
            E::Outdated => Code::Outdated,
        };
        let (fields, id) = match error {
            E::Fields { fields } => (fields, None),
            E::Unexpected { id } => (Vec::new(), Some(id)),
            _ => (Vec::new(), None),
        };
        Self {
            code,
            fields,
            retry_after_s,
            status,
            id,
        }
    }
}

impl From<Error> for error::Error {
    fn from(flat: Error) -> Self {
        let retry_after_s = flat.retry_after_s.unwrap_or_default();
        match flat.code {
            Code::Fields => Self::Fields {
                fields: flat.fields,
            },
            Code::WrongEmailOrPassword => Self::WrongEmailOrPassword,
            Code::SignInNeeded => Self::SignInNeeded,
            Code::PasswordChanged => Self::PasswordChanged,
            Code::RecentSignInNeeded => Self::RecentSignInNeeded,
            Code::NotSent => Self::NotSent,
            Code::CrossSite => Self::CrossSite,
            Code::AnotherAccount => Self::AnotherAccount,
            Code::NotFound => Self::NotFound,
            Code::MethodNotAllowed => Self::MethodNotAllowed,
            Code::BadRequest => Self::BadRequest,
            Code::TooSlow => Self::TooSlow,
            Code::TooLarge => Self::TooLarge,
            Code::WrongContentType => Self::WrongContentType,
            Code::TooManyRequests => Self::TooManyRequests { retry_after_s },
            Code::Unexpected => Self::Unexpected {
                id: flat.id.unwrap_or_default(),
            },
            Code::Busy => Self::Busy { retry_after_s },
            Code::Unavailable => Self::Unavailable,
            Code::Unreachable => Self::Unreachable,
            Code::Intermediary => Self::Intermediary {
                status: flat.status.unwrap_or_default(),
            },
            Code::Outdated => Self::Outdated,
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Missing,
    NotAnEmail,
    WrongPassword,
    Taken,
    TooShort,
    TooLong,
    Unprintable,
    Common,
    LikeEmail,
    Guessable,
    OutOfRange,
    Unknown,
    TooMany,
    UsedUp,
}

#[derive(Serialize, Deserialize)]
pub struct Problem {
    is: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
}

impl From<error::Problem> for Problem {
    fn from(problem: error::Problem) -> Self {
        use error::Problem as P;
        let (is, min, max) = match problem {
            P::Missing => (Kind::Missing, None, None),
            P::NotAnEmail => (Kind::NotAnEmail, None, None),
            P::WrongPassword => (Kind::WrongPassword, None, None),
            P::Taken => (Kind::Taken, None, None),
            P::TooShort { min } => (Kind::TooShort, Some(min), None),
            P::TooLong { max } => (Kind::TooLong, None, Some(max)),
            P::Unprintable => (Kind::Unprintable, None, None),
            P::Common => (Kind::Common, None, None),
            P::LikeEmail => (Kind::LikeEmail, None, None),
            P::Guessable => (Kind::Guessable, None, None),
            P::OutOfRange { min, max } => (Kind::OutOfRange, Some(min), Some(max)),
            P::Unknown => (Kind::Unknown, None, None),
            P::TooMany { max } => (Kind::TooMany, None, Some(max)),
            P::UsedUp { max } => (Kind::UsedUp, None, Some(max)),
        };
        Self { is, min, max }
    }
}

impl From<Problem> for error::Problem {
    fn from(flat: Problem) -> Self {
        match flat.is {
            Kind::Missing => Self::Missing,
            Kind::NotAnEmail => Self::NotAnEmail,
            Kind::WrongPassword => Self::WrongPassword,
            Kind::Taken => Self::Taken,
            Kind::TooShort => Self::TooShort {
                min: flat.min.unwrap_or_default(),
            },
            Kind::TooLong => Self::TooLong {
                max: flat.max.unwrap_or_default(),
            },
            Kind::Unprintable => Self::Unprintable,
            Kind::Common => Self::Common,
            Kind::LikeEmail => Self::LikeEmail,
            Kind::Guessable => Self::Guessable,
            Kind::OutOfRange => Self::OutOfRange {
                min: flat.min.unwrap_or_default(),
                max: flat.max.unwrap_or_default(),
            },
            Kind::Unknown => Self::Unknown,
            Kind::TooMany => Self::TooMany {
                max: flat.max.unwrap_or_default(),
            },
            Kind::UsedUp => Self::UsedUp {
                max: flat.max.unwrap_or_default(),
            },
        }
    }
}
