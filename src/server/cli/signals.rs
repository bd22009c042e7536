//! Signals of a service manager and of a terminal.

use crate::server::state::State;
use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that are waited for instead of ending the process.
pub struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    hang_up: Signal,
}

impl Signals {
    /// Listens for them from this call on.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until the server is to refuse connections: at once after SIGINT, and after SIGTERM when
    /// `server.drain_s` has passed or another signal to stop has come.
    #[cfg(unix)]
    pub async fn stopped(mut self, state: &State) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => break,
                _ = self.hang_up.recv() => tracing::info!(
                    event = "hang_up_ignored",
                    "SIGHUP changes nothing: settings are read at the start alone"
                ),
            }
        }
        let drain_s = state.config.server.drain_s;
        if drain_s == 0 {
            return;
        }
        state.begin_to_drain();
        tracing::info!(
            event = "draining",
            drain_s,
            "asked to stop: /health/ready answers 503, and requests are served meanwhile"
        );
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(u64::from(drain_s))) => {}
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    pub async fn stopped(self, _: &State) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
