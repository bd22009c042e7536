//! What a client is told when it does not get what it asks for (RFC 6749, 5.2): a code that its
//! program can tell apart, and never the text of an inner error.

use crate::{
    server::{answer::InItsOwnWords, error::Error},
    wire,
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// A refusal in OAuth's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OauthError {
    code: &'static str,
    status: StatusCode,
    /// Sentence for the client's developer.
    description: &'static str,
    /// When to come back, in seconds.
    retry_after_s: Option<u32>,
}

impl OauthError {
    /// A parameter is missing, is there twice, or has a value that is not understood.
    pub const INVALID_REQUEST: Self = Self::new(
        "invalid_request",
        StatusCode::BAD_REQUEST,
        "a parameter is missing, is there twice, or has an unknown value",
    );
    /// The client is unknown or disabled, or did not show who it is.
    pub const INVALID_CLIENT: Self = Self::new(
        "invalid_client",
        StatusCode::UNAUTHORIZED,
        "the client is unknown or disabled, or its credentials are wrong",
    );
    /// The code or refresh token is unknown, used, over, or another client's.
    pub const INVALID_GRANT: Self = Self::new(
        "invalid_grant",
        StatusCode::BAD_REQUEST,
        "the code or refresh token is unknown, used, expired, revoked, or of another client",
    );
    /// The client may not ask in this way.
    pub const UNAUTHORIZED_CLIENT: Self = Self::new(
        "unauthorized_client",
        StatusCode::BAD_REQUEST,
        "the client is not registered for this grant type",
    );
    /// No client may ask in this way.
    pub const UNSUPPORTED_GRANT_TYPE: Self = Self::new(
        "unsupported_grant_type",
        StatusCode::BAD_REQUEST,
        "grant_type has to be authorization_code, refresh_token or client_credentials",
    );
    /// The client may not ask for this.
    pub const INVALID_SCOPE: Self = Self::new(
        "invalid_scope",
        StatusCode::BAD_REQUEST,
        "scope names one that was not granted",
    );
    /// Something of ours broke; the log says what.
    pub const SERVER_ERROR: Self = Self::new(
        "server_error",
        StatusCode::INTERNAL_SERVER_ERROR,
        "something broke here; the log of the server has more",
    );
    /// The database is away, or there is too much to do.
    pub const TEMPORARILY_UNAVAILABLE: Self = Self::new(
        "temporarily_unavailable",
        StatusCode::SERVICE_UNAVAILABLE,
        "try again after a moment",
    );

    const fn new(code: &'static str, status: StatusCode, description: &'static str) -> Self {
        Self {
            code,
            status,
            description,
            retry_after_s: None,
        }
    }

    /// Gives a closer reason: printable ASCII without quotes (RFC 6749, 5.2).
    #[must_use]
    pub const fn because(self, description: &'static str) -> Self {
        Self {
            description,
            ..self
        }
    }

    /// The code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The same code with another status.
    #[must_use]
    pub const fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

/// The edge: what is ours is logged here, once.
impl From<Error> for OauthError {
    fn from(error: Error) -> Self {
        wire::Error::from(error).into()
    }
}

/// What limits and bodies are refused with, in OAuth's words.
impl From<wire::Error> for OauthError {
    fn from(error: wire::Error) -> Self {
        let retry_after_s = error.retry_after_s();
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let like = match error {
            wire::Error::Unexpected { .. } => Self::SERVER_ERROR,
            wire::Error::Unavailable
            | wire::Error::Busy { .. }
            | wire::Error::TooManyRequests { .. } => Self::TEMPORARILY_UNAVAILABLE,
            _ => Self::INVALID_REQUEST,
        };
        Self {
            retry_after_s,
            ..like.with_status(status)
        }
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        tracing::info!(
            event = "oauth_request_refused",
            error = self.code,
            reason = self.description,
            "a request of an OAuth client was refused"
        );
        let body = serde_json::json!({
            "error": self.code,
            "error_description": self.description,
        });
        let mut response = (self.status, axum::Json(body)).into_response();
        response.extensions_mut().insert(InItsOwnWords);
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"oauth2\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(retry_after_s) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        response
    }
}
