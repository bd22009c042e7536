//! Tables of an older version: who brings them up to date, and when.

use super::database;
use crate::{
    app::{EMAIL, PASSWORD},
    place::Place,
};
use sqlx::{Connection, SqliteConnection, migrate::Migrator};
use std::{fs, fs::File, path::Path};

/// A place whose database is of the version before, and how many migrations it has had.
async fn of_the_version_before() -> (Place, i64) {
    let place = Place::new().with("CLOAKROOM_SECRET_KEY", &"A".repeat(43));
    let file = database(&place);
    fs::create_dir(file.parent().unwrap()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/migrations");
    let migrator = Migrator::new(folder).await.unwrap();
    let versions = migrator.iter().map(|migration| migration.version);
    let before = versions.rev().nth(1).unwrap();
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    migrator.run_to(before, &mut connection).await.unwrap();
    connection.close().await.unwrap();
    (place, before)
}

async fn applied(place: &Place) -> i64 {
    let url = format!("sqlite://{}", database(place).display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let count = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await;
    connection.close().await.unwrap();
    count.unwrap()
}

#[tokio::test]
async fn a_command_of_a_newer_version_leaves_the_tables_of_a_running_server_alone() {
    let (place, before) = of_the_version_before().await;
    // Where a server of any version holds its lock.
    let lock = File::create(place.folder().join("data/cloakroom.db-serving")).unwrap();
    lock.try_lock().unwrap();
    for words in [&["user", "list"][..], &["user", "add", "--email", EMAIL]] {
        let complaint = place.complaint(words, PASSWORD);
        let path = database(&place);
        for told in [path.to_str().unwrap(), "older version", "serves it"] {
            assert!(complaint.contains(told), "{words:?}: {complaint}");
        }
        assert_eq!(applied(&place).await, before, "{words:?}");
    }
    drop(lock);
    place.said(&["user", "list"], "");
    assert!(applied(&place).await > before);
}
