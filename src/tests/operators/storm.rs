//! Sign-ins on two nodes while their logs cannot be written and their PostgreSQL fails in every way: each
//! acknowledged one is there afterwards, each other was answered by 503, and readiness is true.
//!
//! `SIGN_INS` is how many are acknowledged at least.

use crate::{
    app::{Browser, PASSWORD},
    faults::{is_ready, node},
    line::Line,
    place::Place,
    servers::Postgres,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    fs::OpenOptions,
    net::TcpListener,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

const USERS: usize = 6;
const SECRET: &str = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4";

/// A node that logs to where it cannot.
struct Node {
    running: Child,
    browser: Browser,
}

impl Node {
    async fn start(place: &Place, log: impl Into<Stdio>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let running = place
            .command(&[])
            .env("LEPTOS_SITE_ADDR", &address)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let browser = Browser::at(format!("http://{address}"));
        let live = format!("http://{address}/health/live");
        while browser.http().get(&live).send().await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        Self { running, browser }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

/// Counts of the sign-ins.
struct Done {
    at_least: usize,
    acknowledged: AtomicUsize,
    turned_away: AtomicUsize,
    is_over: AtomicBool,
}

/// Signs a user in, now here and now there, until all is over. The browsers that were signed in.
async fn sign_in_again_and_again(
    email: String,
    nodes: [String; 2],
    done: Arc<Done>,
) -> Vec<Browser> {
    let mut signed_in = Vec::new();
    for node in nodes.iter().cycle() {
        let count = done.acknowledged.load(Ordering::SeqCst);
        if done.is_over.load(Ordering::SeqCst) && count >= done.at_least {
            break;
        }
        if count >= done.at_least {
            sleep(Duration::from_millis(50)).await;
        }
        let browser = Browser::at(node.clone());
        let answer = browser.sign_in(&email, PASSWORD).await;
        match answer.status {
            200 => {
                done.acknowledged.fetch_add(1, Ordering::SeqCst);
                signed_in.push(browser);
            }
            503 => {
                done.turned_away.fetch_add(1, Ordering::SeqCst);
                sleep(Duration::from_millis(20)).await;
            }
            other => panic!("{other}: {}", answer.body),
        }
    }
    signed_in
}

async fn ask(url: &str, question: String) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let question = sqlx::query_scalar(AssertSqlSafe(question));
    question.fetch_one(&mut connection).await.unwrap()
}

/// Waits until a standby has all that its server has.
async fn has_all(standby: &Postgres, server: &Postgres) {
    let written = "SELECT pg_current_wal_lsn()::text".to_owned();
    let written = ask(&server.url(), written).await;
    let question = format!("SELECT (pg_last_wal_replay_lsn() >= '{written}')::text");
    while ask(&standby.url(), question.clone()).await != "true" {
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_sign_in_is_lost_while_logs_and_postgresql_fail() {
    let at_least = std::env::var("SIGN_INS").map_or(100, |count| count.parse().unwrap());
    let mut first = Postgres::with("synchronous_commit = on");
    first.sql("CREATE DATABASE cloakroom").await;
    let standby = first.standby();
    let line = Line::to(first.port()).await;
    let url = line.url(&first.url_at("127.0.0.1", "cloakroom", ""));
    let places = [(); 2].map(|()| node(&url).with("CLOAKROOM_SECRET_KEY", SECRET));
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut here = Node::start(&places[0], Stdio::piped()).await;
    let there = Node::start(&places[1], full).await;
    let addresses = [&here, &there].map(|node| node.browser.url().to_owned());
    let emails: Vec<String> = (0..USERS)
        .map(|number| format!("user{number}@example.com"))
        .collect();
    for email in &emails {
        let browser = Browser::at(addresses[0].clone());
        assert_eq!(browser.sign_up(email, PASSWORD).await.status, 200);
    }
    let done = Arc::new(Done {
        at_least,
        acknowledged: AtomicUsize::new(0),
        turned_away: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    });
    let users: Vec<_> = emails
        .iter()
        .map(|email| {
            let signing = (email.clone(), addresses.clone(), Arc::clone(&done));
            tokio::spawn(sign_in_again_and_again(signing.0, signing.1, signing.2))
        })
        .collect();
    // The reader of the log is gone.
    drop(here.running.stderr.take());
    let are_ready = async |status| {
        tokio::join!(
            is_ready(&here.browser, status),
            is_ready(&there.browser, status)
        );
    };
    are_ready(200).await;

    first.stop();
    are_ready(503).await;
    first.start();
    are_ready(200).await;

    let set =
        |value| format!("ALTER DATABASE cloakroom SET default_transaction_read_only = {value}");
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cloakroom'";
    first.sql(&set("on")).await;
    first.sql(end).await;
    are_ready(503).await;
    first.sql(&set("off")).await;
    are_ready(200).await;

    line.cut();
    are_ready(503).await;
    has_all(&standby, &first).await;
    line.lead_to(standby.port());
    are_ready(503).await;
    standby.promote();
    are_ready(200).await;

    standby.freeze();
    are_ready(503).await;
    sleep(Duration::from_secs(5)).await;
    standby.thaw();
    are_ready(200).await;

    done.is_over.store(true, Ordering::SeqCst);
    let mut signed_in = 0;
    for (user, email) in users.into_iter().zip(&emails) {
        for browser in user.await.unwrap() {
            assert_eq!(browser.viewer().await.as_deref(), Some(email.as_str()));
            signed_in += 1;
        }
    }
    assert!(signed_in >= at_least, "{signed_in}");
    assert!(done.turned_away.load(Ordering::SeqCst) > 0);
}
