//! What is done: everything that a browser must never see.

pub mod activity;
pub mod answer;
pub mod api_keys;
pub mod caller;
mod clear_site_data;
mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod cookie;
mod cookie_check;
pub mod db;
mod deployment;
mod doctor;
pub mod documents;
pub mod doors;
pub mod error;
mod exchange;
mod failures;
pub mod fields;
pub mod forms;
pub mod forward_auth;
mod forwarded;
pub mod grants;
pub mod headers;
mod health;
mod jws;
mod known_browsers;
#[cfg(feature = "lab")]
mod lab;
pub mod later;
pub mod limits;
pub mod listen;
mod log;
mod nodes;
#[cfg(feature = "lab")]
pub mod notes;
pub mod oidc;
mod opener;
pub mod page_account;
pub mod passwords;
mod private;
pub mod prune;
pub mod purpose;
pub mod random;
mod restored;
pub mod retention;
pub mod router;
pub mod secret;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
mod speculation;
pub mod stand_ins;
pub mod state;
pub mod tasks;
pub mod users;
mod v1;
mod walls;

use clap::Parser;
use std::{io::Write, process::ExitCode};

/// Reads the command line and does what it says. An error is one line on standard error: of a server that
/// has begun its log, a line of the log.
pub fn run() -> ExitCode {
    let cli = cli::Cli::parse();
    let is_server = cli.is_server();
    let begun = cli.settings().and_then(|settings| {
        let given = settings
            .as_ref()
            .map(|settings| settings.config.log.clone());
        let log = log::begin(&given.unwrap_or_default())?;
        Ok((settings, log))
    });
    let (settings, log) = match begun {
        Ok(begun) => begun,
        Err(error) => return complain(&error),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(cli::run(cli, settings)),
        Err(source) => Err(error::Error::Io {
            what: "runtime".to_owned(),
            source,
        }),
    };
    let code = match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_server => {
            tracing::error!(event = "stopped", %error);
            ExitCode::FAILURE
        }
        Err(error) => {
            // The error is the last line.
            log.flush();
            complain(&error)
        }
    };
    log.flush();
    code
}

/// Prints the one line of an error for an operator who waits for it.
fn complain(error: &error::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "cloakroom: {error}");
    ExitCode::FAILURE
}
