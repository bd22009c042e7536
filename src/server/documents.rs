//! Answers that are a page of HTML alone. Their words are the app's; `router.rs` brings them here.

use crate::wire::documents::Document;
use axum::{
    body::Body,
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use std::sync::Arc;

/// Makes the page.
pub type Pages = Arc<dyn Fn(&Document) -> String + Send + Sync>;

/// A response that carries a page to [`finish`].
pub fn show(status: StatusCode, document: Document) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(document);
    response
}

/// The layer that makes the pages.
pub async fn finish(Extract(pages): Extract<Pages>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(document) = response.extensions_mut().remove::<Document>() {
        *response.body_mut() = Body::from(pages(&document));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
    }
    response
}

/// Sends the browser to another site, whose address the caller has made sure of.
///
/// Chromium holds a form to `form-action 'self'` through all the redirects after it, so whoever
/// comes from a form of ours goes on by a page of ours (security.md XS-2).
pub fn leave(asked: &HeaderMap, to: &str) -> Response {
    if !is_from_our_page(asked) {
        return Redirect::to(to).into_response();
    }
    let parsed: Option<Uri> = to.parse().ok();
    let host = parsed.and_then(|uri| uri.authority().map(|it| it.as_str().to_owned()));
    // A program of the same device has a scheme of its own, and no host.
    let host = host.unwrap_or_else(|| to.split(':').next().unwrap_or_default().to_owned());
    let to = to.to_owned();
    show(StatusCode::OK, Document::GoingOn { to, host })
}

/// Browsers say where a navigation began, and go on saying so through redirects; old ones name
/// the page.
fn is_from_our_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let page = text(header::REFERER).and_then(|page| page.split_once("://"));
    match (page, text(header::HOST)) {
        (Some((_, page)), Some(host)) => page
            .strip_prefix(host)
            .is_some_and(|path| path.is_empty() || path.starts_with('/')),
        _ => false,
    }
}
