//! How a process hears of what others end, and whether it can: what is in memory is believed
//! only while it does (promise 3).
//!
//! On PostgreSQL (`channel.rs`) the ending transaction notifies and every node listens. Each node
//! also sends itself a word, four times a second, by way of the database; its memory is believed
//! for one second after it sent the last word that came back, whatever became of the connection.
//!
//! On SQLite (`marks.rs`) one process serves, and the operator's commands are others: each leaves a
//! mark in a file beside the database, and the server looks whether that is still what it was.

mod channel;
mod marks;

pub use marks::{is_served, serve_alone};

use super::SessionCache;
use crate::server::{
    api_keys::Refused,
    db::{Db, Tx},
    error::Error,
    secret::HashedSid,
    state::State,
    tasks::supervise,
};
use marks::{Look, Marks};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};
use tokio::time::Instant;

/// A word that was sent longer ago proves nothing, in milliseconds.
const HEARD_FOR_MS: i64 = 1_000;
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
    /// What other processes leave, and how it was when the memory was last emptied.
    File {
        marks: Marks,
        heard: Mutex<Option<Look>>,
        /// How it was when the revoked keys were last read.
        keys_heard: Mutex<Option<Look>>,
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
            Some(file) => Way::File {
                marks: Marks::of(file),
                heard: Mutex::default(),
                keys_heard: Mutex::default(),
            },
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
            Way::Postgres { heard_ms, .. } => self.hears_itself(heard_ms),
            Way::File { marks, heard, .. } => {
                let Ok(look) = marks.look() else {
                    // Nothing is believed, and what waits for a change looks for itself.
                    self.count_change();
                    return false;
                };
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                if heard.as_ref() != Some(&look) {
                    // First forget, then say so: nobody may believe what is still there.
                    sessions.clear();
                    self.count_change();
                    *heard = Some(look);
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
            Way::Postgres { heard_ms, .. } => Ok(self.hears_itself(heard_ms)),
            Way::File { .. } => self.load_revoked_keys(state).await,
        }
    }

    /// Reads the revoked keys where marks tell that there are others than before. Answers whether
    /// marks can be seen; on PostgreSQL there are none, and the listener reads the keys whenever it
    /// begins to hear.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn load_revoked_keys(&self, state: &State) -> Result<bool, Error> {
        let Way::File {
            marks, keys_heard, ..
        } = &self.way
        else {
            return Ok(false);
        };
        // A mark that is left while they are read makes the next request read them again.
        let Ok(look) = marks.look() else {
            return Ok(false);
        };
        let heard = || keys_heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard().as_ref() != Some(&look) {
            state.api_keys.revoked.load(state).await?;
            *heard() = Some(look);
        }
        Ok(true)
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
        keys: &[Refused],
    ) -> Result<(), Error> {
        match self.way {
            Way::Postgres { .. } => channel::tell_ended(tx, sessions, keys).await,
            Way::File { .. } => Ok(()),
        }
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

    /// Whether a mark could be left for the process that serves, if that is another. To be asked
    /// before a commit: what could not be heard does not happen.
    ///
    /// # Errors
    /// If it could not.
    pub fn require_mark(&self) -> Result<(), Error> {
        self.marks_for_another()
            .map_or(Ok(()), |marks| marks.open().map(drop))
    }

    /// Marks a change that is committed, for the process that serves if that is another.
    ///
    /// # Errors
    /// If it cannot be written; the same command once more leaves it.
    pub fn leave_mark(&self) -> Result<(), Error> {
        self.marks_for_another().map_or(Ok(()), Marks::leave)
    }

    fn marks_for_another(&self) -> Option<&Marks> {
        match &self.way {
            Way::File { marks, .. } if !self.is_serving.load(Ordering::SeqCst) => Some(marks),
            _ => None,
        }
    }

    fn hears_itself(&self, heard_ms: &AtomicI64) -> bool {
        self.now_ms() < heard_ms.load(Ordering::SeqCst) + HEARD_FOR_MS
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// Commits a change of what every node holds in memory and is no session. When it answers, this
/// process believes nothing older; the other nodes hear of it as of endings.
///
/// # Errors
/// If it could not be committed; then none of it is. Or if it could not be marked; the same command
/// once more does that.
pub async fn commit_change(state: &State, mut tx: Tx) -> Result<(), Error> {
    if let Way::Postgres { .. } = state.hearing.way {
        channel::tell_changed(&mut tx).await?;
    }
    state.hearing.require_mark()?;
    let state = state.clone();
    // A task of its own: whoever asked may hang up between the commit and the count.
    let committing = tokio::spawn(async move {
        let committed = tx.commit().await;
        state.hearing.count_change();
        committed?;
        state.hearing.leave_mark()
    });
    committing.await?
}

/// From now on this process serves. On PostgreSQL it listens until it ends.
pub fn listen(state: &State) {
    state.hearing.is_serving.store(true, Ordering::SeqCst);
    if let Way::Postgres { .. } = state.hearing.way {
        supervise(state, "listener", channel::hear);
    }
}
