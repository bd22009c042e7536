//! What may be written a little later, together: when sessions and keys were last used, and
//! sign-ins that failed. None makes a request wait for the disk, and a wrong password takes no longer at an
//! account that there is than at one that there is not.

use super::{
    activity::{self, Visitor},
    api_keys,
    error::Error,
    failures::{Failed, Failures},
    limits::Account,
    prune::prune,
    retention,
    state::State,
    tasks::supervise,
    users,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Written this often, and when the server stops.
const EVERY: Duration = Duration::from_secs(5);
/// After so many writes, ten minutes, what nobody can use any more is thrown away.
const PRUNED_AFTER: u32 = 120;
/// Rows in one transaction: others want to write as well.
const AT_ONCE: usize = 500;

/// What waits.
#[derive(Default)]
pub struct Later {
    /// When API keys were last used.
    pub keys: api_keys::Used,
    waiting: Mutex<Waiting>,
    /// One flush at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    /// Session id and when it was last seen, in Unix seconds.
    seen: HashMap<String, i64>,
    /// What is being written just now.
    being_written: HashMap<String, i64>,
    failed: Failures,
}

impl Later {
    /// A session was used at this time, in Unix seconds.
    pub fn note_seen(&self, session_id: &str, at: i64) {
        self.waiting().seen.insert(session_id.to_owned(), at);
    }

    /// When this process saw a session last, as far as that is not written yet.
    pub fn seen_at(&self, session_id: &str) -> Option<i64> {
        let waiting = self.waiting();
        let newer = waiting.seen.get(session_id);
        newer
            .or_else(|| waiting.being_written.get(session_id))
            .copied()
    }

    /// Notes a wrong password for this account.
    pub fn note_failed(&self, user_id: &str, at_ms: i64, visitor: &Visitor) {
        let failed = Failed {
            at_ms,
            how_many: 1,
            visitor: Some(visitor.clone()),
        };
        self.waiting().failed.add(user_id, failed);
    }

    /// Writes what waits. What cannot be written goes on waiting.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn flush(&self, state: &State) -> Result<(), Error> {
        // A task of its own: it must not be lost in the middle with the request that asked.
        let state = state.clone();
        let writing = tokio::spawn(async move {
            let later = &state.later;
            let _turn = later.turn.lock().await;
            later.flush_failed(&state).await?;
            flush_refused(&state).await?;
            later.flush_seen(&state).await?;
            later.keys.flush(&state).await
        });
        writing.await?
    }

    async fn flush_failed(&self, state: &State) -> Result<(), Error> {
        let failed = std::mem::take(&mut self.waiting().failed);
        if failed.is_empty() {
            return Ok(());
        }
        let written = async {
            let mut tx = state.db.write().await?;
            // Nodes that wrote in orders of their own would wait for each other.
            let mut failed: Vec<_> = failed.iter().collect();
            failed.sort_by_key(|(user_id, _)| *user_id);
            for (user_id, failed) in failed {
                for failed in failed {
                    activity::add_failures(state, &mut tx, user_id, failed).await?;
                }
            }
            Ok(tx.commit().await?)
        };
        let written = written.await;
        if written.is_err() {
            self.waiting().failed.put_back(failed);
        }
        written
    }

    async fn flush_seen(&self, state: &State) -> Result<(), Error> {
        {
            let mut waiting = self.waiting();
            let seen = std::mem::take(&mut waiting.seen);
            // What an earlier flush could not write is written now.
            waiting.being_written.extend(seen);
        }
        loop {
            let some: Vec<(String, i64)> = {
                let waiting = self.waiting();
                let all = waiting.being_written.iter();
                all.take(AT_ONCE)
                    .map(|(id, at)| (id.clone(), *at))
                    .collect()
            };
            if some.is_empty() {
                return Ok(());
            }
            if state.db.file().is_some() {
                // One wait for the disk for all of them.
                let mut tx = state.db.write().await?;
                for (id, at) in &some {
                    write_seen(&mut *tx, id, *at).await?;
                }
                tx.commit().await?;
            } else {
                // Each by itself: nodes that hold many rows at once would wait for each other.
                for (id, at) in &some {
                    write_seen(state.db.pool(), id, *at).await?;
                }
            }
            let mut waiting = self.waiting();
            for (id, _) in &some {
                waiting.being_written.remove(id);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells owners of tries at their accounts that were refused.
async fn flush_refused(state: &State) -> Result<(), Error> {
    let refused = &state.limits.refused;
    refused.log_if_due();
    let accounts = refused.take_accounts();
    if accounts.is_empty() {
        return Ok(());
    }
    let written = async {
        let mut tx = state.db.write().await?;
        let mut written = Vec::new();
        for (account, refusals) in &accounts {
            let user_id = match (account, &refusals.email) {
                (Account::User(user_id), _) => Some(user_id.clone()),
                (Account::Key(_), Some(email)) => users::id_of(&mut tx, email).await?,
                (Account::Key(_), None) => None,
            };
            written.extend(user_id.map(|user_id| (user_id, refusals)));
        }
        // Nodes that wrote in orders of their own would wait for each other.
        written.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (user_id, refusals) in written {
            activity::add_refusals(state, &mut tx, &user_id, refusals).await?;
        }
        Ok(tx.commit().await?)
    };
    let written = written.await;
    if written.is_err() {
        for (account, refusals) in accounts {
            refused.add(account, refusals);
        }
    }
    written
}

async fn write_seen<'a>(
    executor: impl sqlx::Executor<'a, Database = sqlx::Any>,
    session_id: &str,
    at: i64,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE sessions SET last_seen_at = $1 \
         WHERE id = $2 AND last_seen_at < $1 AND ended_at IS NULL",
    )
    .bind(at)
    .bind(session_id)
    .execute(executor)
    .await?;
    Ok(())
}

/// Writes what waits now and then, until the server stops.
pub fn write_now_and_then(state: &State) {
    supervise(state, "write_behind", |state| async move {
        let mut turns = 0_u32;
        let mut is_more = false;
        while !state.db.is_closed() {
            tokio::time::sleep(EVERY).await;
            // A full disk must not keep out whoever is signed in; it is tried again.
            if let Err(error) = state.later.flush(&state).await {
                tracing::warn!(event = "not_written_yet", %error);
            }
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(PRUNED_AFTER)
                && let Err(error) = prune(&state).await
            {
                tracing::warn!(event = "not_thrown_away_yet", %error);
            }
            // A backlog goes on at the next turn.
            if is_more || turns.is_multiple_of(PRUNED_AFTER) {
                match retention::sweep(&state).await {
                    Ok(swept) => is_more = swept.is_more,
                    Err(error) => tracing::warn!(event = "retention_failed", %error),
                }
            }
        }
    });
}
