//! The log: lines on standard error. One that cannot be written is lost, and stops nothing.

mod lines;

pub use lines::Lines;

use std::{backtrace::BacktraceStatus, io::IsTerminal, panic};
use tracing_subscriber::EnvFilter;

/// Begins to write it. `RUST_LOG` says how much.
pub fn begin() -> Lines {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx::postgres::notice=warn"));
    let lines = Lines::start();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines.clone())
        // Such errors would go to standard error by a macro that panics where it cannot be written.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    panic::set_hook(Box::new(log_panic));
    lines
}

/// Logs a panic as any other event: the hook of the standard library waits for the log's reader.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let backtrace = std::backtrace::Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        event = "panic",
        place,
        reason = panic.payload_as_str().unwrap_or("no text"),
        backtrace
    );
}
