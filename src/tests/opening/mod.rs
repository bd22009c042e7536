//! What the binary opens and makes at start, and what it says of that: an embedded database in a folder of
//! its own.

mod files;
mod migrating;
mod starting;
mod waiting;
mod wrong_folder;

use crate::place::Place;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The database of a server that runs here.
fn database(place: &Place) -> PathBuf {
    place.folder().join("data/cloakroom.db")
}

/// Everything in a folder and below it.
fn contents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        }
        found.push(path);
    }
    found
}

/// Standard error of a command that goes well.
fn logged(place: &Place, words: &[&str], typed: &str) -> String {
    let output = place.run(words, typed);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}
