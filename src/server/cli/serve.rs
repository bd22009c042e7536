//! `cloakroom serve`: from the settings to the last request.

use super::{descriptors, signals::Signals};
use crate::server::{
    clock::Clock, db, error::Error, listen, private, purpose::Purpose, random::Random,
    router::router, sessions, settings::Settings, state::State,
};
use std::{net::SocketAddr, path::Path};

/// Serves until a signal asks it to stop. It takes the port and the lock of an embedded database before it
/// touches anything else: a second server changes nothing of the first one's.
///
/// # Errors
/// If it cannot start, or what waits cannot be written at the end.
pub async fn serve(settings: Settings) -> Result<(), Error> {
    let address = settings.leptos.site_addr;
    let refused = |source| Error::Io {
        what: format!(
            "{address}: the server cannot listen there; stop what does, or set another LEPTOS_SITE_ADDR"
        ),
        source,
    };
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(refused)?;
    // Port 0 asks the system for one.
    let address = listener.local_addr().map_err(refused)?;
    let file = db::sqlite::find(&settings.config, Purpose::Serve)?;
    let _alone = file.as_deref().map(sessions::serve_alone).transpose()?;
    log_start(&settings, file.as_deref(), address)?;
    let state = State::open(settings, Clock::system(), Random::system()).await?;
    // Before the log says that it listens: a service manager may ask it to stop from then on.
    let signals = Signals::listen().map_err(|source| Error::Io {
        what: "signals".to_owned(),
        source,
    })?;
    descriptors::warn_if_few(&state.config);
    warn_if_site_is_missing(&state);
    state.begin_to_serve().await?;
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

/// Logs the version, the settings file, the database and the data folder, before any of them is tried.
///
/// # Errors
/// If the address of the database is none.
fn log_start(settings: &Settings, file: Option<&Path>, address: SocketAddr) -> Result<(), Error> {
    let config = &settings.config;
    let read = settings.file.as_deref().map(private::absolute);
    let keeps_no_files = !config.database.url.is_empty() && !config.secret.key.is_empty();
    let data = if keeps_no_files {
        "not used".to_owned()
    } else {
        private::absolute(&config.data.dir)
    };
    tracing::info!(
        event = "starting",
        version = env!("CARGO_PKG_VERSION"),
        database = db::name(&db::address(&config.database_url())?, file),
        settings = read.as_deref().unwrap_or("no file"),
        data,
        %address,
        // There is no setting that closes it.
        sign_up = "open",
        "Cloakroom starts"
    );
    Ok(())
}
