//! The keys that are refused although their signature is right: all of them, in memory of every
//! node, until they have expired. `hearing/` says when that can be believed.

use crate::server::{error::Error, state::State};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockWriteGuard},
};

/// Those that have expired leave at most this often, in seconds.
const SWEEP_EVERY_S: i64 = 60;

/// Ids of revoked keys. It only grows by what has been committed, and shrinks by what has expired:
/// loading it once more never lets a key in again. One account has few keys (`mint.rs`), so that
/// nobody can fill the memory with them.
#[derive(Default)]
pub struct Revoked(RwLock<Known>);

#[derive(Default)]
struct Known {
    /// When each expires, in Unix seconds.
    expire_at: HashMap<String, i64>,
    swept_at: i64,
}

impl Revoked {
    /// Whether this key is one of them.
    pub fn contains(&self, id: &str) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.expire_at.contains_key(id)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.expire_at.len()
    }

    /// These are refused from now on, until they expire.
    pub fn add(&self, keys: impl IntoIterator<Item = (String, i64)>, now: i64) {
        let mut known = self.write();
        known.expire_at.extend(keys);
        if now >= known.swept_at + SWEEP_EVERY_S {
            known.swept_at = now;
            known.expire_at.retain(|_, expires_at| *expires_at > now);
        }
    }

    /// Reads all of them anew.
    ///
    /// # Errors
    /// If the database does not answer; what was known stays.
    pub async fn load(&self, state: &State) -> Result<(), Error> {
        let now = state.clock.now_s();
        let keys: Vec<(String, i64)> = sqlx::query_as(
            "SELECT id, expires_at FROM api_keys WHERE revoked_at IS NOT NULL AND expires_at > $1",
        )
        .bind(now)
        .fetch_all(state.db.pool())
        .await?;
        self.add(keys, now);
        Ok(())
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
