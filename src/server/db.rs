//! The one file that knows there are two databases.
//!
//! SQLite by default, PostgreSQL by `DATABASE_URL`, through sqlx's `Any` driver: one SQL text
//! with `$1` placeholders, TEXT ids, BIGINT unix times and truth values serves both.

use super::error::Error;
use sqlx::{
    Any, AnyPool, Executor, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::Migrator,
};
use std::{str::FromStr, time::Duration};

/// Embedded in the binary and run at every start; migrations are only ever added.
static MIGRATIONS: Migrator = sqlx::migrate!("src/server/migrations");

/// A transaction of either database.
pub type Tx = Transaction<'static, Any>;

/// The database of this deployment.
#[derive(Clone)]
pub struct Db {
    pool: AnyPool,
    is_sqlite: bool,
}

impl Db {
    /// Opens the database at `url` and brings its tables up to date.
    ///
    /// # Errors
    /// If it cannot be reached or is of a newer version.
    pub async fn open(url: &str, max_connections: u32) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let is_sqlite = url.starts_with("sqlite:");
        let options = AnyConnectOptions::from_str(url)?;
        let pool = AnyPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if is_sqlite {
                        // Readers never wait for the writer; writers wait for each other; what
                        // was acknowledged is on the disk.
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
            .connect_with(options)
            .await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool, is_sqlite })
    }

    /// For reading.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// For writing: all of it happens, or nothing (promise 6).
    ///
    /// # Errors
    /// If the database is away.
    pub async fn write(&self) -> Result<Tx, Error> {
        // SQLite must take its write lock at the start: a transaction that reads first and
        // writes later fails at once when another wrote in between.
        let begin = if self.is_sqlite {
            "BEGIN IMMEDIATE"
        } else {
            "BEGIN"
        };
        Ok(self.pool.begin_with(begin).await?)
    }

    /// Answers if the database does.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Ends all connections in order, at shutdown.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
