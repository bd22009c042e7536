//! The keys of a secret in another order, and the file that has them.

use super::{KEY_LEN, Secret, sync_folder};
use crate::server::{error::Error, random::Random};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

impl Secret {
    /// Adds a new key as the oldest one: it verifies, and signs nothing yet.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn with_new(&self, random: &Random) -> Result<Self, Error> {
        let mut keys = self.0.clone();
        keys.push(random.bytes::<KEY_LEN>()?);
        Ok(Self(keys))
    }

    /// Puts the key at this index first; the others keep their order.
    #[must_use]
    pub fn with_first(&self, index: usize) -> Self {
        let mut keys = self.0.clone();
        keys[..=index].rotate_right(1);
        Self(keys)
    }

    /// Keeps the newest key alone.
    #[must_use]
    pub fn newest_alone(&self) -> Self {
        Self(self.0.iter().take(1).copied().collect())
    }

    /// The key at the end, as a setting has it.
    pub fn reveal_last(&self) -> String {
        let last = self.0.last().map(|key| BASE64_URL_SAFE_NO_PAD.encode(key));
        last.unwrap_or_default()
    }

    /// Writes the keys over those of a file, which keeps its owner, its mode and its comments. The file is never
    /// seen half written.
    ///
    /// # Errors
    /// If it cannot be written; the file is then as it was.
    pub fn write_over(&self, file: &Path, random: &Random) -> Result<(), Error> {
        let written = random.id().and_then(|name| {
            self.replace(file, &name).map_err(|source| Error::Io {
                what: file.display().to_string(),
                source,
            })
        });
        written.map(drop)
    }

    fn replace(&self, file: &Path, name: &str) -> io::Result<()> {
        // Behind a symbolic link, the file itself.
        let file = &file.canonicalize()?;
        let before = fs::read_to_string(file)?;
        let comments = before.lines().filter(|line| line.starts_with('#'));
        let keys = self.0.iter().map(|key| BASE64_URL_SAFE_NO_PAD.encode(key));
        let lines = comments.map(str::to_owned).chain(keys);
        let text: String = lines.map(|line| line + "\n").collect();
        let draft = file.with_file_name(format!(".{name}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut new = options.open(&draft)?;
        let written = keep_owner(file, &draft)
            .and_then(|()| new.write_all(text.as_bytes()))
            .and_then(|()| new.sync_all())
            .and_then(|()| fs::rename(&draft, file))
            .and_then(|()| sync_folder(file));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written
    }
}

/// Gives the new file the owner of the old one: root may run the command for a service of another user.
#[cfg(unix)]
fn keep_owner(file: &Path, draft: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let (old, new) = (file.metadata()?, draft.metadata()?);
    fs::set_permissions(draft, old.permissions())?;
    if (old.uid(), old.gid()) == (new.uid(), new.gid()) {
        return Ok(());
    }
    chown(draft, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}
