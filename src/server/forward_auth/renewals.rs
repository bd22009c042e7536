//! Renewals at checks: whether the browser receives them is up to the proxy.
//!
//! A check hands out two renewals in a row at most. A cookie that comes back unrenewed after that is
//! renewed when the browser loads a page, by way of a page of Cloakroom's own host. Where several users
//! lose what checks hand out, the proxy does not hand the cookies on, and checks hand out nothing for an
//! hour. Times are seconds of the clock that never goes back: a wall clock that is set back must not
//! prolong that hour.

use crate::server::sessions::Session;
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

/// Users that lose a renewal before the proxy is taken for the reason.
const LOST_MAX: usize = 3;
/// A browser is sent to a page of Cloakroom once in this time, in seconds: where nothing can be written,
/// each page load would lead there and back without end.
const SENT_AWAY_S: i64 = 60;
/// How long checks then hand out nothing, in seconds.
const PAUSE_S: i64 = 3_600;
/// Sessions remembered at most; the memory starts anew when it is full.
const REMEMBERED_MAX: usize = 10_000;

/// Whether browsers receive what checks hand out, as far as this node has seen.
#[derive(Clone, Copy, Default)]
pub enum Receipt {
    /// No renewed cookie has come back, and too few users have lost one.
    #[default]
    Unknown,
    /// A browser showed a renewed cookie.
    Received,
    /// Several users lost theirs, and no browser has shown one since.
    Lost,
}

/// What became of the renewals that checks handed out.
#[derive(Default)]
pub struct CheckRenewals(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Session ids, and the generation that a check handed out last.
    handed_out: HashMap<String, i64>,
    /// Ids of users who lost one since the last that was received.
    lost: HashSet<String>,
    /// Session ids, and when their browser was last sent to a page of Cloakroom.
    sent_away: HashMap<String, i64>,
    /// Checks hand out nothing until then.
    paused_until: i64,
    /// What is known of the proxy.
    receipt: Receipt,
}

impl CheckRenewals {
    /// Whether checks hand out renewals at this time.
    pub fn are_handed_out(&self, now: i64) -> bool {
        self.with(|inner| now >= inner.paused_until)
    }

    /// Whether browsers receive what checks hand out.
    pub fn receipt(&self) -> Receipt {
        self.with(|inner| inner.receipt)
    }

    /// Notes that a check hands out the next generation of this session.
    pub fn note_handed_out(&self, session: &Session) {
        self.with(|inner| {
            if inner.handed_out.len() >= REMEMBERED_MAX {
                inner.handed_out.clear();
            }
            let next = session.generation() + 1;
            inner.handed_out.insert(session.id.clone(), next);
        });
    }

    /// Notes that the newest cookie of this session was shown.
    pub fn note_received(&self, session: &Session) {
        self.with(|inner| {
            if inner.forget(session) {
                inner.lost.clear();
                inner.receipt = Receipt::Received;
            }
        });
    }

    /// Notes that the newest cookie of this session seems lost. Whether that makes it one too many:
    /// from this time on checks then hand out nothing.
    pub fn note_lost(&self, session: &Session, now: i64) -> bool {
        self.with(|inner| {
            if !inner.forget(session) {
                return false;
            }
            inner.lost.insert(session.user_id.clone());
            let is_one_too_many = inner.lost.len() >= LOST_MAX;
            if is_one_too_many {
                inner.lost.clear();
                inner.receipt = Receipt::Lost;
                inner.paused_until = now + PAUSE_S;
            }
            is_one_too_many
        })
    }

    /// Whether a browser may be sent to a page of Cloakroom at this time; notes that it is.
    pub fn may_send_away(&self, session: &Session, now: i64) -> bool {
        self.with(|inner| {
            let last = inner.sent_away.get(&session.id);
            let may = last.is_none_or(|at| now >= at + SENT_AWAY_S);
            if may {
                if inner.sent_away.len() >= REMEMBERED_MAX {
                    inner.sent_away.clear();
                }
                inner.sent_away.insert(session.id.clone(), now);
            }
            may
        })
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Inner) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    /// Forgets what was handed out, if that was the newest generation of this session.
    fn forget(&mut self, session: &Session) -> bool {
        let is_newest = self.handed_out.get(&session.id) == Some(&session.generation());
        is_newest && self.handed_out.remove(&session.id).is_some()
    }
}
