//! The one folder that knows there are two databases.
//!
//! SQLite by default, PostgreSQL by `DATABASE_URL`, through sqlx's `Any` driver: one SQL text
//! with `$1` placeholders, TEXT ids, BIGINT unix times and truth values serves both.

mod backup;
mod connect;
mod explain;
mod lock;
mod parameters;
mod postgres;
mod url;

pub use backup::{COPIED_AT, backup};
pub use postgres::address;
pub use url::Address;

use super::error::Error;
use connect::connect;
use sqlx::{
    Any, AnyPool, Transaction, any::AnyConnectOptions, migrate::Migrator,
    sqlite::SqliteConnectOptions,
};
use std::{
    path::Path,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Embedded in the binary and run at every start; migrations are only ever added.
static MIGRATIONS: Migrator = sqlx::migrate!("src/server/migrations");

/// A transaction of either database. Dropped before it is committed, it never was.
pub type Tx = Transaction<'static, Any>;

/// The database of this deployment.
#[derive(Clone)]
pub struct Db {
    pool: AnyPool,
    /// SQLite writes one at a time. Whoever does not get its lock sleeps for up to 100 ms and asks
    /// again; here they queue for the one connection that writes, and the next goes on at once.
    writing: AnyPool,
    /// How often the database was turned to, for whoever measures what asks it.
    asked: Arc<AtomicU64>,
    file: Option<Arc<Path>>,
}

impl Db {
    /// Opens the database at this address and brings its tables up to date.
    ///
    /// # Errors
    /// If it cannot be reached or is of a newer version.
    pub async fn open(address: &Address, max_connections: u32) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let url = &*address.url;
        if let Some(server) = &address.server {
            postgres::check(server).await?;
        }
        let is_sqlite = url.starts_with("sqlite:");
        let file = is_sqlite
            .then(|| SqliteConnectOptions::from_str(url))
            .transpose()?
            .map(|options| Arc::from(options.get_filename()));
        let options = AnyConnectOptions::from_str(url)?;
        let pool = connect(&options, max_connections, is_sqlite).await?;
        let writing = match &file {
            Some(_) => connect(&options, 1, is_sqlite).await?,
            None => pool.clone(),
        };
        let migrated = MIGRATIONS.run(&pool).await;
        migrated.map_err(|error| explain::migrating(error, address.server.as_ref()))?;
        // In a product this is the next migration. No release has it, and each must open a
        // database that has been here.
        #[cfg(feature = "lab")]
        sqlx::raw_sql(include_str!("../notes.sql"))
            .execute(&pool)
            .await?;
        Ok(Self {
            pool,
            writing,
            asked: Arc::default(),
            file,
        })
    }

    /// For reading.
    pub fn pool(&self) -> &AnyPool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        &self.pool
    }

    /// For what a task looks up by itself: no request turned to it, so that it is not counted.
    pub fn for_tasks(&self) -> &AnyPool {
        &self.pool
    }

    /// For writing: all of it happens, or nothing (promise 6).
    ///
    /// # Errors
    /// If the database is away.
    pub async fn write(&self) -> Result<Tx, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let begin = match self.file {
            None => "BEGIN",
            // SQLite must take its write lock at the start: a transaction that reads first and
            // writes later fails at once when another wrote in between.
            Some(_) => "BEGIN IMMEDIATE",
        };
        Ok(self.writing.begin_with(begin).await?)
    }

    /// How often requests turned to it since the start, to read or to write.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// The file of an embedded one. The other kind many nodes may share.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The process is about to end.
    pub fn is_closed(&self) -> bool {
        self.writing.is_closed()
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
        self.writing.close().await;
        self.pool.close().await;
    }
}
