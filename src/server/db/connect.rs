//! Pools of connections: what each is told when it is opened, and before it is used again.

use sqlx::{
    AnyPool, Connection, Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
};
use std::time::Duration;

/// A request that waits longer for a connection, or for its turn to write, is told that the database is
/// unavailable.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens a pool.
///
/// # Errors
/// If no connection could be made.
pub(super) async fn connect(
    options: &AnyConnectOptions,
    max_connections: u32,
    is_sqlite: bool,
) -> Result<AnyPool, sqlx::Error> {
    let mut pool = AnyPoolOptions::new();
    if is_sqlite {
        // A file does not hang up. And the pool's upkeep, which only looks for old connections,
        // reads a count that is wrong for a moment when the one connection is handed on.
        pool = pool
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
    }
    pool.max_connections(max_connections)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if is_sqlite {
                    // Readers never wait for the writer; writers wait for each other; what was
                    // acknowledged is on the disk.
                    connection
                        .execute(
                            "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; \
                             PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
                        )
                        .await?;
                }
                Ok(())
            })
        })
        .before_acquire(move |connection, _| {
            // A commit that failed for want of room on the disk has undone the transaction, and
            // the driver goes on counting it: such a connection begins no other.
            Box::pin(async move { Ok(!(is_sqlite && connection.is_in_transaction())) })
        })
        .connect_with(options.clone())
        .await
}
