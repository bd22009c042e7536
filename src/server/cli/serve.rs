//! `cloakroom serve`: from the settings to the last request.

use super::{descriptors, signals::Signals};
use crate::server::{
    clock::Clock, error::Error, listen, nodes, random::Random, router::router, sessions,
    settings::Settings, state::State,
};
use std::path::Path;

/// Serves until a signal asks it to stop.
///
/// # Errors
/// If it cannot start, or what waits cannot be written at the end.
pub async fn serve(settings: Settings) -> Result<(), Error> {
    let address = settings.leptos.site_addr;
    let state = State::open(settings, Clock::system(), Random::system()).await?;
    let refused = |source| Error::Io {
        what: format!("listen on {address}"),
        source,
    };
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(refused)?;
    // Port 0 asks the system for one.
    let address = listener.local_addr().map_err(refused)?;
    let _alone = sessions::serve_alone(&state.db)?;
    nodes::join(&state).await?;
    // Before the log says that it listens: a service manager may ask it to stop from then on.
    let signals = Signals::listen().map_err(|source| Error::Io {
        what: "signals".to_owned(),
        source,
    })?;
    descriptors::warn_if_few(&state.config);
    warn_if_site_is_missing(&state);
    state.begin_to_serve();
    tracing::info!(event = "listening", %address);
    if address.ip().is_loopback() {
        tracing::info!(
            event = "cookie_is_shared_between_ports",
            cookie = state.cookie_names.session,
            "browsers send this cookie to every port of this host: another server here needs \
             another session.cookie_suffix, or each signs the users of the other out"
        );
    }
    let router = router(state.clone());
    #[cfg(feature = "lab")]
    let router = crate::server::lab::open(router, &state).await?;
    let stopped = signals.stopped(&state);
    listen::serve(listener, router, &state, stopped).await?;
    state.end_serving().await
}

/// Logs that the built site is not where the settings say: pages then have no style and no program.
fn warn_if_site_is_missing(state: &State) {
    let folder = &*state.leptos.site_root;
    if !Path::new(folder).is_dir() {
        tracing::warn!(
            event = "site_missing",
            folder,
            "there is no folder of the built site, so that pages have no style and no program: copy it \
             beside the binary, or set LEPTOS_SITE_ROOT"
        );
    }
}
