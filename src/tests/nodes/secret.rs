//! The exchange of the signing secret on two nodes, and a restored copy of their database.

use super::{
    PATIENCE,
    app::{Browser, EMAIL, PASSWORD, Program},
    at, database, key_status, node,
    place::Place,
    refused_soon,
};
use sqlx::{AssertSqlSafe, Connection};
use tokio::time::timeout;

const OLD: &str = super::SECRET;
const NEW: &str = "YW5vdGhlciBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXQ";
const ROTATE: [&str; 2] = ["secret", "rotate"];

fn with(database: &str, secrets: &str) -> Place {
    node(database).with("CLOAKROOM_SECRET_KEY", secrets)
}

async fn jwks(at: &Browser) -> String {
    at.open("/oauth2/jwks").await.body
}

/// What a user and an API client see at a node.
async fn assert_all_is_good(nodes: &[&Browser], user: &Browser, key: &str, published: &str) {
    for node in nodes {
        assert!(at(node, user).viewer().await.is_some());
        assert_eq!(key_status(&Program::new(node.url(), key)).await, 200);
        assert_eq!(jwks(node).await, published);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_exchange_their_secret_and_sign_no_user_out() {
    let database = database().await;
    let (both, exchanged) = (format!("{OLD},{NEW}"), format!("{NEW},{OLD}"));
    let (mut first, mut second) = (with(&database, OLD), with(&database, OLD));
    let (mut here, mut there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    let user = at(&here, &here);
    let key = here.key("profile:read").await;
    let published = jwks(&here).await;
    for (secrets, step, behind) in [
        (&*both, "Step 1 of 3", "do not have all secrets"),
        (
            &*exchanged,
            "Step 2 of 3",
            "still sign with the older secret",
        ),
    ] {
        let said = if step == "Step 1 of 3" {
            with(&database, OLD).said(&ROTATE, "")
        } else {
            with(&database, &both).said(&ROTATE, "")
        };
        assert!(said.contains(step), "{said}");
        first.stop();
        first = with(&database, secrets);
        here = first.serve("info");
        // In the middle of a step.
        assert_all_is_good(&[&here, &there], &user, &key, &published).await;
        let new_user = Browser::at(here.url().to_owned());
        new_user.sign_in(EMAIL, PASSWORD).await;
        let new_key = at(&here, &new_user).key("profile:read").await;
        assert_all_is_good(&[&here, &there], &new_user, &new_key, &published).await;
        let complaint = with(&database, secrets).complaint(&ROTATE, "");
        assert!(complaint.contains("1 of 2"), "{complaint}");
        assert!(complaint.contains(behind), "{complaint}");
        second.stop();
        second = with(&database, secrets);
        there = second.serve("info");
        assert_all_is_good(&[&here, &there], &user, &key, &published).await;
    }
    let said = with(&database, &exchanged).said(&[&ROTATE[..], &["--sign-out"]].concat(), "");
    assert!(said.contains("Step 3 of 3"), "{said}");
    // A node that was down meanwhile.
    let complaint = with(&database, &both).complaint(&[], "");
    assert!(complaint.contains("was dropped"), "{complaint}");
    let new_user = Browser::at(here.url().to_owned());
    new_user.sign_in(EMAIL, PASSWORD).await;
    first.stop();
    let mut first = with(&database, NEW);
    let here = first.serve("info");
    assert_all_is_good(&[&here, &there], &new_user, &key, &published).await;
    second.stop();
    let mut second = with(&database, NEW);
    let there = second.serve("info");
    assert_all_is_good(&[&here, &there], &new_user, &key, &published).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_does_not_sign_with_a_secret_that_another_lacks() {
    let database = database().await;
    let mut first = with(&database, OLD);
    let here = first.serve("info");
    here.sign_up(EMAIL, PASSWORD).await;
    let published = jwks(&here).await;
    let hasty = with(&database, &format!("{NEW},{OLD}"));
    let complaint = hasty.complaint(&[], "");
    for word in ["does not have this node's newest", "secret rotate"] {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
    hasty.said(&["user", "list"], "");
    assert_eq!(jwks(&here).await, published);
    // One that was killed is soon no node any more; one that stops is none at once.
    first.stop();
    let mut second = hasty;
    let there = at(&second.serve("info"), &here);
    assert!(there.viewer().await.is_some());
    let complaint = with(&database, OLD).complaint(&[], "");
    assert!(complaint.contains("another signing secret"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_taken_for_dead_is_not_ready_once_the_secret_is_another() {
    let database = database().await;
    let mut first = with(&database, OLD);
    let here = first.serve("info");
    assert_eq!(here.open("/health/ready").await.status, 200);
    let adopting = with(&database, NEW);
    let complaint = adopting.complaint(&["secret", "adopt"], "");
    assert!(complaint.contains("A server is running"), "{complaint}");
    // It is frozen, and has been for a minute.
    first.signal("STOP");
    let mut connection = sqlx::PgConnection::connect(&database).await.unwrap();
    sqlx::query("UPDATE nodes SET seen_at = seen_at - 60")
        .execute(&mut connection)
        .await
        .unwrap();
    adopting.said(&["secret", "adopt"], "");
    first.signal("CONT");
    let is_told = async { while here.open("/health/ready").await.status == 200 {} };
    timeout(PATIENCE, is_told).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_ended_after_a_copy_comes_back_with_it() {
    let database = database().await;
    let mut first = node(&database);
    let here = first.serve("info");
    here.sign_up(EMAIL, PASSWORD).await;
    let (revoked, live) = (
        here.mint("profile:read").await,
        here.mint("profile:read").await,
    );
    first.stop();
    // What pg_dump and pg_restore make of it.
    let (server, name) = database.rsplit_once('/').unwrap();
    let admin = format!("{server}/postgres");
    let mut connection = sqlx::PgConnection::connect(&admin).await.unwrap();
    let copy = AssertSqlSafe(format!("CREATE DATABASE {name}_copy TEMPLATE {name}"));
    sqlx::query(copy).execute(&mut connection).await.unwrap();
    let copy = format!("{database}_copy");

    let here = at(&first.serve("info"), &here);
    let form = [("id", revoked["id"].as_str().unwrap())];
    assert_eq!(here.call("revoke_api_key", &form).await.status, 200);
    let unknown = here.key("profile:read").await;
    assert_eq!(here.call("sign_out", &[]).await.status, 200);
    let refused = node(&database).complaint(&["restored"], "");
    assert!(refused.contains("A server is running"), "{refused}");
    first.stop();

    let said = node(&copy).said(&["restored"], "");
    assert!(
        said.contains("1 session, 2 API keys and 0 grants ended"),
        "{said}"
    );
    let (mut first, mut second) = (node(&copy), node(&copy));
    let (here, there) = (first.serve("info"), at(&second.serve("info"), &here));
    refused_soon(&there).await;
    for key in [
        &revoked["key"],
        &live["key"],
        &serde_json::Value::from(unknown),
    ] {
        for node in [&here, &there] {
            let program = Program::new(node.url(), key.as_str().unwrap());
            assert_eq!(key_status(&program).await, 401);
        }
    }
    assert_eq!(here.sign_in(EMAIL, PASSWORD).await.status, 200);
    let key = here.key("profile:read").await;
    let known = async { while key_status(&Program::new(there.url(), &key)).await != 200 {} };
    timeout(PATIENCE, known).await.unwrap();
}
