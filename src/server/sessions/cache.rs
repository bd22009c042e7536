//! Live sessions in memory, so that a click asks no database. Bounded, and emptied by every
//! ending before the ending answers.

use super::Session;
use crate::server::secret::HashedSid;
use moka::{ops::compute::Op, sync::Cache};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Endings are counted by key, modulo this: an ending spoils the loads of a few sessions only.
const COUNTS: usize = 64;

/// Sessions by the hash of their sid.
pub struct SessionCache {
    kept: Cache<HashedSid, Kept>,
    /// How often something of a key was forgotten.
    forgotten: [AtomicU64; COUNTS],
    /// How often all of it was.
    cleared: AtomicU64,
    hasher: RandomState,
}

#[derive(Clone)]
struct Kept {
    session: Arc<Session>,
    cleared: u64,
}

/// Taken before a row is read, and shown when it is kept: what was forgotten in between was
/// perhaps this row, so that it is not kept.
pub struct Ticket {
    forgotten: u64,
    cleared: u64,
}

impl SessionCache {
    /// Holds so many at most.
    pub fn new(capacity: u64) -> Self {
        Self {
            kept: Cache::new(capacity),
            forgotten: std::array::from_fn(|_| AtomicU64::new(0)),
            cleared: AtomicU64::new(0),
            hasher: RandomState::new(),
        }
    }

    /// What is kept of this key.
    pub fn get(&self, key: &HashedSid) -> Option<Arc<Session>> {
        let kept = self.kept.get(key)?;
        (kept.cleared == self.cleared.load(Ordering::SeqCst)).then_some(kept.session)
    }

    /// To be taken before the row is read.
    pub fn ticket(&self, key: &HashedSid) -> Ticket {
        Ticket {
            forgotten: self.count_of(key).load(Ordering::SeqCst),
            cleared: self.cleared.load(Ordering::SeqCst),
        }
    }

    /// Keeps what was read since the ticket was taken, unless an ending came between.
    pub fn keep(&self, ticket: &Ticket, session: Arc<Session>) {
        let key = session.hashed_sid.clone();
        let count = self.count_of(&key);
        // The library runs this and the one of `forget` one after the other for each key: either
        // the ending has been counted here, or it comes later and takes away what is put now.
        self.kept.entry(key).and_compute_with(|_| {
            if count.load(Ordering::SeqCst) == ticket.forgotten {
                Op::Put(Kept {
                    session,
                    cleared: ticket.cleared,
                })
            } else {
                Op::Nop
            }
        });
    }

    /// Forgets one session: its row has changed.
    pub fn forget(&self, key: &HashedSid) {
        self.count_of(key).fetch_add(1, Ordering::SeqCst);
        self.kept.entry_by_ref(key).and_compute_with(|_| Op::Remove);
    }

    /// Forgets them all: nobody knows what has changed.
    pub fn clear(&self) {
        self.cleared.fetch_add(1, Ordering::SeqCst);
        self.kept.invalidate_all();
    }

    fn count_of(&self, key: &HashedSid) -> &AtomicU64 {
        let at = usize::try_from(self.hasher.hash_one(key) % COUNTS as u64).unwrap_or(0);
        &self.forgotten[at]
    }
}
