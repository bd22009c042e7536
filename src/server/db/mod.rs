//! The one folder that knows there are two databases.
//!
//! SQLite by default, PostgreSQL by `DATABASE_URL`, through sqlx's `Any` driver: one SQL text
//! with `$1` placeholders, TEXT ids, BIGINT unix times and truth values serves both.

mod backup;
mod conn;
mod connect;
mod explain;
mod limits;
mod lock;
mod parameters;
mod postgres;
pub mod sqlite;
mod statement;
mod tables;
pub mod trouble;
mod tx;
#[cfg(debug_assertions)]
mod types;
mod url;

pub use backup::{COPIED_AT, backup};
pub use conn::{Conn, Reader};
pub use postgres::address;
pub use tx::Tx;
pub use url::Address;

use super::{error::Error, purpose::Purpose};
use conn::acquire;
use connect::connect;
use limits::Limits;
use sqlx::{AnyPool, Connection, any::AnyConnectOptions, migrate::Migrator};
use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, timeout},
};

/// A database that does not say within this time whether it takes writes does not answer.
const READY_WITHIN: Duration = Duration::from_secs(1);
/// A question about readiness is given up later than its answer, so that its connection is used again.
const ASKED_FOR: Duration = Duration::from_millis(1_500);
/// So long an answer that the database takes writes stands for further questions.
const READY_FOR: Duration = Duration::from_millis(250);

/// Embedded in the binary and run at every start; migrations are only ever added.
static MIGRATIONS: Migrator = sqlx::migrate!("src/server/migrations");

/// The database of this deployment.
#[derive(Clone)]
pub struct Db {
    pool: AnyPool,
    /// SQLite writes one transaction at a time. A process that waits for its lock sleeps for up to 100 ms
    /// between tries; in this pool of one connection the next writer goes on at once.
    writing: AnyPool,
    /// Number of queries since start; read by benchmarks.
    asked: Arc<AtomicU64>,
    limits: Arc<Limits>,
    embedded: Option<Arc<Embedded>>,
    name: Arc<str>,
    /// When the database last said that it takes writes.
    readiness: Arc<Mutex<Option<Instant>>>,
}

/// The files of an embedded database.
struct Embedded {
    path: PathBuf,
    files: sqlite::Files,
    purpose: Purpose,
}

impl Db {
    /// Opens the database at this address, whose file [`sqlite::find`] has found where it is embedded, and brings its
    /// tables up to date where the purpose allows it.
    ///
    /// # Errors
    /// If it cannot be reached, is of a newer version, or of an older one that this process may not change.
    pub async fn open(
        address: &Address,
        max_connections: u32,
        file: Option<&Path>,
        purpose: Purpose,
    ) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        if let Some(server) = &address.server {
            postgres::check(server).await?;
        }
        let options = AnyConnectOptions::from_str(&address.url)?;
        let first = match file {
            Some(file) => Some(sqlite::try_to_open(&options, file, purpose).await?),
            None => None,
        };
        let settings = |is_writer| file.map(|_| sqlite::settings(purpose, is_writer));
        let limits = Arc::new(Limits::new(file.is_none()));
        let pool = connect(&options, max_connections, &limits, settings(false)).await?;
        let writing = match file {
            Some(_) => connect(&options, 1, &limits, settings(true)).await?,
            None => pool.clone(),
        };
        let mut connection = pool.acquire().await?;
        tables::bring_up_to_date(&mut connection, address, file, purpose).await?;
        // In a product this is the next migration. No release has it, and each must open a
        // database that has been here.
        #[cfg(feature = "lab")]
        sqlx::raw_sql(include_str!("../notes.sql"))
            .execute(&mut *connection)
            .await?;
        limits.set_for_commands();
        drop(connection);
        if let Some(first) = first {
            first.close().await?;
        }
        let embedded = file.map(|file| {
            Arc::new(Embedded {
                path: file.to_owned(),
                files: sqlite::Files::of(file),
                purpose,
            })
        });
        Ok(Self {
            pool,
            writing,
            asked: Arc::default(),
            limits,
            embedded,
            name: name(address, file).into(),
            readiness: Arc::default(),
        })
    }

    /// For reading.
    pub fn pool(&self) -> Reader<'_> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.for_tasks()
    }

    /// For what a task looks up by itself: no request turned to it, so that it is not counted.
    pub fn for_tasks(&self) -> Reader<'_> {
        Reader {
            pool: &self.pool,
            limits: &self.limits,
        }
    }

    /// For writing: all of it happens, or nothing (promise 6).
    ///
    /// # Errors
    /// If the database is away.
    pub async fn write(&self) -> Result<Tx, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let Some(embedded) = &self.embedded else {
            let conn = acquire(&self.writing, &self.limits).await?;
            return Ok(Tx::begin(conn, "BEGIN").await?);
        };
        // SQLite must take its write lock at the start: a transaction that reads first and
        // writes later fails at once when another wrote in between.
        let begun = if embedded.purpose.is_serving() {
            let conn = acquire(&self.writing, &self.limits).await?;
            Tx::begin(conn, "BEGIN IMMEDIATE").await?
        } else {
            sqlite::begin_patiently(&self.writing, &self.limits, &embedded.path).await?
        };
        embedded.files.require()?;
        Ok(begun)
    }

    /// How often requests turned to it since the start, to read or to write.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// The file of an embedded one. The other kind many nodes may share.
    pub fn file(&self) -> Option<&Path> {
        self.embedded.as_ref().map(|it| it.path.as_path())
    }

    /// The process is about to end.
    pub fn is_closed(&self) -> bool {
        self.writing.is_closed()
    }

    /// From now on this process serves: PostgreSQL's statements have shorter limits.
    pub fn begin_to_serve(&self) {
        self.limits.set_for_serving();
    }

    /// Kind and place of the database, without user and password.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers if the database does, takes writes, and has its files where they were.
    ///
    /// # Errors
    /// If it does not answer in time, only reads, or was moved away.
    pub async fn require_writable(&self) -> Result<(), Error> {
        let asking = async {
            // One question at a time: an anonymous visitor who asks without end takes one connection.
            let turn = Arc::clone(&self.readiness).lock_owned().await;
            if turn.is_some_and(|at| at.elapsed() < READY_FOR) {
                return Ok(());
            }
            // A task of its own: a connection that takes longer to make is there for the next question.
            let db = self.clone();
            tokio::spawn(async move { db.ask_in_turn(turn).await }).await?
        };
        let text = "no answer in time to whether it takes writes";
        let late = |_| Err(sqlx::Error::from(io::Error::new(io::ErrorKind::TimedOut, text)).into());
        timeout(READY_WITHIN, asking).await.unwrap_or_else(late)?;
        match &self.embedded {
            Some(embedded) => embedded.files.require(),
            None => Ok(()),
        }
    }

    async fn ask_in_turn(&self, mut turn: OwnedMutexGuard<Option<Instant>>) -> Result<(), Error> {
        let text = "no answer to whether it takes writes";
        let late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, text).into());
        let asked = timeout(ASKED_FOR, self.ask_whether_writable()).await;
        let asked = asked.unwrap_or_else(late);
        *turn = asked.is_ok().then(Instant::now);
        Ok(asked?)
    }

    async fn ask_whether_writable(&self) -> Result<(), sqlx::Error> {
        if self.embedded.is_some() {
            sqlx::query("SELECT 1").execute(self.for_tasks()).await?;
            return Ok(());
        }
        // A setting of the database holds for new connections alone, so the answer of an old one may be
        // of before.
        for _ in 0..2 {
            let mut conn = self.for_tasks().acquire().await?;
            let (is_read_only,): (String,) =
                sqlx::query_as("SELECT current_setting('transaction_read_only')")
                    .fetch_one(&mut conn)
                    .await?;
            if is_read_only == "off" {
                return Ok(());
            }
            conn.renew();
        }
        let text = "PostgreSQL is read-only: a standby, or a database that was made read-only";
        Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, text).into())
    }

    /// Ends all connections in order, at shutdown.
    pub async fn close(&self) {
        self.writing.close().await;
        self.pool.close().await;
    }
}

/// Kind and place of the database at an address, without user and password.
pub fn name(address: &Address, file: Option<&Path>) -> String {
    match (file, &address.server) {
        (Some(file), _) => format!("SQLite {}", file.display()),
        (None, Some(server)) => format!("{}, database \"{}\"", server.place(), server.database()),
        (None, None) => address.url.clone(),
    }
}
