//! A copy of an embedded database, made while a server goes on writing to it.
//!
//! `VACUUM INTO` reads one snapshot and delays no writer. SQLite's backup API, which the `.backup` of
//! its shell uses, starts anew at each commit and never ends beside a busy server.

use crate::server::error::Error;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// The row of `deployment` that marks a copy. A server refuses to serve a database that has it.
pub const COPIED_AT: &str = "copied_at";
/// The copy waits this long for a lock of another process.
const PATIENCE: Duration = Duration::from_secs(30);

/// A copy that was made.
pub struct Copied {
    /// The file that was copied.
    pub from: PathBuf,
    /// Length of the copy.
    pub bytes: u64,
}

/// Copies the SQLite database at `url` to a new file, which its owner alone can read. The copy is marked
/// as one, at this time in Unix seconds.
///
/// # Errors
/// If the database is another kind or does not exist, or the file exists or cannot be written.
pub async fn backup(url: &str, to: &Path, now: i64) -> Result<Copied, Error> {
    if !url.starts_with("sqlite:") {
        return Err(Error::Config(
            "cloakroom backup copies SQLite databases; copy this PostgreSQL database with pg_dump"
                .to_owned(),
        ));
    }
    // Without migrations: the copy before an upgrade is of the release that wrote the database.
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(false)
        .busy_timeout(PATIENCE);
    let from = options.get_filename().to_owned();
    if !from.is_file() {
        return Err(Error::Config(format!(
            "{}: there is no database to copy. Run the command in the folder of the server, or name its \
             database with --config, CLOAKROOM_DATA_DIR or DATABASE_URL",
            from.display()
        )));
    }
    make_new(to)?;
    // A part of a database must not pass for a copy, and no copy without its mark: the file has its name
    // when both are whole, also where the process is killed.
    let draft = draft_of(to);
    let copied = match make_new(&draft) {
        Ok(()) => copy(&options, &draft, to, now).await,
        Err(error) => Err(error),
    };
    if copied.is_err() {
        let _ = std::fs::remove_file(&draft);
        let _ = std::fs::remove_file(to);
    }
    Ok(Copied {
        from,
        bytes: copied?,
    })
}

/// Makes the file, empty: SQLite keeps its mode.
fn make_new(file: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Config(format!(
            "{}: the file exists, and a backup never writes over a file: name another one",
            file.display()
        ))),
        Err(source) => Err(failed(file, source)),
    }
}

/// A name beside the copy, of this process alone.
fn draft_of(to: &Path) -> PathBuf {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    to.with_file_name(format!(".{name}.{}.new", std::process::id()))
}

async fn copy(
    options: &SqliteConnectOptions,
    draft: &Path,
    to: &Path,
    now: i64,
) -> Result<u64, Error> {
    // From the root on, since SQLite reads a name that begins with `file:` as an address.
    let path = std::path::absolute(draft).map_err(|source| failed(to, source))?;
    let name = path.to_str().ok_or_else(|| {
        Error::Config(format!(
            "{}: the name of a copy must be UTF-8",
            to.display()
        ))
    })?;
    let refused = |error| Error::Config(format!("{}: the copy failed: {error}", to.display()));
    let mut connection = options.connect().await.map_err(refused)?;
    let made = sqlx::query("VACUUM INTO $1")
        .bind(name)
        .execute(&mut connection)
        .await;
    connection.close().await.map_err(refused)?;
    made.map_err(refused)?;
    mark(&path, now).await.map_err(refused)?;
    let file = File::open(&path).map_err(|source| failed(to, source))?;
    file.sync_all().map_err(|source| failed(to, source))?;
    std::fs::rename(&path, to).map_err(|source| failed(to, source))?;
    // The name must outlive a power cut as well.
    if let Some(folder) = path.parent() {
        let folder = File::open(folder).map_err(|source| failed(to, source))?;
        folder.sync_all().map_err(|source| failed(to, source))?;
    }
    let metadata = file.metadata().map_err(|source| failed(to, source))?;
    Ok(metadata.len())
}

async fn mark(copy: &Path, now: i64) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(copy);
    let mut connection = options.connect().await?;
    let marked = sqlx::query(
        "INSERT INTO deployment (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(COPIED_AT)
    .bind(now.to_string())
    .execute(&mut connection)
    .await;
    connection.close().await?;
    marked.map(drop)
}

fn failed(file: &Path, source: io::Error) -> Error {
    Error::Io {
        what: file.display().to_string(),
        source,
    }
}
