//! The headers that every response has, whatever its status (security.md XS-8).

use super::{answer::refuse, state::State};
use crate::wire;
use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::Response,
};
use http::{HeaderValue, header};

/// Marks the scripts that this response itself carries. Fresh for each response.
#[derive(Clone)]
pub struct CspNonce(pub String);

const FIXED: [(&str, &str); 8] = [
    (
        "strict-transport-security",
        "max-age=31536000; includeSubDomains",
    ),
    ("x-content-type-options", "nosniff"),
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("x-permitted-cross-domain-policies", "none"),
];

/// A second policy, which a script has to pass as well: it comes from here. The nonce alone would
/// also let a script that runs already import another from anywhere, and send away what it read in
/// the address of that.
const OWN_SCRIPTS: HeaderValue =
    HeaderValue::from_static("script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'");

/// The layer: mints the nonce on the way in, writes the headers on the way out.
pub async fn write(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let Ok(nonce) = state.random.id() else {
        return refuse(wire::Error::Unexpected { id: String::new() });
    };
    request.extensions_mut().insert(CspNonce(nonce.clone()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::try_from(content_security_policy(&nonce, &state)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.append(header::CONTENT_SECURITY_POLICY, OWN_SCRIPTS);
    // Only files with a hash in their name say otherwise.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn content_security_policy(nonce: &str, state: &State) -> String {
    // `make watch` tells the page over a socket of its own that a file has changed.
    let reload = if std::env::var_os("LEPTOS_WATCH").is_some() {
        format!(
            " ws://localhost:{0} ws://127.0.0.1:{0}",
            state.leptos.reload_port
        )
    } else {
        String::new()
    };
    format!(
        "default-src 'none'; \
         script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; \
         connect-src 'self'{reload}; form-action 'self'; base-uri 'none'; object-src 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default"
    )
}
