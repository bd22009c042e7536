//! Entries of `X-Forwarded-For`, and warnings for operators where one is not used or not understood.
//!
//! Without them, all people behind a proxy share one address and one limit, and no line of the log says
//! why they are refused.

use http::HeaderMap;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
};

/// The longest part of an entry that is logged, in code points.
const SHOWN_MAX: usize = 64;

/// Reads an entry of `X-Forwarded-For`: an address as proxies write it, bare, with a port, in brackets or
/// in quotes (RFC 7239, 6). An IPv4 address that IPv6 carries is one of IPv4.
pub fn read_entry(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let quoted = entry.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let entry = quoted.unwrap_or(entry);
    let bracketed = entry.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let address = match bracketed {
        Some(within) => within.parse::<Ipv6Addr>().ok()?.into(),
        None => entry
            .parse()
            .or_else(|_| entry.parse::<SocketAddr>().map(|both| both.ip()))
            .ok()?,
    };
    Some(address.to_canonical())
}

/// Warns that a trusted proxy's entry is no address, so that the proxy's own address counts.
pub fn warn_of_entry_once(entry: &str, peer: IpAddr) {
    static IS_LOGGED: AtomicBool = AtomicBool::new(false);
    if IS_LOGGED.swap(true, Ordering::Relaxed) {
        return;
    }
    let entry: String = entry.chars().take(SHOWN_MAX).collect();
    tracing::warn!(
        event = "forwarded_address_not_understood",
        entry,
        %peer,
        "an entry of X-Forwarded-For is no IP address, so that the address of the connection counts: all \
         clients of that proxy then share one address and one limit. Have the proxy write an address. \
         Logged once"
    );
}

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
