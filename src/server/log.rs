//! The log: lines on standard error.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Begins to write it. `RUST_LOG` says how much.
pub fn begin() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx::postgres::notice=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
