//! PostgreSQL over TLS: which of its certificates are taken, and the start's warnings.

use crate::{
    app::{EMAIL, PASSWORD},
    place::Place,
    servers::Postgres,
};
use sqlx::{Connection, PgConnection};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// Reaches 127.0.0.1, and is by its letters no address of this machine.
const ELSEWHERE: &str = "[::ffff:127.0.0.1]";

fn at(database: &Postgres, host: &str, end: &str) -> Place {
    crate::place(&database.url_at(host, "postgres", end))
}

fn rooted(mode: &str, file: &Path) -> String {
    format!("?sslmode={mode}&sslrootcert={}", file.display())
}

#[tokio::test]
async fn a_verified_database_is_reached_by_tls_alone_and_without_a_warning() {
    let database = Postgres::with_tls("");
    let (certificate, key) = database.client_certificate("postgres");
    database.admit(
        "hostssl all all 127.0.0.1/32 cert\nhostssl all all ::1/128 cert\n\
         hostnossl all all 127.0.0.1/32 scram-sha-256\n",
    );
    let end = format!(
        "{}&sslcert={}&sslkey={}",
        rooted("verify-full", &database.authority()),
        certificate.display(),
        key.display()
    );
    let mut place = at(&database, "localhost", &end);
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(browser.open("/health/ready").await.status, 200);
    let in_clear = format!("{}?sslmode=disable", database.url());
    let mut own = PgConnection::connect(&in_clear).await.unwrap();
    let sql = "SELECT COUNT(*) FILTER (WHERE ssl), COUNT(*) FILTER (WHERE NOT ssl) \
               FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
               WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    // One of the pool, and two that are made a little later.
    let all_are_there = async {
        loop {
            let (by_tls, in_clear): (i64, i64) =
                sqlx::query_as(sql).fetch_one(&mut own).await.unwrap();
            assert_eq!(in_clear, 0);
            if by_tls >= 3 {
                break;
            }
        }
    };
    timeout(Duration::from_mins(1), all_are_there)
        .await
        .unwrap();
    let log = place.stop();
    assert!(!log.contains("event=\"database_"), "{log}");
}

#[tokio::test]
async fn the_start_warns_of_a_connection_that_an_attacker_could_read_or_take_over() {
    let database = Postgres::with_tls("");
    let rooted = |mode| rooted(mode, &database.authority());
    let clear = "database_in_clear_text";
    let unverified = "database_certificate_not_verified";
    at(&database, "127.0.0.1", "").said(&crate::ADD, PASSWORD);
    for (host, end, event) in [
        ("127.0.0.1", "", None),
        ("localhost", &rooted("require"), Some(unverified)),
        (
            "127.0.0.1",
            &rooted("verify-ca"),
            Some("database_name_not_verified"),
        ),
        (ELSEWHERE, "?sslmode=disable", Some(clear)),
        (ELSEWHERE, "", Some(unverified)),
    ] {
        let output = at(&database, host, end).run(&["user", "list"], "");
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{host}{end}: {log}");
        let warnings: Vec<&str> = log.lines().filter(|it| it.contains("WARN")).collect();
        assert_eq!(
            warnings.len(),
            usize::from(event.is_some()),
            "{host}{end}: {log}"
        );
        for word in event
            .into_iter()
            .flat_map(|event| [event, "sslmode=verify-full"])
        {
            assert!(warnings[0].contains(word), "{host}{end}: {log}");
        }
    }
    let plain = Postgres::with("");
    let place = at(&plain, ELSEWHERE, "").with("PGCHANNELBINDING", "require");
    let output = place.run(&["user", "list"], "");
    let log = String::from_utf8(output.stderr).unwrap();
    for word in [clear, "database_variables_ignored", "PGCHANNELBINDING"] {
        assert!(log.contains(word), "{log}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_refused_with_its_cure() {
    let database = Postgres::with_tls("");
    let plain = Postgres::with("");
    let missing = database.authority().with_file_name("missing.pem");
    let (certificate, key) = database.client_certificate("postgres");
    let other = rooted("verify-full", &certificate);
    let wrong_kind = rooted("verify-full", &key);
    let good = rooted("verify-full", &database.authority());
    let der = database.authority().with_file_name("ca.der");
    std::fs::write(&der, [0x30, 0x82, 0xff]).unwrap();
    let binary = rooted("verify-full", &der);
    let stranger = Postgres::with_tls("");
    let (certificate, key) = stranger.client_certificate("postgres");
    let (certificate, key) = (certificate.display(), key.display());
    let strange = format!("{good}&sslcert={certificate}&sslkey={key}");
    for (server, host, end, words) in [
        (
            &database,
            "localhost",
            &*strange,
            ["client certificate", "sslcert"],
        ),
        (
            &database,
            "localhost",
            "?sslmode=verify-full",
            ["no public authority", "sslrootcert=FILE"],
        ),
        (
            &database,
            "localhost",
            &other,
            ["postgres.pem", "authority"],
        ),
        (
            &database,
            "127.0.0.1",
            &good,
            ["localhost", "subjectAltName"],
        ),
        (
            &database,
            "localhost",
            &rooted("verify-full", &missing),
            ["missing.pem", "No such file"],
        ),
        (
            &database,
            "localhost",
            &wrong_kind,
            ["postgres.key", "PEM file"],
        ),
        (&database, "localhost", &binary, ["ca.der", "PEM file"]),
        (
            &plain,
            "localhost",
            "?sslmode=require",
            ["no TLS", "ssl = on"],
        ),
        (
            &plain,
            "localhost",
            &good,
            ["no TLS", "sslmode=verify-full"],
        ),
    ] {
        let complaint = at(server, host, end).complaint(&["user", "list"], "");
        for word in words {
            assert!(complaint.contains(word), "{host}{end}: {complaint}");
        }
    }
    // PostgreSQL's manual makes a certificate that is its own authority.
    for setting in ["ssl_cert_file = '../ca.pem'", "ssl_key_file = '../ca.key'"] {
        database.sql(&format!("ALTER SYSTEM SET {setting}")).await;
    }
    let mut database = database;
    database.stop();
    database.start();
    let complaint = at(&database, "localhost", &good).complaint(&["user", "list"], "");
    for word in ["signed itself", "docs/operate.md"] {
        assert!(complaint.contains(word), "{complaint}");
    }
}
