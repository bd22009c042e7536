//! The two files beside an embedded database: by one the server knows that it is the only one, in
//! the other the operator's commands leave marks for it.

use crate::server::{db::Db, error::Error};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// A file whose length tells how much other processes have ended. It is held open, because the
/// server looks at it at every check, and to find it by its name takes thrice as long.
pub struct Marks {
    path: PathBuf,
    file: File,
}

impl Marks {
    /// Of the database in this file.
    ///
    /// # Errors
    /// If they can be neither opened nor made.
    pub fn open(database: &Path) -> Result<Self, Error> {
        let path = beside(database, "-ended");
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(io(&path, source)),
        }
    }

    /// How many there are. `None` if nobody can say: once the file is gone from its folder, the
    /// next mark is left in another.
    pub fn count(&self) -> Option<u64> {
        let found = self.file.metadata().ok()?;
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::nlink(&found) == 0 {
            return None;
        }
        Some(found.len())
    }

    /// Leaves one: the server forgets what it had in memory.
    ///
    /// # Errors
    /// If it cannot be written; the same command once more leaves it.
    pub fn leave(&self) -> Result<(), Error> {
        let written = (&self.file).write_all(b".");
        written.map_err(|source| io(&self.path, source))
    }
}

/// Holds the lock of the one process that serves an embedded database, for as long as the file is
/// open: of what others end one process hears.
///
/// # Errors
/// If another has it.
pub fn serve_alone(db: &Db) -> Result<Option<File>, Error> {
    let Some(file) = db.file() else {
        return Ok(None);
    };
    let path = beside(file, "-serving");
    let mut options = File::options();
    let opened = options.create(true).append(true).open(&path);
    let lock = opened.map_err(|source| io(&path, source))?;
    lock.try_lock().map_err(|_| {
        Error::Config(format!(
            "Another server has the database {}; several need PostgreSQL.",
            file.display()
        ))
    })?;
    Ok(Some(lock))
}

fn beside(database: &Path, what: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(what);
    path.into()
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        what: path.display().to_string(),
        source,
    }
}
