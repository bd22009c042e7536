//! Who calls: a program, and the key that it shows. Worked out once, in one layer, before any
//! handler.

use super::{Problem, problem::Kind};
use crate::{
    server::{
        activity::Visitor,
        api_keys::{self, ApiKey, PREFIX},
        caller::{bearer, visitor},
        cookie::{self, Found},
        limits::Quota,
        state::State,
    },
    wire::api_keys::Scope,
};
use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};

/// Names under which programs put a key into a query, where logs and histories keep it.
const IN_QUERIES: [&str; 6] = [
    "access_token",
    "api_key",
    "apikey",
    "authorization",
    "key",
    "token",
];

/// Says how often a key may ask (draft-ietf-httpapi-ratelimit-headers-10).
pub const POLICY: &str = "ratelimit-policy";
/// Says how often it may ask just now.
pub const LIMIT: &str = "ratelimit";

/// A program that calls, and from where.
#[derive(Clone)]
pub struct Program {
    /// What the server holds.
    pub state: State,
    /// From where, and with what.
    pub visitor: Visitor,
    shown: Shown,
}

#[derive(Clone)]
enum Shown {
    Nothing,
    /// No key of ours, or one that is no longer good.
    Refused,
    Key(ApiKey),
}

impl Program {
    /// The door: open to a good key with this scope. Every handler opens with it (promise 2).
    ///
    /// # Errors
    /// 401 without a good key, 403 without the scope, each with its challenge (RFC 6750, 3.1).
    pub fn may(&self, scope: Scope) -> Result<&ApiKey, Problem> {
        match &self.shown {
            Shown::Key(key) if key.scopes.contains(scope) => Ok(key),
            Shown::Key(_) => Err(Problem::at_door(Kind::InsufficientScope, scope)),
            Shown::Refused => Err(Problem::at_door(Kind::InvalidToken, scope)),
            Shown::Nothing => Err(Problem::at_door(Kind::KeyNeeded, scope)),
        }
    }
}

/// The layer: header, signature, revocations, limit, and a [`Program`] for whoever comes next.
pub async fn identify(
    Extract(state): Extract<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let query = request.uri().query().unwrap_or_default();
    if shows_key_in_query(query) || shows_two(headers, &state.cookie_names) {
        return Problem::new(Kind::InvalidRequest).into_response();
    }
    let shown = match bearer(headers) {
        None => Shown::Nothing,
        Some(text) => match api_keys::check(&state, text).await {
            Ok(Some(key)) => Shown::Key(key),
            Ok(None) => Shown::Refused,
            // Promise 3: what cannot be checked is not allowed.
            Err(error) => return Problem::from(error).into_response(),
        },
    };
    let admitted = match &shown {
        Shown::Key(key) => Some(state.limits.admit_key(&key.id)),
        _ => None,
    };
    if let Some((quota, Err(error))) = admitted {
        return with_quota(Problem::from(error).into_response(), quota);
    }
    let visitor = visitor(&request, state.config.server.trusted_proxy_hops);
    request.extensions_mut().insert(Program {
        state,
        visitor,
        shown,
    });
    let response = next.run(request).await;
    match admitted {
        Some((quota, _)) => with_quota(response, quota),
        None => response,
    }
}

/// A key in an address is in logs, histories and `Referer` headers (RFC 9700, 4.3.2; ASVS 14.2.1).
fn shows_key_in_query(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        IN_QUERIES.contains(&name.as_str()) || value.trim_start().starts_with(PREFIX)
    })
}

/// Two ways to say who calls, of which nobody can say which is meant: two headers, or a key and a
/// session's cookie (RFC 6750, 3.1).
fn shows_two(headers: &HeaderMap, names: &cookie::Names) -> bool {
    let shown = headers.get_all(header::AUTHORIZATION).iter().count();
    let has_cookie = || !matches!(cookie::find(headers, &names.session), Found::None);
    shown > 1 || (shown == 1 && has_cookie())
}

/// What is left of the key's limit.
fn with_quota(mut response: Response, quota: Quota) -> Response {
    let Quota {
        most,
        window_s,
        left,
        reset_s,
    } = quota;
    for (name, value) in [
        (POLICY, format!("\"key\";q={most};w={window_s}")),
        (LIMIT, format!("\"key\";r={left};t={reset_s}")),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
