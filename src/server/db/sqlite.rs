//! The file of an embedded database: where it is, who has it, and how commands wait for it.

use super::{Tx, conn::acquire, limits::Limits};
use crate::server::{config::Config, error::Error, private, purpose::Purpose};
use sqlx::{
    AnyConnection, AnyPool, Connection, Executor, any::AnyConnectOptions,
    sqlite::SqliteConnectOptions,
};
use std::{
    fs::{File, Metadata},
    io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

/// Readers never wait for the writer; writers wait for each other; an acknowledged write is on the disk; and
/// the log is cut to 16 MiB where a slow reader has let it grow beyond.
macro_rules! settings {
    ($busy_timeout_ms:literal) => {
        concat!(
            "PRAGMA busy_timeout = ",
            $busy_timeout_ms,
            "; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA journal_size_limit = 16777216;"
        )
    };
}

/// How often a command asks for the lock of the writer, for half a second each time. SQLite asks ever more
/// seldom while it waits, and a busy server takes the lock again within milliseconds.
const TRIES: usize = 60;

/// Statements for each new connection.
pub fn settings(purpose: Purpose, is_writer: bool) -> &'static str {
    match (purpose, is_writer) {
        (Purpose::Serve, _) => settings!("5000"),
        (_, false) => settings!("30000"),
        (_, true) => settings!("500"),
    }
}

/// The canonical path of the embedded database, which is made first where the purpose allows it; none on
/// PostgreSQL. By that path all processes agree on the lock and on the file of marks.
///
/// # Errors
/// Names the file and says what to do.
pub fn find(config: &Config, purpose: Purpose) -> Result<Option<PathBuf>, Error> {
    let url = config.database_url();
    if !url.starts_with("sqlite:") {
        return Ok(None);
    }
    let (_, parameters) = url.split_once('?').unwrap_or_default();
    let has = |parameter| parameters.split('&').any(|it| it == parameter);
    if url.contains(":memory:") || has("mode=memory") {
        return Err(Error::Config(
            "DATABASE_URL names a database in memory, which ends with its process: name a file"
                .to_owned(),
        ));
    }
    let options = SqliteConnectOptions::from_str(&url)?;
    let named = options.get_filename();
    if purpose.may_make() && has("mode=rwc") {
        if config.database.url.is_empty() {
            private::make_folder(&config.data.dir)?;
        }
        private::make(named).map_err(|error| {
            Error::Config(format!(
                "{}: the database cannot be made: {error}. Its folder must be there, and the user that serves \
                 must be able to write to it.",
                private::absolute(named)
            ))
        })?;
    }
    let file = named
        .canonicalize()
        .map_err(|error| unreachable(named, &error, purpose))?;
    require_one_name(&file)?;
    Ok(Some(file))
}

/// Takes the lock of the one process that may serve the database or change its tables. It is held for as long as
/// the file is open; `None` where another process has it.
///
/// # Errors
/// If the file of the lock cannot be opened.
pub fn lock(database: &Path) -> Result<Option<File>, Error> {
    let lock = private::open(&beside(database, "-serving"))?;
    Ok(lock.try_lock().is_ok().then_some(lock))
}

/// A file beside the database.
pub fn beside(database: &Path, what: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(what);
    path.into()
}

/// Opens the database once, outside of a pool, whose errors would say nothing but that it timed out.
///
/// # Errors
/// Names the file and says what to do.
pub async fn try_to_open(
    options: &AnyConnectOptions,
    file: &Path,
    purpose: Purpose,
) -> Result<AnyConnection, Error> {
    let opened = async {
        let mut connection = AnyConnection::connect_with(options).await?;
        connection.execute(settings(purpose, false)).await?;
        connection
            .execute("SELECT COUNT(*) FROM sqlite_master")
            .await?;
        Ok(connection)
    };
    opened.await.map_err(|error| explain(file, error))
}

/// Begins a writing transaction of a command, which waits for half a minute and says so.
///
/// # Errors
/// If other processes write all that time, or the database does not answer.
pub(super) async fn begin_patiently(
    pool: &AnyPool,
    limits: &Arc<Limits>,
    file: &Path,
) -> Result<Tx, Error> {
    for tried in 1..=TRIES {
        let conn = acquire(pool, limits).await?;
        match Tx::begin(conn, "BEGIN IMMEDIATE").await {
            Err(error) if code(&error) == Some(5) => {
                if tried == 1 {
                    tracing::warn!(
                        event = "database_busy",
                        database = %file.display(),
                        "another process writes to the database: this command waits for up to 30 s"
                    );
                }
            }
            begun => return Ok(begun?),
        }
    }
    Err(Error::Config(format!(
        "{}: another process has been writing to the database for 30 s. Nothing was changed; run the command again.",
        file.display()
    )))
}

/// Files of the database, as they were when it was opened.
pub struct Files {
    database: PathBuf,
    identity: Option<Identity>,
    /// It begins anew, as another file, after all connections were closed.
    log: Option<PathBuf>,
}

#[cfg(unix)]
type Identity = (u64, u64);
#[cfg(not(unix))]
type Identity = ();

impl Files {
    /// Looks at them once a connection has read something: by then the log is there.
    pub fn of(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
            identity: identity(database),
            log: Some(beside(database, "-wal")).filter(|log| log.exists()),
        }
    }

    /// Asks whether each is where it was, after a statement, which opens the log. SQLite goes on with a file
    /// that was removed, and all that it writes from then on is lost when it is closed.
    ///
    /// # Errors
    /// Names the file that is gone or replaced.
    pub fn require(&self) -> Result<(), Error> {
        if identity(&self.database) != self.identity {
            return Err(Error::Gone(self.database.clone()));
        }
        let gone = self.log.as_ref().filter(|log| !log.exists());
        gone.map_or(Ok(()), |log| Err(Error::Gone(log.clone())))
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let of = |found: Metadata| (found.dev(), found.ino());
    path.metadata().ok().map(of)
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    path.metadata().ok().map(drop)
}

/// Refuses a file that has a second name in another folder: SQLite keeps the log by name, so that a process that
/// opens the other one loses what is in it.
#[cfg(unix)]
fn require_one_name(file: &Path) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata().ok().filter(Metadata::is_file);
    if found.is_some_and(|found| found.nlink() > 1) {
        return Err(Error::Config(format!(
            "{0}: the database has another name (a hard link), under which changes would be lost. Remove that name, \
             which `find / -xdev -samefile {0}` finds, or make the other one a copy.",
            file.display()
        )));
    }
    Ok(())
}

#[cfg(not(unix))]
fn require_one_name(_: &Path) -> Result<(), Error> {
    Ok(())
}

/// SQLite's number for the kind of an error.
fn code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<u32>().ok().map(|number| number & 0xff)
}

/// Explains a file that is missing, or that this user may not reach.
fn unreachable(named: &Path, error: &io::Error, purpose: Purpose) -> Error {
    let why = if named.is_symlink() {
        "is a symbolic link to a file that cannot be reached. Is its volume mounted?".to_owned()
    } else if error.kind() != io::ErrorKind::NotFound {
        format!("cannot be reached: {error}. Run the command as the user that serves.")
    } else if purpose.may_make() {
        "does not exist, and DATABASE_URL does not end with ?mode=rwc, which makes it.".to_owned()
    } else {
        "does not exist. Run the command in the folder of the server, or name its database with --config, \
         CLOAKROOM_DATA_DIR or DATABASE_URL."
            .to_owned()
    };
    Error::Config(format!("The database {} {why}", private::absolute(named)))
}

fn explain(file: &Path, error: sqlx::Error) -> Error {
    let cure = match code(&error) {
        Some(5) => "Another process holds it: try again, or stop that process.",
        Some(8 | 14) if file.is_dir() => "It is a folder: name a file.",
        Some(8 | 14) => {
            "Its user must be able to read and write the file and its folder: run it as the user that serves."
        }
        Some(10 | 13) => "Look at the disk.",
        Some(11 | 26) => "Name another file, or restore a copy.",
        _ => return error.into(),
    };
    let message = error.as_database_error().map(|it| it.message().to_owned());
    Error::Config(format!(
        "{}: {}. {cure}",
        file.display(),
        message.unwrap_or_default()
    ))
}
