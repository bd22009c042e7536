//! Limits of time for PostgreSQL, and the age from which its connections are used.
//!
//! The driver waits for an answer without end. Each use of a connection ([`super::Conn`]) so has a limit
//! here, and the server has a shorter one, `statement_timeout`, which ends the statement there.

use sqlx::{AnyConnection, AssertSqlSafe, Executor};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// While it serves, PostgreSQL ends a statement that takes longer.
const SERVING: Duration = Duration::from_secs(5);
/// PostgreSQL ends a statement of an operator's command that takes longer: one of them may end millions of
/// sessions.
const COMMAND: Duration = Duration::from_hours(1);
/// So much later than PostgreSQL should have ended it, a statement is given up.
const GRACE: Duration = Duration::from_secs(1);
/// PostgreSQL ends a transaction in which nothing happens for longer: its node is gone or frozen, and its
/// locks keep other nodes waiting.
const IDLE_IN_TRANSACTION: Duration = Duration::from_mins(1);
/// One error in this time replaces the connections of the whole pool; further ones replace their own.
const RENEWED_EVERY_MS: u64 = 1_000;

/// Limits and age of the connections of one database.
#[derive(Debug)]
pub struct Limits {
    is_postgres: bool,
    began: Instant,
    /// Limit of a statement in milliseconds; 0 is none, for migrations.
    statement_ms: AtomicU64,
    /// Connections that were made before are closed, in milliseconds since this began.
    made_since_ms: AtomicU64,
}

impl Limits {
    /// No limit yet: the first thing done is the migration, which may take long.
    pub(super) fn new(is_postgres: bool) -> Self {
        Self {
            is_postgres,
            began: Instant::now(),
            statement_ms: AtomicU64::new(0),
            made_since_ms: AtomicU64::new(0),
        }
    }

    /// The limits of an operator's command.
    pub(super) fn set_for_commands(&self) {
        self.set(COMMAND);
    }

    /// The limits of a server.
    pub(super) fn set_for_serving(&self) {
        self.set(SERVING);
    }

    fn set(&self, statement: Duration) {
        self.statement_ms.store(in_ms(statement), Ordering::Relaxed);
        self.made_since_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// How long a statement is waited for. SQLite's are in this process, and wait for its lock as long as
    /// it was told.
    pub(super) fn statement(&self) -> Option<Duration> {
        let limit = self.statement_ms.load(Ordering::Relaxed);
        (self.is_postgres && limit > 0).then(|| Duration::from_millis(limit) + GRACE)
    }

    /// Whether connections are closed here, as opposed to by the pool.
    pub(super) fn is_postgres(&self) -> bool {
        self.is_postgres
    }

    /// Replaces all connections, each when it is next used.
    pub(super) fn renew(&self) {
        let now = self.now_ms();
        let made_since = self.made_since_ms.load(Ordering::Relaxed);
        if now >= made_since + RENEWED_EVERY_MS {
            self.made_since_ms.store(now, Ordering::Relaxed);
        }
    }

    /// Whether a connection of this age is to be replaced.
    pub(super) fn is_outdated(&self, age: Duration) -> bool {
        let made = self.now_ms().saturating_sub(in_ms(age));
        self.is_postgres && made <= self.made_since_ms.load(Ordering::Relaxed)
    }

    /// Sets the limits of a new connection. Not by `options` in the address, which pgbouncer refuses.
    pub(super) async fn prepare(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let statement = self.statement_ms.load(Ordering::Relaxed);
        let idle = in_ms(IDLE_IN_TRANSACTION);
        let settings = format!(
            "SET statement_timeout = {statement}; \
             SET idle_in_transaction_session_timeout = {idle}"
        );
        connection.execute(AssertSqlSafe(settings)).await?;
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        in_ms(self.began.elapsed())
    }
}

fn in_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
