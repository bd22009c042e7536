//! What no handler should ever see: requests from other sites, and ones that no browser sends.

use super::{
    answer::{refuse, wants_html},
    cookie::{self, Found},
    doors, speculation,
    state::State,
    v1,
};
use crate::wire;
use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, Method, header};

/// Most octets of header names that a preflight may ask for: they come back in the response's head.
const PREFLIGHT_MAX: usize = 1_000;

/// Most octets of a path and its query.
pub(super) const TARGET_MAX: usize = 8_192;

/// Methods and paths that the framework below us would stumble over (security.md LX-15). Below `/v1`
/// there is no framework, and each route says what methods it has.
pub async fn plain_requests(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_usual = [Method::GET, Method::HEAD, Method::POST].contains(request.method());
    // A browser asks for leave before a page of another site calls what programs call.
    let is_preflight = request.method() == Method::OPTIONS && is_for_programs(path);
    if !is_usual && !is_preflight && !v1::is_below(path) {
        return refuse(wire::Error::MethodNotAllowed);
    }
    let uri = request.uri();
    let Some(target) = uri.path_and_query() else {
        return refuse(wire::Error::BadRequest);
    };
    // A preflight is answered with the names that it asks for.
    let asks_too_much = text(request.headers(), "access-control-request-headers")
        .is_some_and(|names| names.len() > PREFLIGHT_MAX);
    if asks_too_much || target.as_str().len() > TARGET_MAX || !is_plain_path(uri.path()) {
        return refuse(wire::Error::BadRequest);
    }
    next.run(request).await
}

fn is_for_programs(path: &str) -> bool {
    path.starts_with("/oauth2/") || path.starts_with("/.well-known/")
}

/// Percent-encoding that is whole, makes UTF-8, and hides neither a separator nor a control; and
/// no segment that whoever reads the path after us would take out of it.
pub(super) fn is_plain_path(path: &str) -> bool {
    if path.contains('\\') {
        return false;
    }
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let hex = path
                .get(at + 1..at + 3)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok());
            let Some(byte) = hex else { return false };
            if byte == b'/' || byte == b'\\' {
                return false;
            }
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    std::str::from_utf8(&decoded).is_ok_and(|path| {
        !path.contains("//")
            && !path.split('/').any(|segment| matches!(segment, "." | ".."))
            && !path.chars().any(char::is_control)
    })
}

/// The rest of decision D2 of security.md; `CsrfLayer` has judged unsafe methods by
/// `Sec-Fetch-Site` and `Origin` before.
pub async fn same_site_only(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let names = &state.cookie_names;
    let function = request.uri().path().strip_prefix("/api/");
    if let Some(function) = function
        && is_stray_visit(request.method(), headers)
    {
        return match doors::page_of(function) {
            Some(page) => Redirect::to(page).into_response(),
            None => refuse(wire::Error::NotFound),
        };
    }
    let refused = if request.method().is_safe() {
        (is_web_socket(headers) && !is_from_here(headers))
            || (function.is_some() && is_cross_site_read(headers))
    } else {
        // Nothing says where it comes from, and it would act for somebody.
        let says_origin = ["origin", "sec-fetch-site"]
            .iter()
            .any(|name| text(headers, name).is_some_and(|value| !value.is_empty()));
        !says_origin && !matches!(cookie::find(headers, &names.session), Found::None)
    };
    if refused {
        return refuse(wire::Error::CrossSite);
    }
    next.run(request).await
}

/// A handshake that a page of another site can make with the cookie (RFC 6455, 10.2). Other
/// protocols, such as `h2c`, are offered by programs; the request is served as HTTP/1.1.
fn is_web_socket(headers: &HeaderMap) -> bool {
    headers.get_all(header::UPGRADE).iter().any(|value| {
        value
            .as_bytes()
            .to_ascii_lowercase()
            .windows(9)
            .any(|it| it == b"websocket")
    })
}

/// Whether a user opened this address by hand or by a bookmark, or a browser sends a request once more
/// when it restores its tabs. No page can cause one of these.
fn is_stray_visit(method: &Method, headers: &HeaderMap) -> bool {
    if speculation::is_speculative(headers) {
        return false;
    }
    let site = text(headers, "sec-fetch-site");
    if !method.is_safe() {
        return site == Some("none");
    }
    match text(headers, "sec-fetch-mode") {
        Some(mode) => mode == "navigate" && site == Some("none"),
        // A browser that has no such headers.
        None => site.is_none() && !headers.contains_key(header::ORIGIN) && wants_html(headers),
    }
}

/// A link or a form on another site can make a browser read `/api` with the cookie; only our own
/// pages' `fetch` has a reason to (security.md CS-2).
fn is_cross_site_read(headers: &HeaderMap) -> bool {
    let site = text(headers, "sec-fetch-site");
    site.is_some_and(|site| site != "same-origin")
        || text(headers, "sec-fetch-mode") == Some("navigate")
        || (site.is_none() && headers.contains_key(header::ORIGIN) && !is_from_here(headers))
}

/// The `Origin` names this host; none, or `null`, does not.
fn is_from_here(headers: &HeaderMap) -> bool {
    let origin = text(headers, "origin").and_then(|origin| origin.split_once("://"));
    matches!((origin, text(headers, "host")), (Some((_, from)), Some(host)) if from == host)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
