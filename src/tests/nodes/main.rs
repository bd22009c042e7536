//! Several nodes on one PostgreSQL: real processes, with a wire to the database that can be cut.
//! `scripts/with-postgres` starts the database.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../app.rs"]
mod app;
mod clients;
mod migrate;
mod opening;
#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../place.rs"]
mod place;
mod secret;
mod wire;

use app::{Browser, EMAIL, PASSWORD, Program};
use place::Place;
use reqwest::Method;
use sqlx::Connection;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::timeout};
use wire::Wire;

/// The signing secret that all nodes of a test share.
const SECRET: &str = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4";
/// Whatever a test waits for is there long before.
const PATIENCE: Duration = Duration::from_mins(1);

/// A database of its own on the server that the script started.
async fn database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let admin = std::env::var("CLOAKROOM_TEST_POSTGRES")
        .unwrap_or_else(|_| panic!("these tests run under scripts/with-postgres"));
    let name = format!("cloakroom_nodes_{}_{count}", std::process::id());
    app::create_database(&admin, &name).await
}

fn node(database: &str) -> Place {
    Place::new()
        .with("DATABASE_URL", database)
        .with("CLOAKROOM_SECRET_KEY", SECRET)
        .with("CLOAKROOM_LIMITS_SIGN_INS_PER_ADDRESS", "100000")
        .with("CLOAKROOM_LIMITS_SIGN_UPS_PER_ADDRESS", "100000")
}

/// The same browser at another node: the proxy in front has sent it there.
fn at(node: &Browser, browser: &Browser) -> Browser {
    let there = Browser::at(node.url().to_owned());
    there.keep(browser);
    there
}

/// Asks until the answer is no; every answer before must be a yes.
async fn refused_soon(browser: &Browser) {
    let refused = async { while browser.viewer().await.is_some() {} };
    timeout(PATIENCE, refused).await.unwrap();
}

/// The same of a key.
async fn key_refused_soon(program: &Program) {
    let refused = async { while key_status(program).await == 200 {} };
    timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(key_status(program).await, 401, "and stays so");
}

async fn key_status(program: &Program) -> u16 {
    program.get("/v1/me").await.status
}

/// The status alone, so that an answer of the database's absence is one as well.
async fn status(browser: &Browser) -> u16 {
    let asked = browser.request(Method::GET, "/api/viewer");
    browser.send(asked).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_ends_the_other_refuses() {
    let database = database().await;
    let (mut first, mut second) = (node(&database), node(&database));
    let (here, there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    for way in ["sign_out", "end_other_sessions", "change_password"] {
        let phone = Browser::at(there.url().to_owned());
        assert_eq!(phone.sign_in(EMAIL, PASSWORD).await.status, 200);
        assert!(phone.viewer().await.is_some());
        match way {
            "sign_out" => assert_eq!(at(&here, &phone).call(way, &[]).await.status, 200),
            "end_other_sessions" => assert_eq!(here.call(way, &[]).await.json()["count"], 1),
            _ => {
                let form = [
                    ("current_password", PASSWORD),
                    ("new_password", "a lamp over nine stairs"),
                ];
                assert_eq!(here.call(way, &form).await.json()["count"], 1);
            }
        }
        refused_soon(&phone).await;
        assert_eq!(phone.viewer().await, None, "and stays so");
    }
    assert_eq!(here.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_command_reaches_every_node() {
    let database = database().await;
    let (mut first, mut second) = (node(&database), node(&database));
    let (here, there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    let there = at(&there, &here);
    assert!(there.viewer().await.is_some());
    let said = node(&database).said(&["user", "disable", "--email", EMAIL], "");
    assert_eq!(said.trim(), "1 session ended");
    refused_soon(&here).await;
    refused_soon(&there).await;
}

/// Whoever signs in at that moment, on another node, is among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_who_signs_somebody_out_waits_for_a_sign_in() {
    let database = database().await;
    let mut first = node(&database);
    let here = first.serve("info");
    here.sign_up(EMAIL, PASSWORD).await;
    let there = Browser::at(here.url().to_owned());
    there.sign_in(EMAIL, PASSWORD).await;
    there.call("sign_out", &[]).await;

    // What a sign-in does, as far as it can be seen before it commits: it holds the account, and
    // there is one more session.
    let mut other = sqlx::PgConnection::connect(&database).await.unwrap();
    let mut sign_in = other.begin().await.unwrap();
    sqlx::raw_sql(
        "UPDATE users SET password_hash = password_hash;
         UPDATE sessions SET ended_at = NULL, end_reason = NULL WHERE ended_at IS NOT NULL",
    )
    .execute(&mut *sign_in)
    .await
    .unwrap();
    let operator = node(&database);
    let ending = tokio::task::spawn_blocking(move || {
        operator.said(&["user", "sign-out", "--email", EMAIL], "")
    });
    // It waits, or it is over and has missed one.
    let waits = async {
        let mut third = sqlx::PgConnection::connect(&database).await.unwrap();
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while !ending.is_finished() {
            let (count,): (i64,) = sqlx::query_as(waiting).fetch_one(&mut third).await.unwrap();
            if count > 0 {
                break;
            }
        }
    };
    timeout(PATIENCE, waits).await.unwrap();
    sign_in.commit().await.unwrap();
    assert_eq!(ending.await.unwrap().trim(), "2 sessions ended");
    refused_soon(&here).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_another_secret_does_not_start() {
    let database = database().await;
    let mut first = node(&database);
    let here = first.serve("info");
    let other = Place::new().with("DATABASE_URL", &database);
    let complaint = other.complaint(&[], "");
    for word in [
        "another signing secret",
        "CLOAKROOM_SECRET_KEY",
        "secret adopt",
    ] {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
    assert!(!complaint.contains("postgres://"), "{complaint}");
    assert_eq!(here.sign_up(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_takes_nothing_with_it() {
    let database = database().await;
    let (mut first, mut second) = (node(&database), node(&database));
    let (doomed, other) = (first.serve("info"), second.serve("info"));
    let mut people = Vec::new();
    let mut ended = Vec::new();
    for count in 0..8 {
        let email = format!("ada-{count}@example.com");
        let browser = Browser::at(doomed.url().to_owned());
        assert_eq!(browser.sign_up(&email, PASSWORD).await.status, 200);
        let phone = at(&other, &Browser::at(String::new()));
        assert_eq!(phone.sign_in(&email, PASSWORD).await.status, 200);
        people.push((email, at(&other, &browser), phone));
    }
    // Under load at both nodes, with endings among it, the first is killed.
    let is_over = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    for (email, browser, _) in &people {
        for node in [&other, &doomed] {
            let (browser, email) = (at(node, browser), email.clone());
            let (is_over, is_doomed) = (Arc::clone(&is_over), node.url() == doomed.url());
            load.spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    let request = browser.request(Method::GET, "/api/viewer");
                    match request.send().await {
                        Ok(answer) => {
                            assert_eq!(answer.status(), 200);
                            // It may be killed in the middle of an answer.
                            let Ok(text) = answer.text().await else {
                                continue;
                            };
                            assert!(text.contains(&email), "{text}");
                        }
                        Err(_) => assert!(is_doomed, "the other goes on"),
                    }
                }
            });
        }
    }
    for (_, _, phone) in people.iter().take(4) {
        assert_eq!(at(&doomed, phone).call("sign_out", &[]).await.status, 200);
        ended.push(phone);
    }
    first.kill();
    for phone in &ended {
        refused_soon(phone).await;
    }
    for (email, browser, phone) in &people {
        assert_eq!(browser.viewer().await.as_ref(), Some(email));
        let is_ended = ended.iter().any(|other| std::ptr::eq(*other, phone));
        assert_eq!(phone.viewer().await.is_none(), is_ended);
    }
    is_over.store(true, Ordering::SeqCst);
    load.join_all().await;
    // And when it comes back it knows what was ended while it was away.
    let (_, gone, _) = &people[7];
    assert_eq!(gone.call("sign_out", &[]).await.status, 200);
    let back = first.serve("info");
    let copy = Browser::at(back.url().to_owned());
    copy.keep(&people[6].1);
    assert!(copy.viewer().await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_database_every_answer_is_503_and_then_all_is_as_before() {
    let database = database().await;
    let wire = Wire::to(&database).await;
    let (mut first, mut second) = (node(wire.url()), node(&database));
    let (here, there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    let phone = Browser::at(here.url().to_owned());
    phone.sign_in(EMAIL, PASSWORD).await;
    assert!(phone.viewer().await.is_some());
    assert!(here.viewer().await.is_some());

    wire.cut();
    // In memory it still is, and is not believed.
    let away = async { while status(&phone).await == 200 {} };
    timeout(PATIENCE, away).await.unwrap();
    assert_eq!(status(&here).await, 503);
    assert_eq!(here.call("sign_out", &[]).await.status, 503);
    assert_eq!(here.open("/health/ready").await.status, 503);
    assert_eq!(here.open("/health/live").await.status, 200);
    // Meanwhile the other node ends what this one cannot hear of.
    assert_eq!(at(&there, &phone).call("sign_out", &[]).await.status, 200);

    wire.mend();
    let back = async { while status(&here).await != 200 {} };
    timeout(PATIENCE, back).await.unwrap();
    assert_eq!(
        phone.viewer().await,
        None,
        "what has ended does not come back"
    );
    assert_eq!(here.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(here.call("sign_out", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_nothing_any_more_notices_and_asks() {
    let database = database().await;
    let wire = Wire::to(&database).await;
    let (mut first, mut second) = (node(wire.url()), node(&database));
    let (here, there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    assert!(here.viewer().await.is_some());
    // The connection that listens dies without a word; all others go on.
    wire.mute_listeners();
    assert_eq!(at(&there, &here).call("sign_out", &[]).await.status, 200);
    refused_soon(&here).await;
    let again = Browser::at(here.url().to_owned());
    assert_eq!(again.sign_in(EMAIL, PASSWORD).await.status, 200);
    assert!(again.viewer().await.is_some());
    assert_eq!(at(&there, &again).call("sign_out", &[]).await.status, 200);
    assert_eq!(again.viewer().await, None, "deaf, it asks each time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer_in_time_lets_nobody_in() {
    let database = database().await;
    let wire = Wire::to(&database).await;
    let mut node = node(wire.url()).with("CLOAKROOM_SERVER_REQUEST_TIMEOUT_S", "1");
    let here = node.serve("info");
    here.sign_up(EMAIL, PASSWORD).await;
    assert!(here.viewer().await.is_some());
    wire.stall(true);
    // For a second at most what was heard last is believed.
    let slow = async { while status(&here).await == 200 {} };
    timeout(PATIENCE, slow).await.unwrap();
    assert_eq!(status(&here).await, 503);
    assert_eq!(here.call("sign_out", &[]).await.status, 503);
    wire.stall(false);
    let back = async { while status(&here).await != 200 {} };
    timeout(PATIENCE, back).await.unwrap();
    assert_eq!(here.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_one_node_revokes_every_node_refuses() {
    let database = database().await;
    let (mut first, mut second) = (node(&database), node(&database));
    let (here, there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    for way in ["revoke", "disable"] {
        let minted = here.mint("profile:read").await;
        let key = minted["key"].as_str().unwrap();
        let (near, far) = (
            Program::new(here.url(), key),
            Program::new(there.url(), key),
        );
        assert_eq!(
            (key_status(&near).await, key_status(&far).await),
            (200, 200)
        );
        if way == "revoke" {
            let form = [("id", minted["id"].as_str().unwrap())];
            assert_eq!(here.call("revoke_api_key", &form).await.status, 200);
            assert_eq!(key_status(&near).await, 401, "on its node at once");
        } else {
            node(&database).said(&["user", "disable", "--email", EMAIL], "");
            key_refused_soon(&near).await;
        }
        key_refused_soon(&far).await;
        // A node that starts later has read of it.
        let mut third = node(&database);
        let late = third.serve("info");
        assert_eq!(key_status(&Program::new(late.url(), key)).await, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_made_and_revoked_without_end_are_refused_on_every_node() {
    let database = database().await;
    let with_room = || node(&database).with("CLOAKROOM_LIMITS_NEW_KEYS_PER_USER", "100000");
    let (mut first, mut second) = (with_room(), with_room());
    let (here, there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    let mut revoked = Vec::new();
    for _ in 0..60 {
        let minted = here.mint("profile:read").await;
        let form = [("id", minted["id"].as_str().unwrap())];
        assert_eq!(here.call("revoke_api_key", &form).await.status, 200);
        revoked.push(minted["key"].as_str().unwrap().to_owned());
    }
    let live = here.key("profile:read").await;
    key_refused_soon(&Program::new(there.url(), &revoked[59])).await;
    let mut third = with_room();
    let late = third.serve("info");
    for node in [&here, &there, &late] {
        for key in &revoked {
            let request = node.http().get(format!("{}/v1/me", node.url()));
            let answer = request.bearer_auth(key).send().await.unwrap();
            assert_eq!(answer.status(), 401);
        }
        assert_eq!(key_status(&Program::new(node.url(), &live)).await, 200);
    }
    // One that is revoked while another is alive goes from node to node by its id.
    let minted = at(&there, &here).mint("profile:read").await;
    let key = minted["key"].as_str().unwrap();
    assert_eq!(key_status(&Program::new(there.url(), key)).await, 200);
    let form = [("id", minted["id"].as_str().unwrap())];
    assert_eq!(here.call("revoke_api_key", &form).await.status, 200);
    for node in [&here, &there, &late] {
        key_refused_soon(&Program::new(node.url(), key)).await;
        assert_eq!(key_status(&Program::new(node.url(), &live)).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_nothing_asks_for_each_key_and_reads_them_when_it_hears_again() {
    let database = database().await;
    let wire = Wire::to(&database).await;
    let (mut first, mut second) = (node(wire.url()), node(&database));
    let (here, there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    let there = at(&there, &here);
    let mut minted = Vec::new();
    for _ in 0..3 {
        minted.push(here.mint("profile:read").await);
    }
    let program = |count: usize| Program::new(here.url(), minted[count]["key"].as_str().unwrap());
    let revoke = async |count: usize| {
        let form = [("id", minted[count]["id"].as_str().unwrap())];
        assert_eq!(there.call("revoke_api_key", &form).await.status, 200);
    };
    for count in 0..3 {
        assert_eq!(key_status(&program(count)).await, 200);
    }
    // Cut off it knows nothing, and lets nobody in.
    wire.cut();
    let away = async { while key_status(&program(0)).await == 200 {} };
    timeout(PATIENCE, away).await.unwrap();
    assert_eq!(key_status(&program(0)).await, 503);
    revoke(0).await;
    wire.mend();
    let back = async { while key_status(&program(1)).await != 200 {} };
    timeout(PATIENCE, back).await.unwrap();
    assert_eq!(
        key_status(&program(0)).await,
        401,
        "what was missed is read"
    );
    // Its ear dies without a word: deaf, it asks each time.
    wire.mute_listeners();
    revoke(1).await;
    key_refused_soon(&program(1)).await;
    revoke(2).await;
    assert_eq!(key_status(&program(2)).await, 401);
}
