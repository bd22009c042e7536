//! When keys were last used: gathered, and written by `later.rs`, never on the request.

use crate::server::{error::Error, state::State};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Written at most this often for one key, in seconds.
const EVERY_S: i64 = 60;

/// Last uses, by the key's id.
#[derive(Default)]
pub struct Used(Mutex<HashMap<String, Use>>);

/// In Unix seconds.
struct Use {
    at: i64,
    written_at: Option<i64>,
}

impl Use {
    fn is_due(&self, now: i64) -> bool {
        self.written_at
            .is_none_or(|written_at| self.at > written_at && now >= written_at + EVERY_S)
    }
}

impl Used {
    /// A key was used at this time, in Unix seconds.
    pub fn note(&self, id: &str, now: i64) {
        let mut uses = self.uses();
        if let Some(used) = uses.get_mut(id) {
            used.at = used.at.max(now);
        } else {
            let written_at = None;
            uses.insert(
                id.to_owned(),
                Use {
                    at: now,
                    written_at,
                },
            );
        }
    }

    /// When this process saw a key last, if it did lately; Unix seconds.
    pub fn at(&self, id: &str) -> Option<i64> {
        self.uses().get(id).map(|used| used.at)
    }

    /// Writes what is worth it. What cannot be written goes on waiting.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn flush(&self, state: &State) -> Result<(), Error> {
        let now = state.clock.now_s();
        let mut due: Vec<(String, i64)> = {
            let mut uses = self.uses();
            // What is written and no longer used need not be remembered.
            uses.retain(|_, used| used.written_at != Some(used.at) || now < used.at + EVERY_S);
            uses.iter()
                .filter(|(_, used)| used.is_due(now))
                .map(|(id, used)| (id.clone(), used.at))
                .collect()
        };
        // In one order, so that nodes do not wait for each other.
        due.sort();
        if due.is_empty() {
            return Ok(());
        }
        let mut tx = state.db.write().await?;
        for (id, at) in &due {
            sqlx::query(
                "UPDATE api_keys SET last_used_at = $1 \
                 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
            )
            .bind(*at)
            .bind(id)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        let mut uses = self.uses();
        for (id, at) in due {
            if let Some(used) = uses.get_mut(&id) {
                used.written_at = Some(at);
            }
        }
        Ok(())
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<String, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
