//! Commands that are given where there is no database, or none that can be opened.

use super::{contents, database, logged};
use crate::{
    app::{EMAIL, PASSWORD},
    place::Place,
};
use std::fs;

/// Every command that neither serves nor adds and that asks a database.
const COMMANDS: [&[&str]; 16] = [
    &["user", "list"],
    &["user", "disable", "--email", EMAIL],
    &["user", "enable", "--email", EMAIL],
    &["user", "rename", "--id", "x", "--email", EMAIL],
    &["user", "sign-out", "--email", EMAIL],
    &["user", "sign-out", "--all"],
    &["client", "list"],
    &["client", "edit", "x", "--name", "Shop"],
    &["client", "disable", "x"],
    &["keys", "list"],
    &["keys", "rotate"],
    &["secret", "adopt"],
    &["secret", "rotate"],
    &["restored"],
    &["user", "set-password", "--email", EMAIL],
    &["user", "delete", "--email", EMAIL, "--yes"],
];

#[test]
fn a_command_in_the_wrong_folder_makes_nothing_and_names_the_file_that_is_missing() {
    for words in COMMANDS {
        let place = Place::new();
        let complaint = place.complaint(words, "");
        for told in [
            database(&place).to_str().unwrap(),
            "CLOAKROOM_DATA_DIR",
            "DATABASE_URL",
        ] {
            assert!(complaint.contains(told), "{words:?}: {complaint}");
        }
        assert!(contents(place.folder()).is_empty(), "{words:?}");
    }
}

#[test]
fn a_command_names_the_database_that_it_used() {
    let place = Place::new();
    let path = database(&place);
    let path = path.to_str().unwrap();
    let add = ["user", "add", "--email", EMAIL];
    assert!(logged(&place, &add, PASSWORD).contains(path));
    for words in [
        &["user", "list"][..],
        &["client", "list"],
        &["keys", "list"],
    ] {
        let said = logged(&place, words, "");
        assert!(said.contains(path), "{words:?}: {said}");
    }
}

#[test]
fn a_database_that_cannot_be_opened_is_named_with_what_to_do() {
    type Spoil = fn(&std::path::Path);
    let cases: [(&str, Spoil, &str); 4] = [
        (
            "no database",
            |file| fs::write(file, "no database at all").unwrap(),
            "is not a database",
        ),
        ("a folder", |file| fs::create_dir(file).unwrap(), "folder"),
        (
            "no tables",
            |file| fs::write(file, "").unwrap(),
            "has no tables",
        ),
        (
            "a second name",
            |file| {
                fs::write(file, "").unwrap();
                fs::hard_link(file, file.with_extension("other")).unwrap();
            },
            "hard link",
        ),
    ];
    for (what, spoil, told) in cases {
        let place = Place::new().with("CLOAKROOM_SECRET_KEY", &"A".repeat(43));
        fs::create_dir(place.folder().join("data")).unwrap();
        let file = database(&place);
        spoil(&file);
        let complaint = place.complaint(&["user", "list"], "");
        assert!(complaint.contains(told), "{what}: {complaint}");
        let path = file.to_str().unwrap();
        assert!(complaint.contains(path), "{what}: {complaint}");
    }
}

#[test]
fn a_command_without_its_secret_names_the_file_and_makes_none() {
    let place = Place::new();
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    let key = place.folder().join("data/secret.key");
    fs::remove_file(&key).unwrap();
    for words in COMMANDS {
        let complaint = place.complaint(words, "");
        for told in [key.to_str().unwrap(), "CLOAKROOM_SECRET_KEY"] {
            assert!(complaint.contains(told), "{words:?}: {complaint}");
        }
        assert!(!key.exists(), "{words:?}");
    }
}
