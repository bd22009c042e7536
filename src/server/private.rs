//! Files that other users of the machine cannot read.
//!
//! Each is made with its mode: a process that changed it afterwards would be too late for a reader that has
//! the file open.

use super::error::Error;
use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions},
    io,
    path::Path,
};

/// Makes the folder with mode 0700, and those above it, unless it is there.
///
/// # Errors
/// Names the folder and says what to do.
pub fn make_folder(folder: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        Error::Config(format!(
            "{}: the data folder cannot be made: {error}. Make it for the user that serves, or name another \
             one with CLOAKROOM_DATA_DIR.",
            absolute(folder)
        ))
    })
}

/// Options that make a file with mode 0600.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes an empty file, unless there is one or a symbolic link. An existing file is not opened: closing it would
/// drop the locks that SQLite holds on it in this process.
///
/// # Errors
/// If there is none and it cannot be made.
pub fn make(path: &Path) -> io::Result<()> {
    match options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file for appending, and makes it first where it is missing.
///
/// # Errors
/// Names the file.
pub fn open(path: &Path) -> Result<File, Error> {
    let opened = options().create(true).append(true).open(path);
    opened.map_err(|source| Error::Io {
        what: path.display().to_string(),
        source,
    })
}

/// Refuses a secret file that other users of the machine can read.
///
/// # Errors
/// Says how to take that away.
pub fn require(path: &Path) -> Result<(), Error> {
    if is_readable_by_others(path) {
        return Err(Error::Config(format!(
            "{0}: other users of this machine can read the secret. Run: chmod 600 {0}",
            absolute(path)
        )));
    }
    Ok(())
}

/// Warns of those files that other users of the machine can read.
pub fn warn_of_readable<'a>(paths: impl Iterator<Item = &'a Path>) {
    let readable: Vec<String> = paths
        .filter(|path| is_readable_by_others(path))
        .map(absolute)
        .collect();
    if !readable.is_empty() {
        let files = readable.join(" ");
        tracing::warn!(
            event = "files_readable_by_others",
            "other users of this machine can read addresses and password hashes: chmod 600 {files}"
        );
    }
}

/// The path from the root, for a line that is read elsewhere.
pub fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path);
    absolute.as_deref().unwrap_or(path).display().to_string()
}

/// Whether all users of the machine have the right to the file and to enter its folder. What a group may, its
/// operator has given it: Kubernetes gives a pod its volumes by a group.
#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let mode = |found: Metadata| found.mode();
    // Behind a symbolic link, the file itself and its own folder.
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    let folder = path.parent().and_then(|folder| folder.metadata().ok());
    let file = path.metadata().map_or(0, mode);
    file & 0o004 != 0 && folder.map_or(0o777, mode) & 0o001 != 0
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &Path) -> bool {
    false
}
