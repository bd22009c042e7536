//! A warning for operators: what a proxy says of its clients is not used.
//!
//! Without it, all people behind a proxy share one address and one limit, and no line of the log says
//! why they are refused.

use http::HeaderMap;
use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
};

/// Logged once a process: an anonymous visitor can send these headers, too, and shall not fill the log.
static IS_LOGGED: AtomicBool = AtomicBool::new(false);

/// Headers by which proxies name their clients.
const BY_PROXIES: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];

/// Warns if a header names a client, and `server.trusted_proxy_hops` leads to the proxy itself.
pub fn warn_once(headers: &HeaderMap, trusted_proxy_hops: u32, peer: IpAddr) {
    if IS_LOGGED.load(Ordering::Relaxed) {
        return;
    }
    let Some(header) = BY_PROXIES.iter().find(|name| headers.contains_key(**name)) else {
        return;
    };
    let addresses: usize = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|line| line.as_bytes().split(|byte| *byte == b',').count())
        .sum();
    let is_used = trusted_proxy_hops > 0 && addresses >= trusted_proxy_hops as usize;
    if is_used || IS_LOGGED.swap(true, Ordering::Relaxed) {
        return;
    }
    tracing::warn!(
        event = "forwarded_address_not_used",
        header,
        addresses,
        trusted_proxy_hops,
        %peer,
        "a request names its client in a header, but the address of the connection counts: if a proxy \
         sends the header, all its clients share one address and one limit. Set \
         server.trusted_proxy_hops to the number of proxies that add to X-Forwarded-For, or have them \
         remove the header. Logged once"
    );
}
