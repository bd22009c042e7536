//! `cloakroom serve`: from the settings to the last request.

use crate::server::{
    clock::Clock, error::Error, listen, random::Random, router::router, sessions,
    settings::Settings, state::State,
};

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
    // Before the log says that it listens: a service manager may ask it to stop from then on.
    let stopped = stop_signals().map_err(|source| Error::Io {
        what: "signals".to_owned(),
        source,
    })?;
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
    listen::serve(listener, router, &state, stopped).await?;
    state.end_serving().await
}

/// Listens for Ctrl-C and for a service manager's request to stop, from this call on. The future is
/// ready when either came.
fn stop_signals() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let (mut interrupt, mut terminate) = {
        use tokio::signal::unix::{SignalKind, signal};
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
