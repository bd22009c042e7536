//! A role that serves and may change no table.

use super::{database, node};
use crate::app::{EMAIL, PASSWORD};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

#[tokio::test]
async fn a_role_that_may_not_create_serves_the_tables_that_migrate_has_made() {
    let url = database().await;
    let (_, name) = url.rsplit_once('/').unwrap();
    let (_, place) = url.rsplit_once('@').unwrap();
    let serving = format!("postgres://{name}:a-password@{place}");
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let role = format!("CREATE ROLE {name} LOGIN PASSWORD 'a-password'");
    sqlx::raw_sql(AssertSqlSafe(role))
        .execute(&mut admin)
        .await
        .unwrap();

    let complaint = node(&serving).complaint(&[], "");
    for part in ["may not create", "cloakroom migrate"] {
        assert!(complaint.contains(part), "{complaint}");
    }
    let complaint = node(&serving).complaint(&["migrate"], "");
    assert!(complaint.contains("may not create"), "{complaint}");

    let operator = node(&url);
    for _ in 0..2 {
        let said = operator.said(&["migrate"], "");
        assert!(said.contains("the tables are those of"), "{said}");
        assert!(!said.contains("password"), "{said}");
    }
    assert!(!operator.folder().join("data").exists());
    let granted =
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}");
    sqlx::raw_sql(AssertSqlSafe(granted))
        .execute(&mut admin)
        .await
        .unwrap();
    let mut place = node(&serving);
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(browser.open("/health/ready").await.status, 200);
    let added = ["user", "add", "--email", "grace@example.com"];
    node(&serving).said(&added, PASSWORD);
}
