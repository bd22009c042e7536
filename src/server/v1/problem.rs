//! What went wrong, for a program: problem details (RFC 9457), and where a key is asked for the
//! challenge that goes with them (RFC 6750, 3).

use super::cause::Cause;
use crate::{
    server::error::Error,
    wire::{self, api_keys::Scope},
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, Uri, header};
use serde::Serialize;
use utoipa::ToSchema;

/// The kind of document that a refusal is.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A refusal.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    cause: Option<Cause>,
    /// The scope that would have done.
    scope: Option<Scope>,
    retry_after_s: Option<u32>,
}

macro_rules! kinds {
    ($($kind:ident = $status:literal $code:literal $title:literal,)*) => {
        /// Every refusal that there is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $title] $kind,)*
        }

        impl Kind {
            /// All of them, in the order of their statuses.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its status, its code, and what it is in words.
            pub fn parts(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$kind => ($status, $code, $title),)* }
            }
        }
    };
}

kinds! {
    InvalidRequest = 400 "invalid_request" "The request cannot be read, or shows a key where none belongs.",
    KeyNeeded = 401 "key_needed" "This needs an API key in the header.",
    InvalidToken = 401 "invalid_token" "This is no API key, or it has expired or was revoked.",
    InsufficientScope = 403 "insufficient_scope" "The API key does not have the scope that this needs.",
    NotFound = 404 "not_found" "There is nothing here, or nothing that the key may know of.",
    MethodNotAllowed = 405 "method_not_allowed" "The path exists, the method does not.",
    TooSlow = 408 "too_slow" "The request did not arrive in time.",
    TooLarge = 413 "too_large" "The request is larger than anything this server is asked.",
    TooManyRequests = 429 "too_many_requests" "The API key has made all its requests of this minute.",
    Unexpected = 500 "unexpected" "Something broke on the server.",
    Unavailable = 503 "unavailable" "This is not possible just now.",
}

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body {
    /// What kind of problem it is; a page for people is at this address.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What the request shows of the cause, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
}

impl Body {
    fn new(kind: Kind, cause: Option<Cause>) -> Self {
        let (status, code, title) = kind.parts();
        Self {
            kind: format!("/developers#{code}"),
            title,
            status,
            detail: cause.map(Cause::detail),
        }
    }
}

impl Problem {
    /// Of this kind.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            cause: None,
            scope: None,
            retry_after_s: None,
        }
    }

    /// With a cause that the request shows.
    pub fn because(cause: Cause) -> Self {
        Self {
            cause: Some(cause),
            ..Self::new(cause.kind())
        }
    }

    /// With a cause that the request shows, where this scope is asked for.
    pub fn at_door(cause: Cause, scope: Scope) -> Self {
        Self {
            scope: Some(scope),
            ..Self::because(cause)
        }
    }

    /// Of a request that was refused before any route of the API.
    pub fn before_routes(error: &wire::Error, uri: &Uri) -> Self {
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        match error {
            wire::Error::BadRequest => Cause::of_target(target)
                .map_or_else(|| Self::new(Kind::InvalidRequest), Self::because),
            wire::Error::MethodNotAllowed => Self::because(Cause::OtherMethod),
            other => other.clone().into(),
        }
    }

    /// What a client has to show (RFC 6750, 3): whoever showed nothing is told no error.
    fn challenge(&self) -> Option<String> {
        let (_, code, _) = self.kind.parts();
        let error = match self.kind {
            Kind::KeyNeeded => String::new(),
            Kind::InvalidRequest | Kind::InvalidToken | Kind::InsufficientScope => {
                format!(", error=\"{code}\"")
            }
            _ => return None,
        };
        let scope = self
            .scope
            .map(|scope| format!(", scope=\"{}\"", scope.code()));
        let scope = scope.unwrap_or_default();
        Some(format!("Bearer realm=\"cloakroom\"{error}{scope}"))
    }
}

impl From<wire::Error> for Problem {
    fn from(error: wire::Error) -> Self {
        use wire::Error as E;
        let kind = match &error {
            E::SignInNeeded | E::PasswordChanged | E::WrongEmailOrPassword => Kind::InvalidToken,
            E::NotFound => Kind::NotFound,
            E::MethodNotAllowed => Kind::MethodNotAllowed,
            E::TooSlow => Kind::TooSlow,
            E::TooLarge => Kind::TooLarge,
            E::TooManyRequests { .. } => Kind::TooManyRequests,
            E::Unexpected { .. } | E::Outdated => Kind::Unexpected,
            E::Busy { .. } | E::Unavailable | E::Unreachable | E::Intermediary { .. } => {
                Kind::Unavailable
            }
            E::Fields { .. }
            | E::RecentSignInNeeded
            | E::NotSent
            | E::CrossSite
            | E::AnotherAccount
            | E::BadRequest
            | E::WrongContentType => Kind::InvalidRequest,
        };
        Self {
            retry_after_s: error.retry_after_s(),
            ..Self::new(kind)
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        wire::Error::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body::new(self.kind, self.cause);
        let status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if let Some(Ok(challenge)) = self.challenge().map(HeaderValue::try_from) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(retry_after_s) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        response
    }
}

/// The body of the answer to a request whose head is not HTTP.
pub fn unreadable_head() -> String {
    let cause = Cause::UnreadableHead;
    serde_json::to_string(&Body::new(cause.kind(), Some(cause))).unwrap_or_default()
}
