//! The order of a start, and the line that it writes.

use super::{contents, database};
use crate::{app::EMAIL, place::Place};
use std::{fs, net::TcpListener};

#[test]
fn a_start_that_cannot_listen_touches_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new().with("LEPTOS_SITE_ADDR", &address);
    let complaint = place.complaint(&[], "");
    assert!(complaint.contains(&address), "{complaint}");
    assert!(contents(place.folder()).is_empty());
}

#[tokio::test]
async fn a_start_beside_another_server_touches_nothing() {
    let mut place = Place::new();
    place.serve("info");
    let key = place.folder().join("data/secret.key");
    fs::remove_file(&key).unwrap();
    let second = place
        .command(&[])
        .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
        .output();
    let complaint = String::from_utf8(second.unwrap().stderr).unwrap();
    let told = "Another server has the database";
    assert!(complaint.contains(told), "{complaint}");
    assert!(!key.exists());
}

#[tokio::test]
async fn the_start_names_version_database_settings_data_address_and_sign_up() {
    let mut place = Place::new();
    fs::write(place.folder().join("Leptos.toml"), "[server]\n").unwrap();
    let browser = place.serve("info");
    let address = browser.url().strip_prefix("http://").unwrap().to_owned();
    let log = place.stop();
    let line = log.lines().find(|line| line.contains("event=\"starting\""));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    let database = format!("SQLite {}", database(&place).display());
    let data = format!("data=\"{}\"", place.folder().join("data").display());
    let settings = place.folder().join("Leptos.toml");
    for told in [
        &version,
        &database,
        &data,
        settings.to_str().unwrap(),
        &address,
        "sign_up=\"open\"",
    ] {
        assert!(line.contains(told), "{told}: {line}");
    }
}

#[test]
fn an_empty_variable_of_the_database_the_secret_or_the_folder_is_an_error() {
    for variable in [
        "DATABASE_URL",
        "CLOAKROOM_DATABASE_URL",
        "CLOAKROOM_SECRET_KEY",
        "CLOAKROOM_DATA_DIR",
    ] {
        for value in ["", " "] {
            let place = Place::new().with(variable, value);
            for words in [&[][..], &["user", "add", "--email", EMAIL]] {
                let complaint = place.complaint(words, "");
                let told = format!("{variable} is empty");
                assert!(complaint.contains(&told), "{variable}: {complaint}");
            }
            assert!(contents(place.folder()).is_empty(), "{variable}");
        }
    }
}
