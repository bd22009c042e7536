//! Pools of connections: settings of each new connection, and the check before it is used again.

use super::limits::Limits;
use sqlx::{
    AnyPool, Connection, Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// A request that waits longer for a connection, or for its turn to write, fails: the database is
/// unavailable.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to PostgreSQL that does not answer within this time before it is used is replaced.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// Opens a pool. `settings` are the statements for each new connection to SQLite.
///
/// # Errors
/// If no connection could be made.
pub(super) async fn connect(
    options: &AnyConnectOptions,
    max_connections: u32,
    limits: &Arc<Limits>,
    settings: Option<&'static str>,
) -> Result<AnyPool, sqlx::Error> {
    let is_sqlite = settings.is_some();
    let [made, used] = [Arc::clone(limits), Arc::clone(limits)];
    let mut pool = AnyPoolOptions::new();
    if is_sqlite {
        // A file does not hang up. And the pool's upkeep, which only looks for old connections,
        // reads a count that is wrong for a moment when the one connection is handed on.
        pool = pool.idle_timeout(None).max_lifetime(None);
    }
    pool.max_connections(max_connections)
        // The pool's own test has no limit.
        .test_before_acquire(false)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            let limits = Arc::clone(&made);
            Box::pin(async move {
                if let Some(settings) = settings {
                    connection.execute(settings).await?;
                    return Ok(());
                }
                limits.prepare(connection).await
            })
        })
        .before_acquire(move |connection, of| {
            // A commit that failed for want of room on the disk has undone the transaction, and
            // the driver goes on counting it: such a connection begins no other.
            let is_used_up = is_sqlite && connection.is_in_transaction();
            let is_good = !is_used_up && !used.is_outdated(of.age);
            Box::pin(async move {
                if is_sqlite || !is_good {
                    return Ok(is_good);
                }
                let alive = timeout(SIGN_OF_LIFE, connection.ping()).await;
                Ok(matches!(alive, Ok(Ok(()))))
            })
        })
        .connect_with(options.clone())
        .await
}
