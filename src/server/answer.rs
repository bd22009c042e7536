//! The one place that turns a refusal into a response: JSON in the wire's encoding for the pages'
//! programs, a page for people, problem details at `/v1`, and the status that goes with the code.
//!
//! Layers refuse with an empty response that carries the [`wire::Error`]; whatever some library
//! below refuses with its own status and text is put into the same words.

use super::{forward_auth, v1};
use crate::wire;
use axum::{
    body::Body,
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::sync::Arc;

/// Makes the page for a refusal that no page of the app has shown.
pub type ErrorPage = Arc<dyn Fn(&wire::Error) -> String + Send + Sync>;

/// A response that carries a refusal to [`finish`].
pub fn refuse(error: wire::Error) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    response.extensions_mut().insert(error);
    response
}

/// Marks a response that says in a standard's own words what was refused, and to a program.
#[derive(Clone, Copy)]
pub struct InItsOwnWords;

/// A browser that navigates, as opposed to a program.
pub fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// The layer.
pub async fn finish(
    Extract(error_page): Extract<ErrorPage>,
    request: Request,
    next: Next,
) -> Response {
    let wants_html = wants_html(request.headers());
    let uri = request.uri().clone();
    let response = next.run(request).await;
    let status = response.status();
    if response.extensions().get::<InItsOwnWords>().is_some() {
        return response;
    }
    let error = match response.extensions().get::<wire::Error>() {
        Some(error) => error.clone(),
        None if status.is_client_error() || status.is_server_error() => {
            // A page of ours that says "not found" has said it already, and so has a problem.
            let content_type = response.headers().get(header::CONTENT_TYPE);
            if content_type.is_some_and(|it| {
                let it = it.as_bytes();
                it.starts_with(b"text/html") || it.starts_with(b"application/problem+json")
            }) {
                return response;
            }
            wire::Error::from_status(status.as_u16())
        }
        None => return response,
    };
    if error == wire::Error::CrossSite {
        tracing::warn!(event = "cross_site_refused", path = uri.path());
    }
    let (parts, _) = response.into_parts();
    let mut answer = if v1::is_below(uri.path()) {
        v1::Problem::before_routes(&error, &uri).into_response()
    } else {
        let (content_type, body) = if wants_html {
            ("text/html; charset=utf-8", error_page(&error))
        } else {
            let json = serde_json::to_string(&error).unwrap_or_default();
            ("application/json", json)
        };
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        (status, content_type, Body::from(body)).into_response()
    };
    let headers = answer.headers_mut();
    let [sign_in, limit, policy] =
        [forward_auth::SIGN_IN, v1::LIMIT, v1::POLICY].map(HeaderName::from_static);
    for kept in [
        header::SET_COOKIE,
        header::ALLOW,
        header::VARY,
        header::WWW_AUTHENTICATE,
        // A page of another site may read why it was refused, where it may ask at all.
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        sign_in,
        limit,
        policy,
    ] {
        for value in parts.headers.get_all(&kept) {
            headers.append(kept.clone(), value.clone());
        }
    }
    if let Some(retry_after_s) = error.retry_after_s() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
    }
    answer
}
