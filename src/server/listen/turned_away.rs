//! Log lines about connections that are not served: one a minute of each kind, however many there are.

use crate::server::clock::{Clock, NowAndThen};
use std::io::{Error, ErrorKind};

/// Seconds between two lines of one kind.
const LINE_EVERY_S: i64 = 60;

/// Lines about connections that are not served.
#[derive(Default)]
pub(super) struct TurnedAway {
    failures: NowAndThen,
    limits: NowAndThen,
}

impl TurnedAway {
    /// Logs that a connection cannot be accepted.
    pub fn log_failure(&self, clock: &Clock, error: &Error) {
        if self.failures.is_due(clock, LINE_EVERY_S) {
            tracing::error!(
                event = "connections_not_accepted",
                %error,
                "connections wait until there are file descriptors again: raise the limit of the \
                 process (LimitNOFILE= of systemd, ulimit -n), or lower server.max_connections. Logged \
                 once a minute"
            );
        }
    }

    /// Logs that a connection was closed because as many as allowed are open.
    pub fn log_limit(&self, clock: &Clock, max_connections: u32) {
        if self.limits.is_due(clock, LINE_EVERY_S) {
            tracing::warn!(
                event = "connections_at_limit",
                max_connections,
                "a connection was closed at once, since server.max_connections are open. Logged once a \
                 minute"
            );
        }
    }
}

/// Whether accepting failed because the client had gone already.
pub(super) fn is_of_client(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}
