//! Names, modes and the whereabouts of the files.

use super::{contents, database};
use crate::{
    app::{Browser, EMAIL, PASSWORD},
    place::Place,
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder `data` that was there before, as volumes and service managers make it.
fn place_with_data(mode: u32) -> Place {
    let place = Place::new();
    let data = place.folder().join("data");
    fs::create_dir(&data).unwrap();
    set_mode(&data, mode);
    place
}

async fn ready(browser: &Browser) -> u16 {
    browser.open("/health/ready").await.status
}

#[tokio::test]
async fn a_command_ends_what_the_server_serves_under_another_name_of_its_database() {
    let mut place = Place::new();
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let other = place_with_data(0o700);
    symlink(database(&place), database(&other)).unwrap();
    let key = "data/secret.key";
    fs::copy(place.folder().join(key), other.folder().join(key)).unwrap();
    assert!(browser.viewer().await.is_some());
    other.said(&["user", "disable", "--email", EMAIL], "");
    assert_eq!(browser.viewer().await, None);
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 401);
    let second = other
        .command(&[])
        .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
        .output();
    let complaint = String::from_utf8(second.unwrap().stderr).unwrap();
    let told = "Another server has the database";
    assert!(complaint.contains(told), "{complaint}");
    // A link to a volume that is not there is no place for a new database.
    let dangling = place_with_data(0o700);
    symlink(dangling.folder().join("gone/x.db"), database(&dangling)).unwrap();
    let complaint = dangling.complaint(&["user", "add", "--email", EMAIL], PASSWORD);
    assert!(complaint.contains("symbolic link"), "{complaint}");
}

#[tokio::test]
async fn files_are_private_in_a_folder_that_others_can_enter() {
    let mut place = place_with_data(0o755);
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    place.said(&["user", "disable", "--email", EMAIL], "");
    let files = contents(&place.folder().join("data"));
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let log = place.stop();
    assert!(!log.contains("files_readable_by_others"), "{log}");
}

#[tokio::test]
async fn files_that_other_users_can_read_are_named_with_the_command_that_mends_them() {
    let mut place = place_with_data(0o755);
    place.serve("info");
    place.stop();
    let file = database(&place);
    set_mode(&file, 0o644);
    place.serve("info");
    let log = place.stop();
    let told = format!("chmod 600 {}", file.display());
    assert!(log.contains(&told), "{log}");
    // In a folder that others cannot enter, a file's own mode says nothing.
    set_mode(&place.folder().join("data"), 0o700);
    place.serve("info");
    let log = place.stop();
    assert!(!log.contains("chmod"), "{log}");
}

#[test]
fn a_secret_that_other_users_can_read_is_refused_with_the_command_that_mends_it() {
    let place = place_with_data(0o755);
    let add = ["user", "add", "--email", EMAIL];
    place.said(&add, PASSWORD);
    let key = place.folder().join("data/secret.key");
    let text = fs::read_to_string(&key).unwrap();
    for open in [0o644, 0o604] {
        set_mode(&key, open);
        for words in [&[][..], &["user", "list"]] {
            let complaint = place.complaint(words, "");
            let told = format!("chmod 600 {}", key.display());
            assert!(complaint.contains(&told), "{open:o}: {complaint}");
            assert!(!complaint.contains(text.trim()), "{complaint}");
        }
    }
    // Kubernetes gives the server its volume by a group.
    for private in [0o600, 0o640] {
        set_mode(&key, private);
        place.said(&["user", "list"], "");
    }
}

#[tokio::test]
async fn no_data_folder_is_made_where_nothing_goes_into_it() {
    let place = Place::new();
    let file = place.folder().join("elsewhere.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let mut place = place
        .with("DATABASE_URL", &url)
        .with("CLOAKROOM_SECRET_KEY", &"A".repeat(43));
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    place.said(&["user", "list"], "");
    assert!(!place.folder().join("data").exists());
    assert_eq!(mode(&file), 0o600);
}

#[tokio::test]
async fn a_server_whose_files_were_moved_away_is_not_ready_and_takes_no_writes() {
    let mut place = Place::new();
    let browser = place.serve("info");
    assert_eq!(ready(&browser).await, 200);
    let (data, away) = (place.folder().join("data"), place.folder().join("away"));
    fs::rename(&data, &away).unwrap();
    assert_eq!(ready(&browser).await, 503);
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 503);
    // Another file of that name is another database.
    fs::create_dir(&data).unwrap();
    fs::copy(away.join("cloakroom.db"), database(&place)).unwrap();
    assert_eq!(ready(&browser).await, 503);
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&away, &data).unwrap();
    assert_eq!(ready(&browser).await, 200);
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    // A log that is gone takes with it what it holds.
    let log = data.join("cloakroom.db-wal");
    fs::rename(&log, data.join("kept")).unwrap();
    assert_eq!(ready(&browser).await, 503);
    fs::rename(data.join("kept"), &log).unwrap();
    assert_eq!(ready(&browser).await, 200);
    let log = place.stop();
    assert!(log.contains("cloakroom.db is gone"), "{log}");
}
