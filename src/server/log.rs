//! The log: lines on standard error. One that cannot be written is lost, and stops nothing.

mod lines;

pub use lines::Lines;

use super::{
    config::{Log, LogFormat, LogLevel},
    error::Error,
};
use std::{backtrace::BacktraceStatus, io::IsTerminal, panic};
use tracing_subscriber::EnvFilter;

/// Variable that goes over the level of the settings.
const VARIABLE: &str = "RUST_LOG";

/// Begins to write it, as the settings and `RUST_LOG` say.
///
/// # Errors
/// If `RUST_LOG` cannot be read.
pub fn begin(settings: &Log) -> Result<Lines, Error> {
    let filter = filter(settings.level)?;
    let lines = Lines::start();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines.clone())
        // Such errors would go to standard error by a macro that panics where it cannot be written.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    match settings.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init(),
    }
    panic::set_hook(Box::new(log_panic));
    Ok(lines)
}

/// Chooses what is logged.
fn filter(level: LogLevel) -> Result<EnvFilter, Error> {
    let set = std::env::var(VARIABLE).ok();
    if let Some(set) = set.filter(|text| !text.trim().is_empty()) {
        return EnvFilter::try_new(&set).map_err(|error| {
            Error::Config(format!(
                "{VARIABLE}: expected a level or levels of parts, such as info or info,sqlx=debug (got \"{}\"): \
                 {error}",
                set.escape_debug()
            ))
        });
    }
    // Notices of PostgreSQL come at its own level, and say nothing of use at the start.
    let with_notices = |level| format!("{level},sqlx::postgres::notice=warn");
    Ok(EnvFilter::new(match level {
        LogLevel::Error => "error".to_owned(),
        LogLevel::Warn => "warn".to_owned(),
        LogLevel::Info => with_notices("info"),
        LogLevel::Debug => with_notices("debug"),
        LogLevel::Trace => with_notices("trace"),
    }))
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
