//! The session: one row and one cookie. Started at sign-in, checked at every request, renewed
//! while it is used, ended at once.
//!
//! One file a verb: a click passes through `check.rs` and, every five minutes, `renew.rs`; a
//! sign-in through `start.rs`; every kind of end through `end.rs`.

mod cache;
mod check;
mod end;
pub mod generations;
mod hearing;
mod inspect;
mod list;
mod renew;
mod replaced;
mod start;
pub mod token;

pub use cache::SessionCache;
pub use check::{Resumed, resume};
pub use end::{
    Change, end_all_of, end_by_key, end_everything, end_everything_in, end_one, end_others,
    end_others_of, end_sessions_of, end_with_cookie_until, end_without_cookie, sign_out,
};
pub use hearing::{Hearing, commit_change, is_served, listen, serve_alone};
pub use inspect::inspect;
pub use list::list;
pub use renew::{Renewal, RenewalNeed, renew};
pub use replaced::{Proof, find_replaced, why_over};
pub use start::{NewCookie, Started, restart, restart_again, start};

use super::{config, error::Error, secret::HashedSid, state::State};
use crate::wire::sessions::{Device, ThisSession};
use generations::Generations;
use std::sync::atomic::{AtomicI64, Ordering};

/// Last-seen is written at most this often, in seconds.
const SEEN_EVERY_S: i64 = 60;

/// A session and whose it is, as its row and the settings said when it was read.
#[derive(Debug)]
pub struct Session {
    /// Public.
    pub id: String,
    /// What its cookie's sid is stored as.
    pub hashed_sid: HashedSid,
    /// Whose.
    pub user_id: String,
    /// Their address.
    pub email: String,
    /// When their account was made, in Unix seconds.
    pub user_created_at: i64,
    /// When it was started, in Unix seconds.
    pub created_at: i64,
    /// In seconds without use: the row's, or the one in force if that is shorter.
    pub idle_timeout_s: i64,
    /// The absolute end, in Unix seconds: the row's, or the one in force if that is earlier.
    pub ends_at: i64,
    /// When its owner last proved who they are, in Unix seconds.
    pub authenticated_at: i64,
    /// Started with "Keep me signed in".
    pub is_kept: bool,
    /// When a session of theirs was copied, if they have not changed their password since; Unix
    /// seconds.
    pub copied_at: Option<i64>,
    /// Tells it from the owner's others, and is no secret.
    number: u16,
    /// What it was started with.
    device: Device,
    /// Its cookies, as far as the row knows them.
    generations: Generations,
    /// The newer of what the row says and what this node has seen, in Unix seconds.
    last_seen_at: AtomicI64,
    /// The last-seen that is written, or about to be.
    noted_at: AtomicI64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    hashed_sid: String,
    user_id: String,
    email: String,
    user_created_at: i64,
    created_at: i64,
    last_seen_at: i64,
    idle_timeout_s: i64,
    ends_at: i64,
    authenticated_at: i64,
    is_kept: i64,
    copied_at: Option<i64>,
    user_agent: String,
    generation: i64,
    renewed_at: i64,
    successor_seen_at: Option<i64>,
    seen_generation: i64,
}

impl Session {
    /// Reads a row. A preset or time that has become shorter since it was written holds.
    fn new(row: Row, times: &config::Session) -> Self {
        let is_kept = row.is_kept != 0;
        let written = (row.idle_timeout_s, row.ends_at);
        let (idle_timeout_s, ends_at) = times.shorten(is_kept, row.authenticated_at, written);
        Self {
            number: number(&row.id),
            id: row.id,
            hashed_sid: HashedSid::from_row(row.hashed_sid),
            user_id: row.user_id,
            email: row.email,
            user_created_at: row.user_created_at,
            created_at: row.created_at,
            idle_timeout_s,
            ends_at,
            authenticated_at: row.authenticated_at,
            is_kept,
            copied_at: row.copied_at,
            device: Device::from_user_agent(&row.user_agent),
            generations: Generations {
                newest: row.generation,
                newest_made_at: row.renewed_at,
                newest_seen_at: row.successor_seen_at,
                seen_before: row.seen_generation,
            },
            last_seen_at: AtomicI64::new(row.last_seen_at),
            noted_at: AtomicI64::new(row.last_seen_at),
        }
    }
}

/// The row of a session that has not ended, from the database.
pub(super) async fn find(state: &State, key: &HashedSid) -> Result<Option<Session>, Error> {
    find_by(state.db.pool(), state, key).await
}

/// The same within a transaction.
async fn find_by<'a>(
    executor: impl sqlx::Executor<'a, Database = sqlx::Any>,
    state: &State,
    key: &HashedSid,
) -> Result<Option<Session>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.id, s.hashed_sid, s.user_id, u.email, u.created_at AS user_created_at, \
                s.created_at, s.last_seen_at, s.idle_timeout_s, s.ends_at, s.authenticated_at, \
                s.is_kept, u.copied_at, s.user_agent, s.generation, s.renewed_at, \
                s.successor_seen_at, s.seen_generation \
         FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.hashed_sid = $1 AND s.ended_at IS NULL AND u.disabled_at IS NULL",
    )
    .bind(key.as_str())
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| {
        let session = Session::new(row, &state.config.session);
        // What this node has seen and not yet written counts as well.
        if let Some(seen_at) = state.later.seen_at(&session.id) {
            session.last_seen_at.fetch_max(seen_at, Ordering::Relaxed);
            session.noted_at.fetch_max(seen_at, Ordering::Relaxed);
        }
        session
    }))
}

impl Session {
    fn last_seen_at(&self) -> i64 {
        self.last_seen_at.load(Ordering::Relaxed)
    }

    /// It is used: now, in Unix seconds. Whether that is worth writing down.
    fn see(&self, now: i64) -> bool {
        self.last_seen_at.fetch_max(now, Ordering::Relaxed);
        let every = SEEN_EVERY_S.min(self.idle_timeout_s / 4);
        let noted_at = self.noted_at.load(Ordering::Relaxed);
        now >= noted_at + every
            && self
                .noted_at
                .compare_exchange(noted_at, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Whether its owner has proved who they are recently enough for what asks for it.
    pub fn is_recent(&self, state: &State) -> bool {
        let recent_s = i64::from(state.config.session.recent_sign_in_s);
        state.clock.now_s() < self.authenticated_at + recent_s
    }

    /// Generation of its newest cookie.
    pub fn generation(&self) -> i64 {
        self.generations.newest
    }

    /// Renewals in a row whose cookie has not been shown.
    pub fn unshown(&self) -> i64 {
        match self.generations.newest_seen_at {
            Some(_) => 0,
            None => self.generations.newest - self.generations.seen_before,
        }
    }

    /// When its newest cookie was made, in Unix seconds.
    pub fn renewed_at(&self) -> i64 {
        self.generations.newest_made_at
    }

    /// Whether its newest cookie has been shown.
    pub fn is_newest_seen(&self) -> bool {
        self.generations.newest_seen_at.is_some()
    }

    /// As its owner sees it.
    pub fn seen_by_owner(&self) -> ThisSession {
        ThisSession {
            number: self.number,
            device: self.device.clone(),
            started_at: self.created_at,
            idle_timeout_s: self.idle_timeout_s,
            ends_at: self.ends_at,
            copied_at: self.copied_at,
        }
    }
}

/// Four figures of the public id: enough to tell tickets apart, too few to look one up.
fn number(id: &str) -> u16 {
    let number = id
        .bytes()
        .fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 9000);
    u16::try_from(1000 + number).unwrap_or(1000)
}

/// The next number of four figures; the first comes after the last.
fn following(number: u16) -> u16 {
    if number < 9999 { number + 1 } else { 1000 }
}
