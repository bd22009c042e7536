//! The headers that every response has, whatever its status (security.md XS-8).

use super::{answer::refuse, config, state::State};
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

/// Marks a response that keeps the window that opened it: a page that serves an OAuth client's
/// request, in a popup of the client.
#[derive(Clone, Copy)]
pub struct KeepsOpener;

/// Most octets that the head of a response may have, status line included. nginx reads it into a
/// buffer of one page of memory, 4,096 octets, and answers 502 when it does not fit.
pub const HEAD_MAX: usize = 4_000;
/// Most octets of what every redirect has: the headers below, the status line, what hyper adds.
pub const USUAL_MAX: usize = 960;

const FIXED: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("x-permitted-cross-domain-policies", "none"),
];

/// Pages that search engines may list, to the letter: the others have addresses without end.
const LISTED: [&str; 2] = ["/", "/developers"];

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
    let asked = request.uri().path_and_query();
    let is_listed = asked.is_some_and(|asked| LISTED.contains(&asked.as_str()));
    let mut response = next.run(request).await;
    let opener = HeaderValue::from_static(match response.extensions().get() {
        Some(KeepsOpener) => "unsafe-none",
        None => "same-origin",
    });
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", opener);
    let content_type = headers.get(header::CONTENT_TYPE);
    let is_page = content_type.is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
    if is_page && !is_listed {
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    }
    if let Some(hsts) = &state.hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    if let Ok(policy) = HeaderValue::try_from(content_security_policy(&nonce, &state)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.append(header::CONTENT_SECURITY_POLICY, OWN_SCRIPTS);
    // Only files say otherwise. A proxy that rewrites a page breaks its nonces and its hydration.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store, no-transform"));
    response
}

/// Value of `Strict-Transport-Security` (RFC 6797), if the operator wants one.
pub fn strict_transport_security(config: &config::Server) -> Option<HeaderValue> {
    let mut value = format!("max-age={}", config.hsts_max_age_s);
    if config.hsts_include_sub_domains {
        value.push_str("; includeSubDomains");
    }
    let is_wanted = config.hsts_max_age_s > 0;
    HeaderValue::try_from(value).ok().filter(|_| is_wanted)
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
