//! Commands beside a busy database, and the log of SQLite.

use super::database;
use crate::{
    app::{EMAIL, PASSWORD, TestApp},
    place::Place,
};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

async fn connect(file: &std::path::Path) -> SqliteConnection {
    let url = format!("sqlite://{}", file.display());
    SqliteConnection::connect(&url).await.unwrap()
}

#[tokio::test]
async fn a_command_that_waits_for_the_database_says_so_and_goes_on_when_it_is_free() {
    let place = Place::new();
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    let mut writer = connect(&database(&place)).await;
    writer.execute("BEGIN IMMEDIATE").await.unwrap();
    let mut command = place
        .command(&["user", "sign-out", "--email", EMAIL])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(command.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("database_busy") {
        let read = log.read_line(&mut said).unwrap();
        assert_ne!(read, 0, "it ended: {said}");
    }
    assert!(said.contains(database(&place).to_str().unwrap()), "{said}");
    writer.execute("ROLLBACK").await.unwrap();
    log.read_to_string(&mut said).unwrap();
    assert!(command.wait().unwrap().success(), "{said}");
}

#[tokio::test]
async fn the_log_of_sqlite_shrinks_after_a_slow_reader_let_it_grow() {
    let app = TestApp::new().await;
    let Some(file) = app.state.db.file() else {
        return;
    };
    let path = format!("{}-wal", file.display());
    let mut reader = connect(file).await;
    reader.execute("BEGIN").await.unwrap();
    reader.execute("SELECT COUNT(*) FROM users").await.unwrap();
    let mut writer = connect(file).await;
    writer.execute("CREATE TABLE big (x BLOB)").await.unwrap();
    let big = "INSERT INTO big VALUES (zeroblob(40000000))";
    writer.execute(big).await.unwrap();
    let long = fs::metadata(&path).unwrap().len();
    reader.execute("ROLLBACK").await.unwrap();
    // The first write copies the log into the database, the next begins the log anew.
    for count in 0..3 {
        app.signed_up(&format!("{count}@example.com")).await;
    }
    let short = fs::metadata(&path).unwrap().len();
    assert!(long > 40_000_000 && short < 20_000_000, "{long} {short}");
}

/// Older ones can lose a transaction when the log begins anew; a dependency can bring one back.
#[tokio::test]
async fn the_bundled_sqlite_is_3_51_3_or_newer() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let version: String = sqlx::query_scalar(AssertSqlSafe("SELECT sqlite_version()"))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let parts: Vec<u32> = version.split('.').map(|it| it.parse().unwrap()).collect();
    assert!(parts >= vec![3, 51, 3], "{version}");
}
