//! A PostgreSQL that is not well: requests are answered by 503 in time, and readiness is true.

use crate::{
    app::{Browser, EMAIL, PASSWORD},
    line::Line,
    place::Place,
    servers::Postgres,
};
use reqwest::Method;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// `/health/ready` tells the truth within this time.
const TRUE_WITHIN: Duration = Duration::from_secs(2);

/// A node on the database at this address.
pub fn node(url: &str) -> Place {
    Place::new()
        .with("DATABASE_URL", url)
        .with("CLOAKROOM_PASSWORDS_MEMORY_KIB", "64")
        .with("CLOAKROOM_LIMITS_SIGN_INS_PER_ADDRESS", "100000")
        .with("CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT", "100000")
        .with(
            "CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT_AND_ADDRESS",
            "100000",
        )
        .with("CLOAKROOM_SESSION_MAX_PER_USER", "1000")
}

/// Waits until the node says by this status whether it is ready.
pub async fn is_ready(node: &Browser, status: u16) {
    let says = async {
        while node.open("/health/ready").await.status != status {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TRUE_WITHIN, says)
        .await
        .unwrap_or_else(|_| panic!("/health/ready does not answer {status} in time"));
}

async fn run(url: &str, statement: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
    statement.execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn codes_of_postgresql_are_read_by_their_class() {
    let server = Postgres::with("");
    let mut place = node(&server.url());
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let raise = |code: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'a fault of the test' USING ERRCODE = '{code}'; END $$;"
        )
    };
    server.sql(&raise("08006")).await;
    server
        .sql("CREATE TRIGGER fail BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION fail()")
        .await;
    for code in [
        "08006", "0A000", "25006", "25P03", "26000", "40001", "42501", "42P05", "53100", "53300",
        "55P03", "57014", "57P01", "58030",
    ] {
        server.sql(&raise(code)).await;
        let answer = browser.sign_in(EMAIL, PASSWORD).await;
        assert_eq!(answer.status, 503, "{code}: {}", answer.body);
    }
    // A text that no column takes is no fault of the database: read as a number it was SQLite's "busy".
    for code in ["22021", "23502", "42703"] {
        server.sql(&raise(code)).await;
        let answer = browser.sign_in(EMAIL, PASSWORD).await;
        assert_eq!(answer.status, 500, "{code}: {}", answer.body);
    }
    server.sql("DROP TRIGGER fail ON sessions").await;
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn ids_of_another_shape_are_unknown_and_reach_no_database() {
    let server = Postgres::with("");
    let mut place = node(&server.url());
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let nul = "aaaaaaaaaaaaaaaaaaaaa\0";
    let client = format!("client-{nul}");
    for (function, name, id) in [
        ("end_session", "id", nul),
        ("revoke_api_key", "id", nul),
        ("acknowledge_api_key", "id", nul),
        ("revoke_app", "client_id", &client),
    ] {
        let answer = browser.call(function, &[(name, id)]).await;
        assert_eq!(answer.status, 404, "{function}: {}", answer.body);
    }
    let unknown = browser
        .open("/oauth2/authorize?client_id=client-aaaaaaaaaaaaaaaaaaaaa%00")
        .await;
    assert!((400..500).contains(&unknown.status), "{}", unknown.status);
    let log = place.stop();
    assert!(!log.contains("database_unavailable"), "{log}");
    assert!(!log.contains("unexpected_error"), "{log}");
}

#[tokio::test]
async fn a_database_made_read_only_by_a_setting_is_not_ready_and_recovers_with_it() {
    let server = Postgres::with("");
    server.sql("CREATE DATABASE cloakroom").await;
    let url = server.url_at("127.0.0.1", "cloakroom", "");
    let mut place = node(&url);
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    is_ready(&browser, 200).await;
    let set =
        |value| format!("ALTER DATABASE cloakroom SET default_transaction_read_only = {value}");
    server.sql(&set("on")).await;
    server
        .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cloakroom'")
        .await;
    is_ready(&browser, 503).await;
    // Several connections of the pool are opened while it only reads.
    let tries = [(); 4].map(|()| browser.sign_in(EMAIL, PASSWORD));
    let [a, b, c, d] = tries;
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    assert_eq!([a, b, c, d].map(|answer| answer.status), [503; 4]);
    server.sql(&set("off")).await;
    is_ready(&browser, 200).await;
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_on_a_standby_is_not_ready_until_it_is_promoted() {
    let first = Postgres::with("");
    let line = Line::to(first.port()).await;
    let mut place = node(&line.url(&first.url()));
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let standby = first.standby();
    line.lead_to(standby.port());
    is_ready(&browser, 503).await;
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL), "it reads");
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 503);
    standby.promote();
    is_ready(&browser, 200).await;
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_go_silent_are_given_up_and_replaced() {
    let server = Postgres::with("");
    let line = Line::to(server.port()).await;
    let mut place = node(&line.url(&server.url())).with("CLOAKROOM_DATABASE_MAX_CONNECTIONS", "2");
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    // Fills the pool with connections.
    let (one, other) = tokio::join!(browser.list_activity(), browser.list_activity());
    assert_eq!(one.len(), other.len());
    line.go_silent(server.port());
    let recovers = async {
        while browser.sign_in(EMAIL, PASSWORD).await.status != 200 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(15), recovers)
        .await
        .expect("silent connections are replaced");
    is_ready(&browser, 200).await;
}

#[tokio::test]
async fn a_request_that_is_dropped_keeps_no_connection_from_the_next() {
    let server = Postgres::with("");
    let mut place = node(&server.url()).with("CLOAKROOM_DATABASE_MAX_CONNECTIONS", "1");
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let mut other = PgConnection::connect(&server.url()).await.unwrap();
    let mut lock = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE activity IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();
    let dropped = browser.send(browser.request(Method::GET, "/api/list_activity"));
    assert!(
        timeout(Duration::from_millis(500), dropped).await.is_err(),
        "it waits for the lock"
    );
    is_ready(&browser, 200).await;
    lock.rollback().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_another_node_s_migration_outdated_is_run_by_a_new_connection() {
    let server = Postgres::with("");
    let mut place = node(&server.url());
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    browser.list_sessions().await;
    run(
        &server.url(),
        "ALTER TABLE sessions ALTER COLUMN user_agent TYPE VARCHAR(10000)",
    )
    .await;
    for _ in 0..10 {
        let sessions = browser.list_sessions().await;
        assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    }
}
