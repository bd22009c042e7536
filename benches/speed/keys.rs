//! API keys: what a request with one costs, and how soon a revoked one is refused.

use crate::{
    load::{Connection, Request, ratio_of_answers},
    node::{Database, Node, PASSWORD},
    report::{Figures, ms},
    server::Server,
};
use cloakroom::server::api_keys::check;
use std::time::{Duration, Instant};

const EMAIL: &str = "program@example.com";
const REQUESTS: u32 = 10_000;
const SAMPLES: usize = 1_000;

/// A key that may be used for everything, and its id.
fn mint(port: &str, cookie: &str) -> (String, String) {
    let form = "label=bench&scopes=profile%3Aread+keys%3Aread&expires_in_days=1";
    let answer = Request::post_form("/api/create_api_key", cookie, form).answer(port);
    let body: serde_json::Value = serde_json::from_str(&answer.body()).expect("JSON");
    let text = |name: &str| body[name].as_str().expect("a text").to_owned();
    (text("key"), text("id"))
}

/// `/v1/me` with a key, beside a route that does nothing; and how often the database was asked.
pub fn checked(figures: &mut Figures) {
    let server = Server::start();
    let cookie = server.sign_up(EMAIL, PASSWORD);
    let (key, _) = mint(&server.port, &cookie);
    let (me, live) = (
        Request::with_key("/v1/me", &key),
        Request::get("/health/live", None),
    );
    let ratio = ratio_of_answers((&server.port, &me), (&server.port, &live));
    let what = "/v1/me with an API key: requests/s, of /health/live's";
    figures.at_least(what, ratio, "×", 0.7);
    for (name, database) in Database::both() {
        let node = Node::start(&database);
        let (key, _) = mint(&node.port, &node.sign_up(EMAIL));
        let me = Request::with_key("/v1/me", &key);
        let before = node.state.db.asked();
        let mut connection = Connection::open(&node.port);
        for _ in 0..REQUESTS {
            assert_eq!(connection.answer(&me).status(), 200, "/v1/me");
        }
        // The last use is written now and then: one question each time.
        let asked = node.state.db.asked() - before;
        let what = format!("{name}: questions to the database for {REQUESTS} requests of one key");
        figures.at_most(
            &what,
            f64::from(u32::try_from(asked).expect("few")),
            "",
            1.0,
        );
    }
}

/// From the answer of one node to the refusal on another.
pub fn revoked_on_another_node(figures: &mut Figures) {
    let database = Database::postgres();
    let (here, there) = (Node::start(&database), Node::start(&database));
    // One account has few keys.
    let cookies: Vec<String> = (0..=SAMPLES / 400)
        .map(|count| here.sign_up(&format!("program-{count}@example.com")))
        .collect();
    let mut times: Vec<Duration> = (0..SAMPLES)
        .map(|count| {
            let cookie = &cookies[count / 400];
            let (key, id) = mint(&here.port, cookie);
            let is_accepted = || {
                let checked = check(&there.state, &key);
                let checked = there.runtime.block_on(checked).expect("an answer");
                checked.is_ok()
            };
            assert!(is_accepted() && is_accepted());
            let form = format!("id={id}");
            let revoked = Request::post_form("/api/revoke_api_key", cookie, &form).once(&here.port);
            let committed = Instant::now();
            assert_eq!(revoked, 200);
            while is_accepted() {}
            committed.elapsed()
        })
        .collect();
    times.sort();
    let at = |percent: usize| ms(times[SAMPLES * percent / 100 - 1]);
    figures.at_most(
        "two nodes: from a key's revocation to the refusal elsewhere, 99th percentile",
        at(99),
        "ms",
        50.0,
    );
    figures.known("two nodes: the same, median", at(50), "ms");
}
