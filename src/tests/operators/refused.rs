//! Databases that cannot be used: one sentence each, with the cause.

use crate::{app::PASSWORD, place::Place, servers::Postgres};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use std::{
    io::{Read, Write},
    net::TcpListener,
};

fn complaint(url: &str) -> String {
    let complaint = crate::place(url).complaint(&crate::ADD, "");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

fn assert_says(complaint: &str, words: &[&str]) {
    for word in words {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
    assert!(!complaint.contains("a-password"), "{complaint}");
}

/// The address of a listener that says this and closes the connection.
fn listener(says: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            // Unread octets would make the end a reset.
            connection.read_exact(&mut [0; 8]).unwrap();
            connection.write_all(says).unwrap();
        }
    });
    format!("postgres://ada:a-password@{address}/x")
}

#[tokio::test]
async fn a_postgresql_that_cannot_be_reached_is_named_with_the_cause() {
    let server = Postgres::with("");
    server
        .sql("CREATE ROLE limited LOGIN PASSWORD 'a-password' CONNECTION LIMIT 0")
        .await;
    let url = server.url();
    let address = format!("127.0.0.1:{}", server.port());
    let wrong = url.replace("postgres:a-password-of-the-test", "ada:a-password");
    assert_says(&complaint(&wrong), &[&address, "password", "\"ada\""]);
    let other = server.url_at("127.0.0.1", "shop", "");
    assert_says(
        &complaint(&other),
        &[&address, "\"shop\"", "CREATE DATABASE"],
    );
    let name = server.url_at("db.invalid", "postgres", "");
    assert_says(&complaint(&name), &["db.invalid", "cannot be reached"]);
    assert_says(
        &complaint("postgres:///cloakroom?host=/nowhere&user=ada"),
        &["the socket in /nowhere", "Is it running"],
    );
    server
        .admit("host all postgres 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n");
    // These are asked again for some seconds.
    let limited = url.replace("postgres:a-password-of-the-test", "limited:a-password");
    let closed = "postgres://ada:a-password@127.0.0.1:1/cloakroom".to_owned();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let frozen = format!(
        "postgres://ada:a-password@{}/x",
        silent.local_addr().unwrap()
    );
    let closing = listener(b"");
    let asked =
        [limited, closed, frozen, closing].map(|url| std::thread::spawn(move || complaint(&url)));
    let [limited, closed, frozen, closing] = asked.map(|asked| asked.join().unwrap());
    assert_says(
        &limited,
        &["no connection left", "database.max_connections"],
    );
    assert_says(&closed, &["127.0.0.1:1 ", "refused", "Is it running"]);
    assert_says(&frozen, &["does not answer", "firewall"]);
    assert_says(&closing, &["closes each connection"]);
    let web = complaint(&listener(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert_says(
        &web,
        &["does not answer as PostgreSQL does", "is this its port"],
    );
    assert_says(&complaint(&url), &[&address, "\"postgres\"", "pg_hba.conf"]);
}

#[tokio::test]
async fn a_database_of_another_kind_is_refused_with_its_cure() {
    let server = Postgres::with("");
    server
        .sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
        .await;
    let latin = server.url_at("127.0.0.1", "latin", "");
    assert_says(&complaint(&latin), &["LATIN1", "ENCODING 'UTF8'"]);

    server
        .sql("CREATE ROLE serving LOGIN PASSWORD 'a-password'")
        .await;
    let serving = server
        .url()
        .replace("postgres:a-password-of-the-test", "serving:a-password");
    assert_says(
        &complaint(&serving),
        &[
            "\"serving\"",
            "may not create tables",
            "GRANT USAGE, CREATE ON SCHEMA public",
        ],
    );
    let read_only = server.url_at(
        "127.0.0.1",
        "postgres",
        "?options[default_transaction_read_only]=on",
    );
    assert_says(&complaint(&read_only), &["takes no writes", "primary"]);
}

#[tokio::test]
async fn a_database_of_another_release_is_refused_with_its_cure() {
    sqlx::any::install_default_drivers();
    let server = Postgres::with("");
    let place = Place::new();
    let sqlite = format!(
        "sqlite://{}?mode=rwc",
        place.folder().join("shared.db").display()
    );
    for url in [server.url(), sqlite] {
        let place = crate::place(&url);
        place.said(&crate::ADD, PASSWORD);
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        for (change, words) in [
            (
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
                ["A newer Cloakroom", "9999"],
            ),
            (
                "DELETE FROM _sqlx_migrations WHERE version = 9999",
                ["", ""],
            ),
            (
                "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations \
                 WHERE version = 2) WHERE version = 3",
                ["Migration 3", "restore a copy"],
            ),
        ] {
            sqlx::raw_sql(AssertSqlSafe(change))
                .execute(&mut connection)
                .await
                .unwrap();
            if words == ["", ""] {
                continue;
            }
            assert_says(&complaint(&url), &words);
        }
    }
}

#[tokio::test]
async fn an_ipv6_address_in_brackets_is_reached() {
    let server = Postgres::with("");
    let url = server.url_at("[::1]", "postgres", "");
    crate::place(&url).said(&crate::ADD, PASSWORD);
    let mut place = crate::place(&url);
    assert_eq!(place.serve("info").open("/health/ready").await.status, 200);
}
