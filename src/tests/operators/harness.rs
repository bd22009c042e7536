//! The servers of these tests: that they do as they are told, and that Cloakroom runs on them.

use crate::{
    app::{EMAIL, PASSWORD},
    servers::{Pgbouncer, Postgres},
};
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tokio::time::timeout;

async fn one(url: &str, sql: &'static str) -> Result<bool, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query_scalar(sql).fetch_one(&mut connection).await
}

#[tokio::test]
async fn the_server_is_ready_on_a_postgresql_of_its_own() {
    let database = Postgres::with("");
    let mut place = crate::place(&database.url());
    let browser = place.serve("info");
    assert_eq!(browser.open("/health/ready").await.status, 200);
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn a_server_of_a_test_stops_freezes_and_has_a_standby_and_a_pooler() {
    let mut first = Postgres::with_tls("log_connections = on");
    first
        .sql("CREATE TABLE numbers AS SELECT 1 AS number")
        .await;
    let standby = first.standby();
    let is_standby = "SELECT pg_is_in_recovery()";
    assert!(!one(&first.url(), is_standby).await.unwrap());
    assert!(one(&standby.url(), is_standby).await.unwrap());
    standby.promote();
    assert!(!one(&standby.url(), is_standby).await.unwrap());

    let ssl_is_on = "SELECT current_setting('ssl')::boolean";
    assert!(one(&first.url(), ssl_is_on).await.unwrap());
    let (certificate, key) = first.client_certificate("postgres");
    for file in [first.authority(), certificate, key] {
        assert!(file.is_file(), "{}", file.display());
    }
    let extra = "ignore_startup_parameters = extra_float_digits";
    let pooler = Pgbouncer::before(&first, "session", extra);
    assert!(
        one(&pooler.url(), ssl_is_on).await.unwrap(),
        "{}",
        pooler.log()
    );

    first.freeze();
    let url = first.url_at("127.0.0.1", "postgres", "");
    let silent = timeout(Duration::from_millis(200), one(&url, ssl_is_on)).await;
    assert!(silent.is_err());
    first.thaw();
    assert!(one(&url, ssl_is_on).await.unwrap());

    first.stop();
    assert!(one(&url, ssl_is_on).await.is_err());
    first.start();
    assert!(one(&url, ssl_is_on).await.unwrap());
    first.admit("host all all 127.0.0.1/32 reject\n");
    let refused = async { while one(&url, ssl_is_on).await.is_ok() {} };
    timeout(Duration::from_secs(10), refused).await.unwrap();
    assert_ne!(first.port(), standby.port());
}
