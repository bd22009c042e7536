//! Requests that a browser makes before a click: prefetched and prerendered pages.
//!
//! They carry the cookies, and at the click their answer is shown without a request, whatever became
//! of the session since: a sign-out elsewhere does not reach it. A refusal is thrown away, and the page
//! is asked for at the click.

use super::{
    answer::InItsOwnWords,
    cookie::{self, Found},
};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

/// Old browsers name the purpose in headers of their own.
const NAMES: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];
/// Values of these headers that mean a speculative request, in part or whole.
const PURPOSES: [&str; 2] = ["prefetch", "prerender"];

/// Whether a browser makes the request before a click.
pub fn is_speculative(headers: &HeaderMap) -> bool {
    NAMES.iter().any(|name| {
        let purposes = headers.get_all(*name).iter();
        purposes
            .filter_map(|purpose| purpose.to_str().ok())
            .map(str::to_ascii_lowercase)
            .any(|purpose| PURPOSES.iter().any(|it| purpose.contains(it)))
    })
}

/// Refuses a speculative request that shows a cookie of ours, before the cookie is judged: it renews
/// nothing, uses nothing up, and no handler acts on it.
pub fn refuse(headers: &HeaderMap, names: &cookie::Names) -> Option<Response> {
    let shows_cookie = || {
        [&names.session, &names.form]
            .into_iter()
            .any(|name| !matches!(cookie::find(headers, name), Found::None))
    };
    if !is_speculative(headers) || !shows_cookie() {
        return None;
    }
    // Proxies that ask `/auth/check` pass this status on. No page is made: no browser shows it.
    let mut response = StatusCode::FORBIDDEN.into_response();
    response.extensions_mut().insert(InItsOwnWords);
    Some(response)
}
