//! Two kinds of error and no third: ours, with sources, logged once and never shown; and theirs,
//! a small code of the wire.

use super::db::trouble::{self, Trouble};
use crate::wire;
use std::sync::atomic::{AtomicU32, Ordering};

/// What can go wrong inside the server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not ours: the caller is told this code, and nothing is logged.
    #[error("refused: {0:?}")]
    Theirs(wire::Error),
    /// The database refused, or is away.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A primitive failed.
    #[error("cryptography: {0}")]
    Crypto(&'static str),
    /// A stored password hash is not one that we would make or may afford to verify.
    #[error("stored password hash: {0}")]
    StoredHash(&'static str),
    /// A token could not be signed.
    #[error("token: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    /// A task ended without its answer.
    #[error("task: {0}")]
    Task(#[from] tokio::sync::oneshot::error::RecvError),
    /// A task was lost.
    #[error("task: {0}")]
    Lost(#[from] tokio::task::JoinError),
    /// A task that must run has ended early, and waits to be started again.
    #[error("the task {0} has ended early")]
    TaskStopped(&'static str),
    /// A file or socket of ours.
    #[error("{what}: {source}")]
    Io {
        /// What was being done with it.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A file of the embedded database was removed, moved or replaced while the server had it open.
    #[error(
        "{} is gone, or another file has its place: what is written now would be lost. Put the file back, or \
         start the server again.",
        .0.display()
    )]
    Gone(std::path::PathBuf),
    /// A setting that cannot be taken; the text is for the operator.
    #[error("{0}")]
    Config(String),
}

impl From<wire::Error> for Error {
    fn from(error: wire::Error) -> Self {
        Self::Theirs(error)
    }
}

impl Error {
    /// The database is away, locked or full, as opposed to having refused.
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Gone(_) => true,
            Self::Database(error) => trouble::of(error) != Trouble::Refused,
            _ => false,
        }
    }
}

/// The edge: what the caller is told, and the one place where the rest is logged.
impl From<Error> for wire::Error {
    fn from(error: Error) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        match error {
            Error::Theirs(error) => error,
            // Its end was logged.
            Error::TaskStopped(_) => Self::Unavailable,
            error if error.is_unavailable() => {
                tracing::error!(event = "database_unavailable", %error);
                Self::Unavailable
            }
            error => {
                // The process and a count: enough to find the line in the log, and nothing else.
                let count = COUNT.fetch_add(1, Ordering::Relaxed);
                let id = format!("{:x}-{count:x}", std::process::id());
                tracing::error!(event = "unexpected_error", id, %error);
                Self::Unexpected { id }
            }
        }
    }
}
