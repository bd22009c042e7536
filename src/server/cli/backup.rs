//! `cloakroom backup`: a copy of an SQLite database.

use super::print::print;
use crate::server::{clock::Clock, db, error::Error, settings::Settings};
use std::path::PathBuf;

/// Copies an SQLite database.
#[derive(clap::Args)]
pub struct Backup {
    /// The file to make; one that exists is never written over
    file: PathBuf,
}

impl Backup {
    /// Copies the database of these settings.
    ///
    /// # Errors
    /// If there is nothing to copy, the file exists, or it cannot be written.
    pub async fn run(self, settings: &Settings) -> Result<(), Error> {
        let url = settings.config.database_url();
        let copied = db::backup(&url, &self.file, Clock::system().now_s()).await?;
        print(&[
            format!(
                "Copied {} to {} ({} bytes).",
                copied.from.display(),
                self.file.display(),
                copied.bytes
            ),
            "The signing secret is not in the copy: keep a copy of it in another place.".to_owned(),
        ])
    }
}
