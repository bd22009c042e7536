//! The session check: from memory, from the database, and of a forged cookie.

use crate::{
    load::{Request, ratio, ratio_of_answers, send},
    node::{Database, Node, SECRET, visitor},
    report::Figures,
};
use cloakroom::server::{
    secret::Secret,
    sessions::{resume, token::Claims},
};
use criterion::Criterion;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use std::{
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;
const ROUNDS: usize = 3;

/// Times one thing with Criterion; the median, in nanoseconds.
fn time(name: &str, mut run: impl FnMut(u64) -> Duration) -> f64 {
    Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .bench_function(name, |bencher| bencher.iter_custom(&mut run));
    let kept = Path::new(&std::env::var("CARGO_TARGET_DIR").unwrap_or("target".to_owned()))
        .join("criterion")
        .join(name)
        .join("new/estimates.json");
    let estimates = fs::read(kept).expect("Criterion's estimates");
    let estimates: serde_json::Value = serde_json::from_slice(&estimates).expect("JSON");
    estimates["median"]["point_estimate"]
        .as_f64()
        .expect("a median")
}

pub fn measure(figures: &mut Figures) {
    for (name, database) in Database::both() {
        let figure = |what: &str| format!("{name}: {what}");
        let few = Stored::new(format!("{name}-few"), &database, FEW);
        let alone = few.decode() / 1000.0;
        figures.known(&figure("jsonwebtoken::decode alone"), alone, "µs");
        figures.at_most(
            &figure("cached session check, of jsonwebtoken::decode alone"),
            ratio(ROUNDS, || few.cached(), || few.decode()),
            "×",
            2.0,
        );
        figures.known(
            &figure("forged cookie, of jsonwebtoken::decode alone"),
            ratio(ROUNDS, || few.forged(), || few.decode()),
            "×",
        );
        let asks = few.cold() / 1000.0;
        figures.known(&figure("check that asks the database"), asks, "µs");
        let other = match &database {
            Database::Sqlite => Database::Sqlite,
            Database::Postgres(_) => Database::postgres(),
        };
        let many = Stored::new(format!("{name}-many"), &other, MANY);
        figures.at_most(
            &figure("cached check with 1,000,000 sessions, of that with 1,000"),
            ratio(ROUNDS, || many.cached(), || few.cached()),
            "×",
            1.3,
        );
        figures.at_most(
            &figure("check that asks, with 1,000,000 sessions, of that with 1,000"),
            ratio(ROUNDS, || many.cold(), || few.cold()),
            "×",
            1.3,
        );
    }
}

/// A node with so many live sessions, and the cookies of a thousand of them.
struct Stored {
    /// Under which Criterion keeps what it has measured here.
    name: String,
    node: Node,
    tokens: Vec<String>,
}

impl Stored {
    fn new(name: String, database: &Database, sessions: u32) -> Self {
        let node = Node::start(database);
        let tokens = node.store(sessions);
        Self { name, node, tokens }
    }

    fn decode(&self) -> f64 {
        let secret = Secret::parse(SECRET).expect("a secret");
        let keys = secret.derive("session+jwt").expect("keys");
        let key = DecodingKey::from_secret(&keys[0].bytes);
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.set_issuer(&["cloakroom"]);
        validation.validate_aud = false;
        time(&format!("{}-decode", self.name), |times| {
            let started = Instant::now();
            for token in self.tokens.iter().cycle().take(count(times)) {
                black_box(decode::<Claims>(token, &key, &validation).expect("a token"));
            }
            started.elapsed()
        })
    }

    /// What a server does at every click of somebody who was here a moment ago.
    fn cached(&self) -> f64 {
        self.check("cached", &self.tokens, true, || {})
    }

    /// The first click after a start.
    fn cold(&self) -> f64 {
        let forget = || self.node.state.sessions.clear();
        self.check("cold", &self.tokens, true, forget)
    }

    /// A right header and payload under another's signature.
    fn forged(&self) -> f64 {
        let forged: Vec<String> = self.tokens.iter().map(|token| forge(token)).collect();
        self.check("forged", &forged, false, || {})
    }

    fn check(&self, what: &str, tokens: &[String], is_good: bool, before_each: impl Fn()) -> f64 {
        let (state, visitor) = (&self.node.state, visitor());
        time(&format!("{}-{what}", self.name), |times| {
            self.node.runtime.block_on(async {
                let started = Instant::now();
                for token in tokens.iter().cycle().take(count(times)) {
                    before_each();
                    let resumed = resume(state, token, &visitor).await.expect("an answer");
                    assert_eq!(resumed.session.is_some(), is_good);
                }
                started.elapsed()
            })
        })
    }
}

fn count(times: u64) -> usize {
    usize::try_from(times).expect("a count")
}

fn forge(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').expect("a token");
    format!("{signed}.{}", "A".repeat(43))
}

/// A hundred thousand forged requests, and how often the database was asked for them.
pub fn forged(figures: &mut Figures) {
    for (name, database) in Database::both() {
        let node = Node::start(&database);
        let cookie = forge(&node.sign_up("forged@example.com"));
        let request = Request::get("/api/viewer", Some(&cookie)).asked_by_program();
        let before = node.state.db.asked();
        let sent = send(&node.port, 100_000, &request);
        let asked = node.state.db.asked() - before;
        let what = format!("{name}: questions to the database for {sent} forged requests");
        figures.at_most(
            &what,
            f64::from(u32::try_from(asked).expect("few")),
            "",
            0.0,
        );
    }
}

/// `/api/viewer` of somebody who is signed in, beside a function that asks nobody anything.
pub fn viewer(figures: &mut Figures) {
    for (name, database) in Database::both() {
        let node = Node::start(&database);
        let cookie = node.sign_up("viewer@example.com");
        let viewer = Request::get("/api/viewer", Some(&cookie)).asked_by_program();
        let same_size = Request::get("/api/same_size", None).asked_by_program();
        let (one, other) = (viewer.answer(&node.port), same_size.answer(&node.port));
        assert_eq!(
            one.body().len(),
            other.body().len(),
            "{}\n{}",
            one.text(),
            other.text()
        );
        let ratio = ratio_of_answers((&node.port, &viewer), (&node.port, &same_size));
        let what = format!("{name}: /api/viewer requests/s, of a function's that asks nobody");
        figures.at_least(&what, ratio, "×", 0.85);
    }
}
