//! The two files beside an embedded database: by one the server knows that it is the only one, in
//! the other the operator's commands leave marks for it.

use crate::server::{
    db::sqlite::{beside, lock},
    error::Error,
    private,
};
use std::{
    fs::{File, Metadata},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The file to which other processes add a byte for each change that they have committed.
pub struct Marks(PathBuf);

/// What that file was like at one moment: the next mark makes it another, even if it was moved away
/// in the meantime, replaced or made shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    Missing,
    There { length: u64, stamp: Stamp },
}

/// Which file it is, and when it was last changed or renamed; whatever the system tells of that.
#[cfg(unix)]
type Stamp = (u64, u64, i64, i64);
#[cfg(not(unix))]
type Stamp = Option<std::time::SystemTime>;

impl Marks {
    /// Of the database in this file.
    pub fn of(database: &Path) -> Self {
        Self(beside(database, "-ended"))
    }

    /// Looks at it, by its name: a file that is held open may no longer be the one that is marked.
    ///
    /// # Errors
    /// If nobody can say what it is like.
    pub fn look(&self) -> io::Result<Look> {
        match self.0.metadata() {
            Ok(found) => Ok(Look::There {
                length: found.len(),
                stamp: stamp(&found),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Look::Missing),
            Err(error) => Err(error),
        }
    }

    /// Makes it, if it is not there.
    ///
    /// # Errors
    /// If nothing could be written to it.
    pub fn open(&self) -> Result<File, Error> {
        private::open(&self.0)
    }

    /// Leaves one: the server forgets what it had in memory.
    ///
    /// # Errors
    /// If it cannot be written; the same command once more leaves it.
    pub fn leave(&self) -> Result<(), Error> {
        let written = self.open()?.write_all(b".");
        written.map_err(|source| Error::Io {
            what: self.0.display().to_string(),
            source,
        })
    }
}

#[cfg(unix)]
fn stamp(found: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino(), found.ctime(), found.ctime_nsec())
}

#[cfg(not(unix))]
fn stamp(found: &Metadata) -> Stamp {
    found.modified().ok()
}

/// Holds the lock of the one process that serves an embedded database, for as long as the file is
/// open: of what others end one process hears. The file of the marks is made by it, so that it is
/// its user's, whoever gives the first command.
///
/// # Errors
/// If another has it, or a file cannot be made.
pub fn serve_alone(database: &Path) -> Result<File, Error> {
    let lock = lock(database)?.ok_or_else(|| {
        Error::Config(format!(
            "Another server has the database {}. Stop it first, or use PostgreSQL for several servers.",
            database.display()
        ))
    })?;
    Marks::of(database).open()?;
    Ok(lock)
}

/// Whether another process serves the embedded database.
///
/// # Errors
/// If the file of the lock cannot be opened.
pub fn is_served(database: &Path) -> Result<bool, Error> {
    Ok(lock(database)?.is_none())
}
