//! The lab: two clients of one service side by side, and an attacker. It is in development builds
//! alone (feature `lab`).
//!
//! Client A keeps an access token where scripts can read it, as countless tutorials do; client B
//! is Cloakroom's way. The server opens a second, throw-away deployment for them, and a site of
//! the attacker's, both on ports of this machine and for this machine alone. Nobody's database and
//! nobody's session is touched: the victim lives at a host of their own.
//!
//! `lab.js` plays the victim, `injected.js` and `acting.js` are scripts that were injected into
//! the victim's page, and `hostile.js` is on the pages of the attacker's site.

mod attacker;
mod pocket;
mod record;
mod router;
mod sites;
mod tokens;

use super::{
    clock::Clock, error::Error, headers, listen, random::Random, settings::Settings, state::State,
};
use crate::wire;
use axum::{Router, middleware, response::Redirect, routing::get};
use http::StatusCode;
use pocket::Pockets;
use record::Record;
use sites::Sites;
use std::{future::pending, io::ErrorKind, net::Ipv4Addr, sync::Arc};
use tokens::Tokens;
use tokio::net::TcpListener;

/// What both of the lab's servers hold.
#[derive(Clone)]
struct Lab(Arc<Inner>);

struct Inner {
    /// The throw-away deployment.
    state: State,
    /// Who is where.
    sites: Sites,
    /// Client A's access tokens.
    tokens: Tokens,
    /// What was asked of both servers.
    record: Record,
    /// What the attacker has.
    pockets: Pockets,
    /// The attacker's own client.
    client: reqwest::Client,
}

impl std::ops::Deref for Lab {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Opens the lab beside the server, and adds the way to it.
///
/// # Errors
/// If there is no port or no folder for it.
pub async fn open(router: Router, main: &State) -> Result<Router, Error> {
    let (shop, hideout) = (bind().await?, bind().await?);
    let sites = Sites::new(port(&shop)?, port(&hideout)?);
    let state = throw_away(main).await?;
    let lab = Lab(Arc::new(Inner {
        tokens: Tokens::new(&state.random)?,
        record: Record::default(),
        pockets: Pockets::default(),
        client: sites.client()?,
        sites,
        state,
    }));
    lab.state.begin_to_serve().await?;
    for (listener, router) in [
        (shop, router::router(lab.clone())),
        (hideout, attacker::router(lab.clone())),
    ] {
        let state = lab.state.clone();
        tokio::spawn(async move { listen::serve(listener, router, &state, pending()).await });
    }
    let address = lab.sites.victim.clone() + "/lab";
    tracing::info!(event = "lab_open", address);
    let way = get(async move || Redirect::to(&address));
    let way = Router::new()
        .route("/lab", way)
        .layer(middleware::from_fn_with_state(main.clone(), headers::write));
    Ok(router.merge(way))
}

async fn bind() -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(of_lab)
}

fn port(listener: &TcpListener) -> Result<u16, Error> {
    Ok(listener.local_addr().map_err(of_lab)?.port())
}

fn of_lab(source: std::io::Error) -> Error {
    Error::Io {
        what: "lab".to_owned(),
        source,
    }
}

/// A deployment with the settings of this one, an empty database, and no patience: what takes
/// minutes elsewhere is to be seen within seconds.
async fn throw_away(main: &State) -> Result<State, Error> {
    let mut config = main.config.clone();
    config.data.dir = config.data.dir.join("lab");
    match std::fs::remove_dir_all(&config.data.dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(of_lab(error)),
        _ => {}
    }
    config.database.url = String::new();
    config.secret.key = String::new();
    config.server.trusted_proxy_hops = 0;
    // The attacker's scripts name the cookie.
    config.session.cookie_suffix = String::new();
    config.session.renew_after_s = 1;
    config.session.renewal_grace_s = 1;
    // Every run makes an account, and all of them come from one address.
    config.limits.sign_ins_per_address = 100_000;
    config.limits.sign_ups_per_address = 100_000;
    let settings = Settings::given(config, main.leptos.clone());
    State::open(settings, Clock::system(), Random::system()).await
}

/// What went wrong, as a status: the lab's own answers need no words.
fn refuse(error: Error) -> StatusCode {
    let error = wire::Error::from(error);
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
