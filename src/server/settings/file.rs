//! The settings file, and one sentence for an operator where it cannot be read.

use crate::server::error::Error;
use figment::{
    Metadata, Profile, Provider,
    error::Kind,
    providers::{Format, Toml},
    value::{Dict, Map},
};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Settings file of a folder where no other is named.
const USUAL: &str = "Leptos.toml";

/// A settings file that was read.
pub(super) struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Its tables.
    pub tables: Dict,
}

impl File {
    /// Reads the named file, or `Leptos.toml` of this folder if there is one.
    ///
    /// # Errors
    /// Names the file and why it cannot be read, without any of its text: a line of it may hold a
    /// secret.
    pub fn read(named: Option<&Path>) -> Result<Option<Self>, Error> {
        let path = named.unwrap_or_else(|| Path::new(USUAL));
        let refuse = |why: String| Error::Config(format!("{}: {why}", path.display()));
        let text = match std::fs::read_to_string(path) {
            Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => {
                return Ok(None);
            }
            read => read.map_err(|error| refuse(why_unread(&error)))?,
        };
        let mut profiles = Toml::string(&text)
            .data()
            .map_err(|error| refuse(why_no_toml(&error.kind)))?;
        Ok(Some(Self {
            path: path.to_owned(),
            text,
            tables: profiles.remove(&Profile::Default).unwrap_or_default(),
        }))
    }
}

impl Provider for File {
    fn metadata(&self) -> Metadata {
        Metadata::from("settings file", self.path.as_path())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.tables.clone()))
    }
}

/// Says why a file cannot be read, and what to do.
pub(super) fn why_unread(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::IsADirectory => "this is a folder, and a file is expected".to_owned(),
        ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        ErrorKind::PermissionDenied => {
            "the user that runs Cloakroom may not read it; change its owner or its mode".to_owned()
        }
        _ => format!("it cannot be read: {error}"),
    }
}

/// Position and message of a syntax error. The parser's own text quotes the line as well.
fn why_no_toml(kind: &Kind) -> String {
    const UNKNOWN: &str = "this is not TOML";
    let Kind::Message(text) = kind else {
        return UNKNOWN.to_owned();
    };
    without_quoted_line(text).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// Keeps the first line of a TOML parser's text, which is the position, and those below the quoted line.
fn without_quoted_line(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let position = lines.next()?.strip_prefix("TOML parse error at ")?;
    // A margin, the quoted line, and the mark below it.
    let message: Vec<&str> = lines.skip(3).filter(|line| !line.is_empty()).collect();
    Some(format!("{position}: {}", message.join(", ")))
}
