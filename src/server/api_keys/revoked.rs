//! The keys that are refused although their signature is right: all of them, in memory of every
//! node, until they have expired. `hearing/` says when that can be believed.
//!
//! A clock that is ahead, and is then set right, must not let a revoked key in. So a key is remembered
//! for the longest life of a key beyond its own end, and the list knows the time from which on it is
//! complete: before that time, the database is asked.

use super::{ApiKey, LONGEST_S};
use crate::server::{clock::Clock, error::Error, state::State};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Those that have expired leave at most this often, in seconds.
const SWEEP_EVERY_S: i64 = 60;

/// Keys that a transaction refuses from its commit on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// One key.
    Key {
        /// Id of its owner.
        user_id: String,
        /// Its public id.
        id: String,
        /// Its number among the keys of its owner.
        number: i64,
        /// When it expires, in Unix seconds.
        expires_at: i64,
    },
    /// All keys of a user below a number.
    Below {
        /// Id of their owner.
        user_id: String,
        /// The lowest number that is not refused.
        number: i64,
        /// When the last of them expires, in Unix seconds.
        until: i64,
    },
}

impl Refused {
    /// Whether a cutoff refuses this key as well.
    pub fn is_below(&self, cutoff: &Self) -> bool {
        match (self, cutoff) {
            (
                Self::Key {
                    user_id, number, ..
                },
                Self::Below {
                    user_id: owner,
                    number: cutoff,
                    ..
                },
            ) => user_id == owner && number < cutoff,
            _ => false,
        }
    }
}

/// Revoked keys. The list only grows by what has been committed, and shrinks by what has expired or is
/// below its owner's cutoff: loading it once more never lets a key in again. One user has few keys above
/// the cutoff (`mint.rs`), so that no user can fill the memory with them.
#[derive(Default)]
pub struct Revoked(RwLock<Known>);

struct Known {
    by_user: HashMap<String, OfUser>,
    /// The list names every revoked key that expires after this time, in Unix seconds.
    complete_after: i64,
    /// By the clock that never goes back, in seconds.
    swept_at: i64,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            by_user: HashMap::new(),
            // Until the list is loaded it says nothing of any key.
            complete_after: i64::MAX,
            swept_at: 0,
        }
    }
}

#[derive(Default)]
struct OfUser {
    /// Keys with a lower number are refused,
    below: i64,
    /// and the last of those expires at this time, in Unix seconds.
    until: i64,
    /// Refused keys that are not below, by id.
    keys: HashMap<String, Listed>,
}

struct Listed {
    number: i64,
    /// In Unix seconds.
    expires_at: i64,
}

impl Revoked {
    /// Whether this key is refused, at this time in Unix seconds. `None` if the list cannot tell: it was
    /// made while the clock was far ahead of this time.
    pub(super) fn refuses(&self, key: &ApiKey, now: i64) -> Option<bool> {
        let known = self.read();
        (known.complete_after <= now).then(|| {
            let of_user = known.by_user.get(&key.user_id);
            of_user.is_some_and(|it| key.number < it.below || it.keys.contains_key(&key.id))
        })
    }

    /// How many keys are listed one by one.
    pub fn count(&self) -> usize {
        self.read().by_user.values().map(|it| it.keys.len()).sum()
    }

    /// These are refused from now on, until they expire.
    pub fn add(&self, refused: impl IntoIterator<Item = Refused>, clock: &Clock) {
        // Before the lock, so that no check of a key waits for the clock.
        let (elapsed, now) = (clock.elapsed_s(), clock.now_s());
        let mut known = self.write();
        refused.into_iter().for_each(|it| known.add(it));
        if elapsed >= known.swept_at + SWEEP_EVERY_S {
            known.swept_at = elapsed;
            known.sweep(now - LONGEST_S);
        }
    }

    /// Reads all of them anew.
    ///
    /// # Errors
    /// If the database does not answer; what was known stays.
    pub async fn load(&self, state: &State) -> Result<(), Error> {
        let before = self.read().complete_after;
        let after = state.clock.now_s() - LONGEST_S;
        // The keys first: a cutoff that is raised in between then covers keys that were read.
        let keys: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT k.user_id, k.id, k.number, k.expires_at \
             FROM api_keys k JOIN users u ON u.id = k.user_id \
             WHERE k.revoked_at IS NOT NULL AND k.expires_at > $1 \
               AND k.number >= u.keys_refused_below",
        )
        .bind(after)
        .fetch_all(state.db.pool())
        .await?;
        let cutoffs: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT id, keys_refused_below, keys_refused_until FROM users \
             WHERE keys_refused_below > 0 AND keys_refused_until > $1",
        )
        .bind(after)
        .fetch_all(state.db.pool())
        .await?;
        let deleted: Vec<(String, i64)> = sqlx::query_as(
            "SELECT id, keys_refused_until FROM deleted_users WHERE keys_refused_until > $1",
        )
        .bind(after)
        .fetch_all(state.db.pool())
        .await?;
        let keys = keys
            .into_iter()
            .map(|(user_id, id, number, expires_at)| Refused::Key {
                user_id,
                id,
                number,
                expires_at,
            });
        let cutoffs = cutoffs
            .into_iter()
            .map(|(user_id, number, until)| Refused::Below {
                user_id,
                number,
                until,
            });
        // No account has as many keys.
        let deleted = deleted.into_iter().map(|(user_id, until)| Refused::Below {
            user_id,
            number: i64::MAX,
            until,
        });
        self.add(keys.chain(cutoffs).chain(deleted), &state.clock);
        let mut known = self.write();
        // Another load or sweep in between may have had another time.
        if known.complete_after == before {
            known.complete_after = after;
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, refused: Refused) {
        match refused {
            Refused::Key {
                user_id,
                id,
                number,
                expires_at,
            } => {
                let of_user = self.by_user.entry(user_id).or_default();
                if number >= of_user.below {
                    of_user.keys.insert(id, Listed { number, expires_at });
                }
            }
            Refused::Below {
                user_id,
                number,
                until,
            } => {
                let of_user = self.by_user.entry(user_id).or_default();
                of_user.below = of_user.below.max(number);
                of_user.until = of_user.until.max(until);
                let below = of_user.below;
                of_user.keys.retain(|_, key| key.number >= below);
                of_user.keys.shrink_to_fit();
            }
        }
    }

    /// Forgets what expired at this time or before it, in Unix seconds.
    fn sweep(&mut self, at: i64) {
        self.complete_after = self.complete_after.max(at);
        self.by_user.retain(|_, of_user| {
            of_user.keys.retain(|_, key| key.expires_at > at);
            of_user.until > at || !of_user.keys.is_empty()
        });
    }
}
