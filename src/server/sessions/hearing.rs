//! How a process hears of what others end, and whether it can: what is in memory is believed
//! only while it does (promise 3).
//!
//! On PostgreSQL the ending transaction notifies and every node listens. On SQLite one process
//! serves, and the operator's commands are others: each leaves a mark in a file of the data
//! folder, whose length the server looks at.

use super::SessionCache;
use crate::server::{
    db::{Db, Tx},
    error::Error,
    secret::HashedSid,
    state::State,
};
use sqlx::postgres::PgListener;
use std::{
    fs::OpenOptions,
    io::Write,
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokio::sync::Notify;

/// The channel on PostgreSQL; what is said on it are hashes of sids, separated by spaces.
const CHANNEL: &str = "cloakroom_sessions";
/// Hashes in one notification, whose text PostgreSQL bounds at 8,000 bytes.
const KEYS_AT_ONCE: usize = 150;
/// A node sends a word to itself this often, by way of the database.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// It is deaf when it has not heard for so many beats.
const BEATS_MISSED: u32 = 4;
/// A connection that takes longer is tried anew.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The word.
const BEAT: &str = "beat";

/// The ear of this process.
pub struct Hearing {
    /// This process serves, as opposed to doing one thing for an operator.
    is_serving: AtomicBool,
    way: Way,
}

enum Way {
    /// A file whose length tells how much other processes have ended.
    File { path: PathBuf, heard: AtomicU64 },
    Postgres {
        url: String,
        is_heard: AtomicBool,
        /// Words heard so far.
        words: AtomicU64,
        /// Told when the connection is to be made anew.
        is_deaf: Notify,
    },
}

impl Hearing {
    /// Of a process that does not serve yet.
    pub fn new(db: &Db, url: &str, data_dir: &std::path::Path) -> Self {
        let way = if db.is_postgres() {
            Way::Postgres {
                url: url.to_owned(),
                is_heard: AtomicBool::new(false),
                words: AtomicU64::new(0),
                is_deaf: Notify::new(),
            }
        } else {
            let path = data_dir.join("ended");
            let heard = AtomicU64::new(length(&path));
            Way::File { path, heard }
        };
        Self {
            is_serving: AtomicBool::new(false),
            way,
        }
    }

    /// Whether what is in memory can be believed just now.
    pub fn is_good(&self, sessions: &SessionCache, db: &Db) -> bool {
        if !self.is_serving.load(Ordering::SeqCst) || db.is_closed() {
            return false;
        }
        match &self.way {
            Way::Postgres { is_heard, .. } => is_heard.load(Ordering::SeqCst),
            Way::File { path, heard } => {
                let length = length(path);
                if length != heard.load(Ordering::SeqCst) {
                    // First forget, then say so: nobody may believe what is still there.
                    sessions.clear();
                    heard.store(length, Ordering::SeqCst);
                }
                true
            }
        }
    }

    /// Has the transaction tell the other nodes; they hear it when, and only if, it commits.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn tell_nodes(&self, tx: &mut Tx, keys: &[HashedSid]) -> Result<(), Error> {
        if let Way::Postgres { .. } = self.way {
            for some in keys.chunks(KEYS_AT_ONCE) {
                let some: Vec<&str> = some.iter().map(HashedSid::as_str).collect();
                say(&mut **tx, &some.join(" ")).await?;
            }
        }
        Ok(())
    }

    /// Tells the process that serves, if that is another, of what has been committed.
    ///
    /// # Errors
    /// If the mark cannot be left.
    pub fn tell_process(&self) -> Result<(), Error> {
        match &self.way {
            Way::File { path, .. } if !self.is_serving.load(Ordering::SeqCst) => {
                let mut options = OpenOptions::new();
                options.create(true).append(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let marked = options.open(path).and_then(|mut file| file.write_all(b"."));
                marked.map_err(|source| Error::Io {
                    what: path.display().to_string(),
                    source,
                })
            }
            _ => Ok(()),
        }
    }
}

fn length(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

/// Notifies: within a transaction, when that commits.
async fn say<'a>(
    executor: impl sqlx::Executor<'a, Database = sqlx::Any>,
    words: &str,
) -> Result<(), Error> {
    // As text, because the driver for both databases knows no type that is none.
    sqlx::query("SELECT CAST(pg_notify($1, $2) AS TEXT)")
        .bind(CHANNEL)
        .bind(words)
        .execute(executor)
        .await?;
    Ok(())
}

/// From now on this process serves. On PostgreSQL it listens until it ends.
pub fn listen(state: &State) {
    state.hearing.is_serving.store(true, Ordering::SeqCst);
    if let Way::Postgres { .. } = state.hearing.way {
        tokio::spawn(hear(state.clone()));
        tokio::spawn(beat(state.clone()));
    }
}

/// Listens, connects anew when the connection is lost, and forgets what others have ended.
async fn hear(state: State) {
    let Way::Postgres {
        url,
        is_heard,
        words,
        is_deaf,
    } = &state.hearing.way
    else {
        return;
    };
    while !state.db.is_closed() {
        if let Ok(Ok(mut listener)) = tokio::time::timeout(CONNECT_WITHIN, connect(url)).await {
            // What was ended while nobody listened is unknown, so all of it is forgotten before
            // any of it is believed again.
            state.sessions.clear();
            is_heard.store(true, Ordering::SeqCst);
            tracing::info!(event = "hearing_endings");
            loop {
                let heard = tokio::select! {
                    heard = listener.try_recv() => heard,
                    () = is_deaf.notified() => break,
                };
                let Ok(Some(word)) = heard else { break };
                if word.payload() != BEAT {
                    for key in word.payload().split(' ') {
                        state.sessions.forget(&HashedSid::from_row(key.to_owned()));
                    }
                }
                words.fetch_add(1, Ordering::SeqCst);
            }
            is_heard.store(false, Ordering::SeqCst);
            tracing::warn!(
                event = "not_hearing_endings",
                "every check asks the database"
            );
        }
        tokio::time::sleep(BEAT_EVERY).await;
    }
}

async fn connect(url: &str) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    // The loss is to be known before the next connection is made.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Sends a word by way of the database, so that a connection that has died without a sign is
/// noticed: what does not come back has not been heard.
async fn beat(state: State) {
    let Way::Postgres {
        is_heard,
        words,
        is_deaf,
        ..
    } = &state.hearing.way
    else {
        return;
    };
    let (mut before, mut missed) = (0, 0);
    while !state.db.is_closed() {
        // A word that cannot be sent is one that does not come back.
        let _ = tokio::time::timeout(BEAT_EVERY, say(state.db.background(), BEAT)).await;
        tokio::time::sleep(BEAT_EVERY).await;
        let now = words.load(Ordering::SeqCst);
        missed = if now == before { missed + 1 } else { 0 };
        before = now;
        if missed >= BEATS_MISSED && is_heard.swap(false, Ordering::SeqCst) {
            is_deaf.notify_one();
        }
    }
}
