//! Forward auth: a reverse proxy asks, before each request for another app, who is signed in.
//!
//! The cookie comes in; who it is goes out, in headers for the app alone. The proxy must take
//! these headers away from what its own clients send: `docs/forward-auth.md` has it so.

use super::{
    answer::{refuse, wants_html},
    caller::Caller,
    documents,
    forms::{IN_QUERY, to_sign_in},
    sessions::Session,
    state::State,
};
use crate::wire;
use axum::{
    Router,
    extract::{Extension, Query, State as Extract},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

/// Where a refusal says where to sign in.
pub const SIGN_IN: &str = "x-sign-in";
/// The longest address that is gone back to, in octets; from a longer one its front page is.
const RETURN_MAX: usize = 700;

/// Both routes. The layer that knows who calls goes around them.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/auth/check", get(check))
        .route("/auth/return", get(go_back))
}

/// How the proxy asks.
#[derive(Deserialize)]
struct Asked {
    /// `true`: a browser that navigates is sent to sign in, instead of a 401 with the address.
    /// For proxies that pass a refusal on as it is; nginx must have its 401.
    #[serde(default)]
    redirect: bool,
}

/// 200 and who it is; 401 and where to sign in; 403 for a host that is not one of ours.
async fn check(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    if state.config.forward_auth.allowed_hosts.is_empty() {
        tracing::warn!(
            event = "forward_auth_is_off",
            "forward_auth.allowed_hosts is empty"
        );
        return refuse(wire::Error::NotFound);
    }
    let Some(original) = original_url(&headers).filter(|it| is_allowed(&state, it)) else {
        tracing::warn!(
            event = "forward_auth_host_refused",
            "neither X-Original-URL nor X-Forwarded-Proto, -Host and -Uri name a host of \
             forward_auth.allowed_hosts"
        );
        return StatusCode::FORBIDDEN.into_response();
    };
    match &caller.session {
        Some(session) => allow(session),
        None => send_to_sign_in(&state, &original, asked.redirect && wants_html(&headers)),
    }
}

fn allow(session: &Session) -> Response {
    let mut response = StatusCode::OK.into_response();
    for (name, value) in [
        ("remote-user", &session.user_id),
        ("remote-email", &session.email),
        ("remote-session", &session.id),
    ] {
        // A value that no header can carry would leave the app to believe somebody else's.
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
            return refuse(wire::Error::Unexpected { id: String::new() });
        };
        response.headers_mut().insert(name, value);
    }
    response
}

fn send_to_sign_in(state: &State, original: &Uri, by_redirect: bool) -> Response {
    let mut back = original.to_string();
    if back.len() > RETURN_MAX {
        let host = original.authority().map_or("", |it| it.as_str());
        back = format!("{}://{host}/", original.scheme_str().unwrap_or("https"));
    }
    let next = format!("/auth/return?to={}", utf8_percent_encode(&back, IN_QUERY));
    let sign_in = format!(
        "{}/sign-in?next={}",
        state.config.oidc.issuer,
        utf8_percent_encode(&next, IN_QUERY)
    );
    if by_redirect {
        return Redirect::to(&sign_in).into_response();
    }
    let mut response = refuse(wire::Error::SignInNeeded);
    if let Ok(sign_in) = HeaderValue::try_from(sign_in) {
        response.headers_mut().insert(SIGN_IN, sign_in);
    }
    response
}

/// Where somebody goes back to.
#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    to: String,
}

/// After signing in: back to the app, if it is one of ours.
async fn go_back(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Query(back): Query<Back>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let to = read_url(&back.to).filter(|it| is_allowed(&state, it));
    match (to, &caller.session) {
        (None, _) => refuse(wire::Error::NotFound),
        (Some(_), None) => {
            let asked = uri.path_and_query().map_or("", |it| it.as_str());
            to_sign_in(&caller, asked)
        }
        (Some(to), Some(_)) => documents::leave(&headers, &to.to_string()),
    }
}

/// What the proxy was asked for: in nginx's way, or in Traefik's and Caddy's.
fn original_url(headers: &HeaderMap) -> Option<Uri> {
    if headers.contains_key("x-original-url") {
        return read_url(only(headers, "x-original-url")?);
    }
    let scheme = only(headers, "x-forwarded-proto")?;
    let host = only(headers, "x-forwarded-host")?;
    let path = only(headers, "x-forwarded-uri")?;
    read_url(&format!("{scheme}://{host}{path}"))
}

/// The one value of a header.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// An address that a browser can go back to, and that says the same to everybody who reads it.
fn read_url(text: &str) -> Option<Uri> {
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let uri: Uri = text.parse().ok().filter(|_| is_plain)?;
    let is_web = matches!(uri.scheme_str(), Some("https" | "http"));
    let has_user = uri.authority()?.as_str().contains('@');
    (is_web && !has_user).then_some(uri)
}

/// Its host is one of the configured ones. Where people sign in by https nobody is sent back by
/// http.
fn is_allowed(state: &State, uri: &Uri) -> bool {
    let is_safe =
        uri.scheme_str() == Some("https") || state.config.oidc.issuer.starts_with("http://");
    let host = uri.authority().map_or("", |it| it.as_str());
    let mut allowed = state.config.forward_auth.allowed_hosts.iter();
    is_safe && allowed.any(|allowed| allowed.eq_ignore_ascii_case(host))
}
