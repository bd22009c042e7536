//! What a process makes in a PostgreSQL, and what it says of it.

use super::{SECRET, database, node};
use crate::{
    app::{EMAIL, PASSWORD},
    place::Place,
};
use sqlx::{Connection, PgConnection, migrate::Migrator};
use std::path::Path;

async fn count(url: &str, sql: &'static str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let counted = sqlx::query_scalar(sql).fetch_one(&mut connection).await;
    counted.unwrap()
}

#[tokio::test]
async fn a_command_makes_nothing_in_a_database_without_tables() {
    let url = database().await;
    let place = node(&url);
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
    for words in [
        &["user", "list"][..],
        &["user", "sign-out", "--all"],
        &["keys", "rotate"],
        &["secret", "adopt"],
    ] {
        let complaint = place.complaint(words, "");
        let (_, name) = url.rsplit_once('/').unwrap();
        for told in [name, "has no tables"] {
            assert!(complaint.contains(told), "{words:?}: {complaint}");
        }
        assert_eq!(count(&url, tables).await, 0, "{words:?}");
    }
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    assert!(count(&url, tables).await > 0);
    assert!(!place.folder().join("data").exists());
}

#[tokio::test]
async fn only_a_server_brings_a_shared_database_up_to_date() {
    let url = database().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/migrations");
    let migrator = Migrator::new(folder).await.unwrap();
    let mut versions = migrator.iter().map(|it| it.version).rev();
    let (last, before) = (versions.next().unwrap(), versions.next().unwrap());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    migrator.run_to(before, &mut connection).await.unwrap();
    let mut place = node(&url);
    let applied = "SELECT MAX(version) FROM _sqlx_migrations";
    for words in [&["user", "list"][..], &["user", "add", "--email", EMAIL]] {
        let complaint = place.complaint(words, PASSWORD);
        assert!(complaint.contains("older version"), "{complaint}");
        assert_eq!(count(&url, applied).await, before, "{words:?}");
    }
    place.serve("info");
    assert_eq!(count(&url, applied).await, last);
    place.said(&["user", "list"], "");
}

#[tokio::test]
async fn the_start_names_the_database_without_its_password() {
    let url = database().await;
    let mut place: Place = node(&url);
    place.serve("info");
    let log = place.stop();
    let line = log.lines().find(|line| line.contains("event=\"starting\""));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    let (before, place_of_it) = url.rsplit_once('@').unwrap();
    let (address, name) = place_of_it.split_once('/').unwrap();
    let told = format!("PostgreSQL at {address}, database \\\"{name}\\\"");
    assert!(line.contains(&told), "{line}");
    assert!(line.contains("data=\"not used\""), "{line}");
    let (_, password) = before.rsplit_once(':').unwrap();
    for secret in [password, SECRET] {
        assert!(!log.contains(secret), "{log}");
    }
}
