//! Requests of other sites that are let in.

use super::weakness::{Weakness, from_here, has, is};
use axum::{extract::Request, response::IntoResponse};
use http::{HeaderValue, Method, StatusCode, header};

pub fn weak() -> Vec<Weakness> {
    let posted =
        |request: &Request| request.method() == Method::POST && is(request, "/api/sign_out");
    let says = |request: &Request, name: &str| request.headers().contains_key(name);
    vec![
        Weakness::new(
            "cross-site",
            &["a form posted from another site is refused"],
        )
        .before(move |request| {
            let comes = posted(request) && has(request, "sec-fetch-site", "cross-site");
            comes.then(|| from_here(request)).flatten()
        }),
        Weakness::new(
            "same-site",
            &["a form posted from a sibling subdomain is refused"],
        )
        .before(move |request| {
            let comes = posted(request) && has(request, "sec-fetch-site", "same-site");
            comes.then(|| from_here(request)).flatten()
        }),
        Weakness::new(
            "foreign Origin",
            &[
                "a form with a foreign Origin is refused",
                "a body that is no form is refused",
            ],
        )
        .before(move |request| {
            let comes = posted(request)
                && has(request, "origin", "https://evil.example")
                && !says(request, "sec-fetch-site");
            comes.then(|| from_here(request)).flatten()
        }),
        Weakness::new("Origin: null", &["a form with the Origin null is refused"]).before(
            move |request| {
                let comes = posted(request) && has(request, "origin", "null");
                comes.then(|| from_here(request)).flatten()
            },
        ),
        Weakness::new(
            "no word of where it comes from",
            &["a form that does not say where it comes from is refused"],
        )
        .before(move |request| {
            let comes =
                posted(request) && !says(request, "origin") && !says(request, "sec-fetch-site");
            comes.then(|| from_here(request)).flatten()
        }),
        Weakness::new("any body is a form", &["a body that is no form is refused"]).before(
            |request| {
                if has(request, "content-type", "text/plain") {
                    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                    request.headers_mut().insert(header::CONTENT_TYPE, form);
                }
                None
            },
        ),
        Weakness::new("reads from elsewhere", &["another site reads nothing"]).before(
            move |request| {
                let comes = request.method() == Method::GET
                    && request.uri().path().starts_with("/api/")
                    && !says(request, "upgrade");
                comes.then(|| from_here(request)).flatten()
            },
        ),
        Weakness::new(
            "sockets from anywhere",
            &[
                "a socket for another site is refused",
                "a socket for the Origin null is refused",
                "a socket for nobody in particular is refused",
            ],
        )
        .before(move |request| {
            let opened = StatusCode::SWITCHING_PROTOCOLS;
            let upgraded = [
                (header::CONNECTION, "upgrade"),
                (header::UPGRADE, "websocket"),
            ];
            says(request, "upgrade").then(|| (opened, upgraded).into_response())
        }),
    ]
}
