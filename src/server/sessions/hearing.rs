//! How a process hears of what others end, and whether it can: what is in memory is believed
//! only while it does (promise 3).
//!
//! On PostgreSQL the ending transaction notifies and every node listens. Each node also sends
//! itself a word, four times a second, by way of the database; its memory is believed for one
//! second after it sent the last word that came back, whatever became of the connection.
//!
//! On SQLite one process serves, and the operator's commands are others: each leaves a mark in a
//! file beside the database, whose length the server looks at.

use super::SessionCache;
use crate::server::{
    db::{Db, Tx},
    error::Error,
    secret::HashedSid,
    state::State,
};
use sqlx::{Connection, PgConnection, postgres::PgListener};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// The channel on PostgreSQL; what is said on it are hashes of sids, and keys with the time at which
/// they expire, separated by spaces.
const CHANNEL: &str = "cloakroom_sessions";
/// Words in one notification, whose text PostgreSQL bounds at 8,000 bytes.
const WORDS_AT_ONCE: usize = 150;
/// A node sends a word to itself this often.
const BEAT_EVERY: Duration = Duration::from_millis(250);
/// A word that was sent longer ago proves nothing, in milliseconds.
const HEARD_FOR_MS: i64 = 1_000;
/// A connection that says nothing for so long, or takes so long to be made, is made anew.
const DEAF_AFTER: Duration = Duration::from_secs(3);
/// What a word to oneself begins with; no hash does.
const BEAT: &str = "beat:";
/// Says that something is another which is held in memory and is no session.
const CHANGED: &str = "changed:";
/// What the word of a revoked key begins with; no hash does.
const KEY: &str = "key:";
/// Nothing has been heard.
const NEVER: i64 = i64::MIN / 2;

/// The ear of this process.
pub struct Hearing {
    /// This process serves, as opposed to doing one thing for an operator.
    is_serving: AtomicBool,
    began: Instant,
    /// How often something changed that is no session, or may have.
    changes: AtomicU64,
    way: Way,
}

enum Way {
    /// A file whose length tells how much other processes have ended.
    File {
        path: PathBuf,
        heard: AtomicU64,
        /// The length that it had when the revoked keys were last read.
        keys_heard: AtomicU64,
    },
    Postgres {
        url: String,
        /// When the last word that came back was sent, in milliseconds since this began.
        heard_ms: AtomicI64,
    },
}

impl Hearing {
    /// Of a process that does not serve yet.
    pub fn new(db: &Db, url: &str) -> Self {
        let way = match db.file() {
            None => Way::Postgres {
                url: url.to_owned(),
                heard_ms: AtomicI64::new(NEVER),
            },
            Some(file) => {
                let path = beside(file, "-ended");
                let heard = AtomicU64::new(length(&path));
                Way::File {
                    path,
                    heard,
                    keys_heard: AtomicU64::new(u64::MAX),
                }
            }
        };
        Self {
            is_serving: AtomicBool::new(false),
            began: Instant::now(),
            changes: AtomicU64::new(0),
            way,
        }
    }

    /// Whether what is in memory can be believed just now.
    pub fn is_good(&self, sessions: &SessionCache, db: &Db) -> bool {
        if !self.is_serving.load(Ordering::SeqCst) || db.is_closed() {
            return false;
        }
        match &self.way {
            Way::Postgres { heard_ms, .. } => {
                self.now_ms() < heard_ms.load(Ordering::SeqCst) + HEARD_FOR_MS
            }
            Way::File { path, heard, .. } => {
                let length = length(path);
                if length != heard.load(Ordering::SeqCst) {
                    // First forget, then say so: nobody may believe what is still there.
                    sessions.clear();
                    self.count_change();
                    heard.store(length, Ordering::SeqCst);
                }
                true
            }
        }
    }

    /// Whether the revoked keys in memory are all that there are just now. Where other processes
    /// leave marks, what they have revoked is read first.
    ///
    /// # Errors
    /// If that cannot be read.
    pub async fn knows_revoked_keys(&self, state: &State) -> Result<bool, Error> {
        if !self.is_serving.load(Ordering::SeqCst) || state.db.is_closed() {
            return Ok(false);
        }
        match &self.way {
            Way::Postgres { heard_ms, .. } => {
                Ok(self.now_ms() < heard_ms.load(Ordering::SeqCst) + HEARD_FOR_MS)
            }
            Way::File { .. } => self.load_revoked_keys(state).await.map(|()| true),
        }
    }

    /// Reads the revoked keys where marks tell that there are others than before. On PostgreSQL the
    /// listener does so whenever it begins to hear.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn load_revoked_keys(&self, state: &State) -> Result<(), Error> {
        let Way::File {
            path, keys_heard, ..
        } = &self.way
        else {
            return Ok(());
        };
        // A mark that is left while they are read makes the next request read them again.
        let length = length(path);
        if length != keys_heard.load(Ordering::SeqCst) {
            state.api_keys.revoked.load(state).await?;
            keys_heard.store(length, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Has the transaction tell the other nodes what sessions it touched and what keys it revoked;
    /// they hear it when, and only if, it commits.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn tell_nodes(
        &self,
        tx: &mut Tx,
        sessions: &[HashedSid],
        keys: &[(String, i64)],
    ) -> Result<(), Error> {
        if let Way::Postgres { .. } = self.way {
            let keys = keys
                .iter()
                .map(|(id, expires_at)| format!("{KEY}{id}:{expires_at}"));
            let words: Vec<String> = sessions
                .iter()
                .map(|sid| sid.as_str().to_owned())
                .chain(keys)
                .collect();
            for some in words.chunks(WORDS_AT_ONCE) {
                // As text, because the driver for both databases knows no type that is none.
                sqlx::query("SELECT CAST(pg_notify($1, $2) AS TEXT)")
                    .bind(CHANNEL)
                    .bind(some.join(" "))
                    .execute(&mut **tx)
                    .await?;
            }
        }
        Ok(())
    }

    /// Which change was the last. Whoever holds something in memory that is no session (clients,
    /// keys) takes this number before reading the rows, and believes what was read for as long as
    /// the number is the same and [`Self::is_good`].
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    fn count_change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// What is to be marked once a change is committed, if another process serves. Opened before
    /// the commit, so that a file that cannot be written keeps the change from being made.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn mark(&self) -> Result<Option<Mark>, Error> {
        let Way::File { path, .. } = &self.way else {
            return Ok(None);
        };
        if self.is_serving.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = path.clone();
        match options.open(&path) {
            Ok(file) => Ok(Some(Mark { file, path })),
            Err(source) => Err(io(&path, source)),
        }
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// A mark for the process that serves.
pub struct Mark {
    file: File,
    path: PathBuf,
}

impl Mark {
    /// Leaves it: the server forgets what it had in memory.
    ///
    /// # Errors
    /// If it cannot be written; the same command once more leaves it.
    pub fn leave(mut self) -> Result<(), Error> {
        let written = self.file.write_all(b".");
        written.map_err(|source| io(&self.path, source))
    }
}

/// Commits a change of what every node holds in memory and is no session. When it answers, this
/// process believes nothing older; the other nodes hear of it as of endings.
///
/// # Errors
/// If it could not be committed; then none of it is.
pub async fn commit_change(state: &State, mut tx: Tx) -> Result<(), Error> {
    if let Way::Postgres { .. } = state.hearing.way {
        sqlx::query("SELECT CAST(pg_notify($1, $2) AS TEXT)")
            .bind(CHANNEL)
            .bind(CHANGED)
            .execute(&mut *tx)
            .await?;
    }
    let mark = state.hearing.mark()?;
    let state = state.clone();
    // A task of its own: whoever asked may hang up between the commit and the count.
    let committing = tokio::spawn(async move {
        let committed = tx.commit().await;
        state.hearing.count_change();
        committed?;
        mark.map_or(Ok(()), Mark::leave)
    });
    committing.await?
}

/// Holds the lock of the one process that serves an embedded database, for as long as the file is
/// open: of what others end one process hears.
///
/// # Errors
/// If another has it.
pub fn serve_alone(db: &Db) -> Result<Option<File>, Error> {
    let Some(file) = db.file() else {
        return Ok(None);
    };
    let path = beside(file, "-serving");
    let mut options = File::options();
    let opened = options.create(true).append(true).open(&path);
    let lock = opened.map_err(|source| io(&path, source))?;
    lock.try_lock().map_err(|_| {
        Error::Config(format!(
            "Another server has the database {}; several need PostgreSQL.",
            file.display()
        ))
    })?;
    Ok(Some(lock))
}

fn beside(file: &Path, what: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(what);
    path.into()
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        what: path.display().to_string(),
        source,
    }
}

/// From now on this process serves. On PostgreSQL it listens until it ends.
pub fn listen(state: &State) {
    state.hearing.is_serving.store(true, Ordering::SeqCst);
    if let Way::Postgres { .. } = state.hearing.way {
        tokio::spawn(hear(state.clone()));
    }
}

/// Listens, connects anew when the connection is lost, and forgets what others have ended.
async fn hear(state: State) {
    let Way::Postgres { url, heard_ms } = &state.hearing.way else {
        return;
    };
    while !state.db.is_closed() {
        if let Ok(Ok((mut listener, mut speaker))) = timeout(DEAF_AFTER, connect(url)).await {
            tokio::select! {
                () = forget_what_is_ended(&state, &mut listener, heard_ms) => {}
                () = beat(&state, &mut speaker) => {}
            }
            heard_ms.store(NEVER, Ordering::SeqCst);
            tracing::warn!(
                event = "not_hearing_endings",
                "every check asks the database"
            );
        }
        tokio::time::sleep(BEAT_EVERY).await;
    }
}

async fn connect(url: &str) -> Result<(PgListener, PgConnection), sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    // The loss is to be known before the next connection is made.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    // Not one of those that requests wait for: they must not be able to make this node deaf.
    let speaker = PgConnection::connect(url).await?;
    Ok((listener, speaker))
}

/// Until nothing comes any more.
async fn forget_what_is_ended(state: &State, listener: &mut PgListener, heard_ms: &AtomicI64) {
    let mut is_first = true;
    while let Ok(Ok(Some(word))) = timeout(DEAF_AFTER, listener.try_recv()).await {
        if word.payload() == CHANGED {
            state.hearing.count_change();
            continue;
        }
        let Some(beat) = word.payload().strip_prefix(BEAT) else {
            word.payload()
                .split(' ')
                .for_each(|word| hear_word(state, word));
            state.back_channel.wake();
            continue;
        };
        let sent_ms = beat
            .strip_prefix(state.node.as_str())
            .and_then(|rest| rest.strip_prefix(':'))
            .and_then(|sent_ms| sent_ms.parse().ok());
        if let Some(sent_ms) = sent_ms {
            if is_first {
                // What was ended while nobody listened is unknown, so all of it is forgotten
                // before any of it is believed again, and the revoked keys are read.
                state.sessions.clear();
                if state.api_keys.revoked.load(state).await.is_err() {
                    return;
                }
                state.hearing.count_change();
                is_first = false;
                tracing::info!(event = "hearing_endings");
            }
            heard_ms.store(sent_ms, Ordering::SeqCst);
        }
    }
}

/// A session that another node has touched, or a key that it has revoked.
fn hear_word(state: &State, word: &str) {
    let Some(key) = word.strip_prefix(KEY) else {
        return state.sessions.forget(&HashedSid::from_row(word.to_owned()));
    };
    let key = key
        .rsplit_once(':')
        .and_then(|(id, expires_at)| Some((id.to_owned(), expires_at.parse().ok()?)));
    state.api_keys.revoked.add(key, state.clock.now_s());
}

/// Sends words to oneself, until one cannot be sent.
async fn beat(state: &State, speaker: &mut PgConnection) {
    loop {
        let word = format!("{BEAT}{}:{}", state.node, state.hearing.now_ms());
        let said = sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(word)
            .execute(&mut *speaker);
        if !matches!(timeout(DEAF_AFTER, said).await, Ok(Ok(_))) {
            return;
        }
        tokio::time::sleep(BEAT_EVERY).await;
    }
}
