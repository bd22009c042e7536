//! Who is where. `127.0.0.1` is another site to the victim's host, and `evil.shop.localhost` is a
//! subdomain beside it; browsers find both on this machine without asking anybody.

use super::super::{caller::Peer, error::Error};
use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

const VICTIM: &str = "app.shop.localhost";
const SIBLING: &str = "evil.shop.localhost";
const OTHER: &str = "127.0.0.1";

/// The origins of the lab.
pub struct Sites {
    /// The service of both clients.
    pub victim: String,
    /// The attacker's, on another site.
    pub other: String,
    /// The attacker's, on a subdomain beside the victim's.
    pub sibling: String,
    victim_port: u16,
}

impl Sites {
    /// By the ports of both servers.
    pub fn new(victim_port: u16, attacker_port: u16) -> Self {
        Self {
            victim: format!("http://{VICTIM}:{victim_port}"),
            other: format!("http://{OTHER}:{attacker_port}"),
            sibling: format!("http://{SIBLING}:{attacker_port}"),
            victim_port,
        }
    }

    /// The attacker's own client: no browser's rules hold for it. It keeps no connection, so that
    /// none is closed under it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn client(&self) -> Result<reqwest::Client, Error> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.victim_port));
        reqwest::Client::builder()
            .user_agent(super::record::ATTACKERS_CLIENT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .resolve(VICTIM, address)
            .build()
            .map_err(|error| Error::Config(format!("lab: {error}")))
    }
}

/// The layer around both servers: this machine alone, and only by the names that the lab gave
/// out. Another name that leads here is another site's trick (DNS rebinding).
pub async fn only_as(
    Extract(origins): Extract<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>();
    let is_near = peer.is_some_and(|peer| peer.0.ip().is_loopback());
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_named = origins
        .iter()
        .any(|origin| origin.strip_prefix("http://") == Some(host));
    if is_near && is_named {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    }
}
