//! A flood of one kind of visitors does not keep the others out, and its owner and operator learn of it.

use crate::app::{Browser, EMAIL, PASSWORD, TestApp, with_form};
use cloakroom::{server::passwords::Asker, wire::Problem};
use reqwest::Method;
use std::{
    io::Write,
    sync::{
        Arc, Mutex, Once,
        mpsc::{Sender, channel},
    },
};
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
};

const WRONG: &str = "another lamp over six stairs";
const BOB: &str = "bob@example.com";

async fn sign_in_from(browser: &Browser, address: &str, email: &str, password: &str) -> u16 {
    let form = [("email", email), ("password", password)];
    browser.call_from(address, "sign_in", &form).await.status
}

/// One core and eight places.
async fn small_app() -> TestApp {
    TestApp::with(|config| {
        config.passwords.hashes_at_once = 1;
        config.passwords.queue = 8;
        config.server.trusted_proxy_hops = 1;
    })
    .await
}

/// Keeps the core at work until the sender is dropped.
async fn occupy(app: &TestApp) -> Sender<()> {
    let (release, held) = channel();
    let hasher = app.state.hasher.clone();
    let asker = Asker::anonymous([203, 0, 113, 1].into());
    tokio::spawn(async move {
        let wait = move || {
            let _ = held.recv();
            Err(Problem::Missing)
        };
        hasher.hash(wait, asker).await
    });
    while app.state.hasher.in_hand() == 0 {
        tokio::task::yield_now().await;
    }
    release
}

/// Has visitors with these addresses sign in, until each waits or was told to come back.
async fn fill(app: &TestApp, addresses: impl Iterator<Item = String>) -> JoinSet<u16> {
    let visitor = Arc::new(app.browser());
    let mut flood = JoinSet::new();
    let mut refused = 0;
    for (count, address) in addresses.enumerate() {
        let before = app.state.hasher.in_hand();
        let visitor = Arc::clone(&visitor);
        let email = format!("visitor-{count}@example.com");
        flood.spawn(async move { sign_in_from(&visitor, &address, &email, WRONG).await });
        while app.state.hasher.in_hand() == before {
            tokio::task::yield_now().await;
            if let Some(status) = flood.try_join_next() {
                assert_eq!(status.unwrap(), 503);
                refused += 1;
                break;
            }
        }
    }
    assert!(refused > 0);
    flood
}

/// Answers of a flood, without those that were sent away while the queue was filled.
async fn answered(flood: JoinSet<u16>) -> Vec<u16> {
    let mut statuses = flood.join_all().await;
    statuses.retain(|status| *status != 503);
    statuses
}

#[tokio::test]
async fn a_flood_of_one_network_leaves_room_for_others_in_the_queue() {
    for network in ["192.0.2.", "2001:db8:0:"] {
        let app = small_app().await;
        let core = occupy(&app).await;
        let addresses = (1..=20).map(|last| match network {
            "192.0.2." => format!("{network}{last}"),
            _ => format!("{network}{last}::1"),
        });
        let mut flood = fill(&app, addresses).await;
        // Three of those that wait give their place up.
        let mut others = JoinSet::new();
        for count in 1..=3 {
            let browser = app.browser();
            others.spawn(async move {
                let email = format!("new-{count}@example.com");
                let form = [("email", &*email), ("password", PASSWORD)];
                let address = format!("198.51.{count}.1");
                browser.call_from(&address, "sign_up", &form).await.status
            });
            assert_eq!(flood.join_next().await.unwrap().unwrap(), 503);
        }
        drop(core);
        assert_eq!(others.join_all().await, [200, 200, 200], "{network}");
        assert_eq!(answered(flood).await, [401; 5], "{network}");
    }
}

#[tokio::test]
async fn a_flood_of_many_networks_leaves_room_for_owners_and_known_browsers() {
    let app = small_app().await;
    let owner = app.signed_up(EMAIL).await;
    let known = app.signed_up(BOB).await;
    assert_eq!(known.call("sign_out", &[]).await.status, 200);
    let core = occupy(&app).await;
    let flood = fill(&app, (1..=40).map(|count| format!("10.{count}.0.1"))).await;
    let visitor = app.browser();
    let status = sign_in_from(&visitor, "10.99.0.1", EMAIL, PASSWORD).await;
    assert_eq!(status, 503);
    let before = app.state.hasher.in_hand();
    let release = async {
        while app.state.hasher.in_hand() < before + 2 {
            tokio::task::yield_now().await;
        }
        drop(core);
    };
    let confirm = [("password", PASSWORD)];
    let (confirmed, signed_in, ()) = tokio::join!(
        owner.call_from("10.1.0.1", "confirm_password", &confirm),
        sign_in_from(&known, "10.1.0.1", BOB, PASSWORD),
        release,
    );
    assert_eq!((confirmed.status, signed_in), (200, 200));
    assert_eq!(answered(flood).await, [401; 8]);
}

#[tokio::test]
async fn an_owner_and_a_known_browser_are_served_while_many_networks_try() {
    let app = small_app().await;
    let owner = app.signed_up(EMAIL).await;
    let known = app.browser();
    assert_eq!(known.sign_in(EMAIL, PASSWORD).await.status, 200);
    let flood = async {
        // Tries at the account, and tries at addresses without an account.
        let visitors: Vec<_> = (0..16).map(|_| Arc::new(app.browser())).collect();
        for round in 0..20 {
            let mut tries = JoinSet::new();
            for (count, visitor) in visitors.iter().cloned().enumerate() {
                tries.spawn(async move {
                    let address = format!("10.{round}.{count}.1");
                    let email = match count % 2 {
                        0 => EMAIL.to_owned(),
                        _ => format!("visitor-{round}-{count}@example.com"),
                    };
                    sign_in_from(&visitor, &address, &email, WRONG).await
                });
            }
            let statuses = tries.join_all().await;
            assert!(statuses.iter().all(|it| [401, 429, 503].contains(it)));
        }
    };
    let people = async {
        for _ in 0..20 {
            let status = sign_in_from(&known, "10.0.0.1", EMAIL, PASSWORD).await;
            assert_eq!(status, 200);
            let form = [("password", PASSWORD)];
            let answer = owner.call_from("10.0.0.1", "confirm_password", &form).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    };
    tokio::join!(flood, people);
}

/// Says which job is at work, and ends it when the sender is dropped.
type AtWork = (String, Sender<()>);

/// Puts a network's job into the queue.
async fn queue(app: &TestApp, name: &str, network: u8, started: &UnboundedSender<AtWork>) {
    let before = app.state.hasher.in_hand();
    let (hasher, started) = (app.state.hasher.clone(), started.clone());
    let name = name.to_owned();
    tokio::spawn(async move {
        let wait = move || {
            let (release, held) = channel();
            started.send((name, release)).unwrap();
            let _ = held.recv();
            Err(Problem::Missing)
        };
        let asker = Asker::anonymous([10, network, 0, 1].into());
        hasher.hash(wait, asker).await
    });
    while app.state.hasher.in_hand() == before {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_networks_second_job_has_its_turn_while_new_networks_keep_coming() {
    let app = small_app().await;
    let (started, mut starting) = unbounded_channel();
    queue(&app, "before", 1, &started).await;
    let mut at_work = starting.recv().await.unwrap();
    queue(&app, "first", 2, &started).await;
    queue(&app, "second", 2, &started).await;
    let mut served = Vec::new();
    for network in 3..20 {
        queue(&app, "other", network, &started).await;
        drop(at_work);
        at_work = starting.recv().await.unwrap();
        served.push(at_work.0.clone());
    }
    assert_eq!(served[..4], ["first", "other", "second", "other"]);
}

/// What the server logs on the thread of a test, until the guard is dropped.
fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    // Without a subscriber in other threads, a place in the code that one of them reaches first may be
    // taken for one that no subscriber listens to.
    static ELSEWHERE: Once = Once::new();
    ELSEWHERE.call_once(|| {
        let nowhere = tracing_subscriber::fmt().with_writer(std::io::sink);
        tracing::subscriber::set_global_default(nowhere.finish()).unwrap();
    });
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn of(&self, event: &str) -> Vec<String> {
        let event = format!("event=\"{event}\"");
        let mut lines = self.lines();
        lines.retain(|line| line.contains(&event));
        lines
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_flood_is_one_line_of_the_log_a_minute() {
    let (log, _guard) = log();
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_account = 5;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    app.signed_up(EMAIL).await;
    let visitor = app.browser();
    for last in 1..=45 {
        let address = format!("192.0.2.{last}");
        sign_in_from(&visitor, &address, EMAIL, WRONG).await;
    }
    // The first refusal is told at once, and the others of its minute together.
    let lines = log.of("sign_in_flood");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("by_account=1 "), "{lines:?}");
    app.pass(59);
    // Four tries are there again.
    for last in 1..=5 {
        let address = format!("198.51.100.{last}");
        sign_in_from(&visitor, &address, EMAIL, WRONG).await;
    }
    app.pass(1);
    app.state.later.flush(&app.state).await.unwrap();
    let lines = log.of("sign_in_flood");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[1].contains("by_account=40 ") && lines[1].contains("networks=2"),
        "{lines:?}"
    );
    assert!(log.lines().iter().all(|line| !line.contains(EMAIL)));
}

#[tokio::test]
async fn wrong_passwords_by_the_hundred_are_few_lines_of_the_log() {
    let (log, _guard) = log();
    let app = TestApp::new().await;
    let visitor = app.browser();
    for count in 0..100 {
        let email = format!("visitor-{count}@example.com");
        assert_eq!(visitor.sign_in(&email, WRONG).await.status, 401);
    }
    assert_eq!(log.of("sign_in_failed").len(), 60);
    app.pass(60);
    assert_eq!(visitor.sign_in(EMAIL, WRONG).await.status, 401);
    app.state.later.flush(&app.state).await.unwrap();
    let lines = log.of("sign_in_flood");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("failed=39 "), "{lines:?}");
}

#[tokio::test]
async fn a_flood_is_one_entry_of_the_owners_activity() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_account = 5;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    let owner = app.signed_up(EMAIL).await;
    let visitor = app.browser();
    for minute in 0..3 {
        app.pass(61);
        for last in 1..=15 {
            let address = format!("192.0.{minute}.{last}");
            sign_in_from(&visitor, &address, EMAIL, WRONG).await;
        }
        let request = owner.request(Method::GET, "/api/list_activity");
        let entries = owner.send(request).await.json()["entries"].clone();
        let entries: Vec<_> = entries
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["kind"] == "tries_refused")
            .cloned()
            .collect();
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["how_many"], 10 * (minute + 1));
        // They came from many addresses, and none of them is named for all.
        assert_eq!(entries[0]["address"], serde_json::Value::Null);
    }
    let page = owner.open("/account/activity").await.body;
    assert!(page.contains("30 tries to enter your password were refused"));
    assert!(page.contains("Several devices and addresses, counted together"));
    // An address without an account has no one to tell.
    for last in 1..=15 {
        let address = format!("192.0.9.{last}");
        sign_in_from(&visitor, &address, BOB, WRONG).await;
    }
    let kinds = owner.list_activity().await;
    let refused = kinds.iter().filter(|kind| *kind == "tries_refused");
    assert_eq!(refused.count(), 1, "{kinds:?}");
}

/// Has visitors at one address try to sign in to an account, one with each of these names of a browser.
async fn try_from_devices(app: &TestApp, email: &str, address: &str, agents: &[&str]) {
    let visitor = app.browser();
    for agent in agents {
        let request = visitor
            .request(Method::POST, "/api/sign_in")
            .header("origin", visitor.url())
            .header("user-agent", *agent)
            .header("x-forwarded-for", address);
        let form = [("email", email), ("password", WRONG)];
        visitor.send(with_form(request, &form)).await;
    }
}

/// Device and address of the owner's entry of refused tries.
async fn flood_in_activity(owner: &Browser) -> (serde_json::Value, serde_json::Value) {
    let request = owner.request(Method::GET, "/api/list_activity");
    let entries = owner.send(request).await.json()["entries"].clone();
    let mut entries = entries.as_array().unwrap().iter();
    let entry = entries.find(|it| it["kind"] == "tries_refused").unwrap();
    (entry["device"]["browser"].clone(), entry["address"].clone())
}

#[tokio::test]
async fn a_floods_entry_names_a_device_only_if_all_tries_came_from_it() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_account_and_address = 1;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    let owner = app.signed_up(EMAIL).await;
    let other = app.signed_up(BOB).await;
    let address = "192.0.2.1";
    // Six more of one device, and then one of another in the same flood.
    try_from_devices(&app, EMAIL, address, &["Firefox/1.0"; 7]).await;
    let (device, named) = flood_in_activity(&owner).await;
    assert_eq!((device, named), ("Firefox".into(), address.into()));
    try_from_devices(&app, EMAIL, address, &["curl/8"; 6]).await;
    let (device, named) = flood_in_activity(&owner).await;
    assert_eq!((device, named), (serde_json::Value::Null, address.into()));
    // Both devices wait in memory together.
    let agents = [["Firefox/1.0"; 4], ["curl/8"; 4]].concat();
    try_from_devices(&app, BOB, address, &agents).await;
    let (device, named) = flood_in_activity(&other).await;
    assert_eq!((device, named), (serde_json::Value::Null, address.into()));
}

#[tokio::test]
async fn a_flood_is_told_though_tries_at_many_addresses_were_refused_before() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_account_and_address = 1;
        config.limits.sign_ins_per_address = 5_000;
    })
    .await;
    let owner = app.signed_up(EMAIL).await;
    let visitor = app.browser();
    for count in 0..1_000 {
        let email = format!("visitor-{count}@example.com");
        visitor.sign_in(&email, WRONG).await;
        assert_eq!(visitor.sign_in(&email, WRONG).await.status, 429);
    }
    for _ in 0..8 {
        visitor.sign_in(EMAIL, WRONG).await;
    }
    let kinds = owner.list_activity().await;
    assert!(
        kinds.iter().any(|kind| kind == "tries_refused"),
        "{kinds:?}"
    );
}
