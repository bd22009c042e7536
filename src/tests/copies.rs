//! Copies of the database.

use crate::{
    app::{EMAIL, PASSWORD},
    place::Place,
};
use std::{fs, path::Path};

const DATABASE: &str = "data/cloakroom.db";

/// A place whose data folder has these two files alone.
fn place_of(database: &Path, secret: &Path) -> Place {
    let place = Place::new();
    fs::create_dir(place.folder().join("data")).unwrap();
    fs::copy(database, place.folder().join(DATABASE)).unwrap();
    fs::copy(secret, place.folder().join("data/secret.key")).unwrap();
    place
}

#[test]
fn a_plain_copy_of_the_database_file_after_a_command_is_whole() {
    let place = Place::new();
    let file = place.folder().join(DATABASE);
    let log = place.folder().join("data/cloakroom.db-wal");
    let secret = place.folder().join("data/secret.key");
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    assert!(!log.exists(), "the log is in the database");
    let copy = place_of(&file, &secret);
    assert!(copy.said(&["user", "list"], "").contains(EMAIL));
    // Whatever the command, and although it failed.
    for words in [
        &["user", "sign-out", "--all"][..],
        &["client", "list"],
        &["keys", "rotate"],
        &["secret", "adopt"],
    ] {
        place.said(words, "");
        assert!(!log.exists(), "{words:?}");
    }
    place.complaint(&["user", "disable", "--email", "x@example.com"], "");
    assert!(!log.exists());
}
