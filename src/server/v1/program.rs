//! Who calls: a program, and the key that it shows. Worked out once, in one layer, before any
//! handler.

use super::{Problem, cause::Cause};
use crate::{
    server::{
        activity::Visitor,
        api_keys::{self, ApiKey, OLD_PREFIX, PREFIX},
        caller::{bearer, client_address, visitor},
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
    /// None, or one that does not count.
    Refused(Cause),
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
            Shown::Key(_) => Err(Problem::at_door(Cause::NoScope, scope)),
            Shown::Refused(cause) => Err(Problem::at_door(*cause, scope)),
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
    let has_cookie = || {
        !matches!(
            cookie::find(headers, &state.cookie_names.session),
            Found::None
        )
    };
    if let Some(cause) = stands_wrong(headers, query, has_cookie) {
        return Problem::because(cause).into_response();
    }
    let shown = match bearer(headers).filter(|text| !text.is_empty()) {
        None => Shown::Refused(Cause::of_no_key(headers, has_cookie())),
        Some(text) => match api_keys::check(&state, text).await {
            Ok(Ok(key)) => Shown::Key(key),
            Ok(Err(refusal)) => Shown::Refused(Cause::of_refusal(text, refusal)),
            // Promise 3: what cannot be checked is not allowed.
            Err(error) => return Problem::from(error).into_response(),
        },
    };
    let admitted = match &shown {
        Shown::Key(key) => Some(state.limits.admit_key(&key.id)),
        Shown::Refused(_) => None,
    };
    if let Some((quota, Err(error))) = admitted {
        let address = client_address(&request, state.config.server.trusted_proxy_hops);
        state.limits.refused.log_address(address, "requests_of_key");
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

/// A key where none belongs, or two ways to say who calls, of which no one can say which is meant
/// (RFC 6750, 3.1).
fn stands_wrong(headers: &HeaderMap, query: &str, has_cookie: impl Fn() -> bool) -> Option<Cause> {
    let shown = headers.get_all(header::AUTHORIZATION).iter().count();
    if shows_key_in_query(query) {
        Some(Cause::KeyInAddress)
    } else if shown > 1 {
        Some(Cause::TwoHeaders)
    } else if shown == 1 && has_cookie() {
        Some(Cause::KeyAndCookie)
    } else {
        None
    }
}

/// A key in an address is in logs, histories and `Referer` headers (RFC 9700, 4.3.2; ASVS 14.2.1).
fn shows_key_in_query(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let value = value.trim_start();
        IN_QUERIES.contains(&name.as_str())
            || value.starts_with(PREFIX)
            || value.starts_with(OLD_PREFIX)
    })
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
