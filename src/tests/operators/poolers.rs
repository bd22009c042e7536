//! A pgbouncer between Cloakroom and PostgreSQL.

use crate::{
    app::{EMAIL, PASSWORD},
    place::Place,
    servers::{Pgbouncer, Postgres},
};

/// Lets in a driver that sends this parameter when it connects.
const EXTRA: &str = "ignore_startup_parameters = extra_float_digits";

fn behind(pooler: &Pgbouncer) -> Place {
    crate::place(&pooler.url())
}

#[tokio::test]
async fn a_pooler_in_session_mode_serves() {
    let database = Postgres::with("");
    let pooler = Pgbouncer::before(&database, "session", EXTRA);
    let mut place = behind(&pooler);
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(browser.open("/health/ready").await.status, 200);
    assert_eq!(browser.call("sign_out", &[]).await.status, 200);
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn a_pooler_that_cannot_serve_is_refused_with_its_setting() {
    let database = Postgres::with("");
    for (pool_mode, lines, words) in [
        (
            "session",
            "",
            ["extra_float_digits", "ignore_startup_parameters"],
        ),
        (
            "transaction",
            EXTRA,
            ["several of ours", "pool_mode = session"],
        ),
        (
            "statement",
            EXTRA,
            ["several of ours", "pool_mode = session"],
        ),
    ] {
        let pooler = Pgbouncer::before(&database, pool_mode, lines);
        let complaint = behind(&pooler).complaint(&["user", "list"], "");
        for word in words {
            assert!(complaint.contains(word), "{pool_mode}: {complaint}");
        }
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

#[tokio::test]
async fn a_pooler_whose_database_was_away_says_how_long_it_refuses() {
    let mut database = Postgres::with("");
    let lines = format!("{EXTRA}\nquery_wait_timeout = 1");
    let pooler = Pgbouncer::before(&database, "session", &lines);
    behind(&pooler).said(&crate::ADD, PASSWORD);
    database.stop();
    let complaint = behind(&pooler).complaint(&["user", "list"], "");
    assert!(complaint.contains("no connection to give"), "{complaint}");
    database.start();
    let complaint = behind(&pooler).complaint(&["user", "list"], "");
    assert!(complaint.contains("server_login_retry"), "{complaint}");
}
