//! `cloakroom health`: for containers without curl.

use super::print::print;
use crate::server::error::Error;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// A server that takes longer to answer is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the server at this address whether it is ready.
///
/// # Errors
/// If it is not, or does not answer.
pub async fn ask(listens: SocketAddr) -> Result<(), Error> {
    let url = format!("http://{}/health/ready", reachable(listens));
    let not_ready = |why: &str| Error::Config(format!("{url}: not ready: {why}"));
    // A proxy of the environment would answer in its place, and nothing here is TLS.
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build();
    let asked = match http {
        Ok(http) => http.get(&url).send().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(answer) if answer.status() == 200 => print(&["ready".to_owned()]),
        Ok(answer) => Err(not_ready(&format!(
            "status {}; its log says why",
            answer.status().as_u16()
        ))),
        Err(error) if error.is_timeout() => Err(not_ready(&format!(
            "no answer within {} seconds",
            PATIENCE.as_secs()
        ))),
        Err(error) if error.is_connect() => Err(not_ready(
            "no server listens there; start it, or set LEPTOS_SITE_ADDR as the server has it",
        )),
        Err(_) => Err(not_ready(
            "the answer is not HTTP: is another program at this address (LEPTOS_SITE_ADDR)?",
        )),
    }
}

/// A server that listens on all addresses is asked on this machine's own.
fn reachable(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}
