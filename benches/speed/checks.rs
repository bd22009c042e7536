//! The session check: from memory, from the database, and of a forged cookie.

use crate::{
    load::{Request, median, run_for},
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
const ROUNDS: usize = 9;

/// Times one thing with Criterion; the median, in nanoseconds.
fn time(criterion: &mut Criterion, name: &str, mut run: impl FnMut(u64) -> Duration) -> f64 {
    criterion.bench_function(name, |bencher| bencher.iter_custom(&mut run));
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
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    for (name, database) in Database::both() {
        let figure = |what: &str| format!("{name}: {what}");
        let few = Stored::new(&database, FEW);
        let bare = few.decode(&mut criterion, name);
        let cached = few.cached(&mut criterion, &format!("{name}-few-cached"));
        figures.known(&figure("jsonwebtoken::decode alone"), bare / 1000.0, "µs");
        figures.at_most(
            &figure("cached session check, of jsonwebtoken::decode alone"),
            cached / bare,
            "×",
            2.0,
        );
        let forged = few.forged(&mut criterion, &format!("{name}-forged"));
        figures.known(
            &figure("forged cookie, of jsonwebtoken::decode alone"),
            forged / bare,
            "×",
        );
        let cold = few.cold(&mut criterion, &format!("{name}-few-cold"));
        figures.known(&figure("check that asks the database"), cold / 1000.0, "µs");
        drop(few);
        let other = match &database {
            Database::Sqlite => Database::Sqlite,
            Database::Postgres(_) => Database::postgres(),
        };
        let many = Stored::new(&other, MANY);
        let cached_of_many = many.cached(&mut criterion, &format!("{name}-many-cached"));
        figures.at_most(
            &figure("cached check with 1,000,000 sessions, of that with 1,000"),
            cached_of_many / cached,
            "×",
            1.3,
        );
        let cold_of_many = many.cold(&mut criterion, &format!("{name}-many-cold"));
        figures.at_most(
            &figure("check that asks, with 1,000,000 sessions, of that with 1,000"),
            cold_of_many / cold,
            "×",
            1.3,
        );
    }
}

/// A node with so many live sessions, and the cookies of a thousand of them.
struct Stored {
    node: Node,
    tokens: Vec<String>,
}

impl Stored {
    fn new(database: &Database, sessions: u32) -> Self {
        let node = Node::start(database);
        let tokens = node.store(sessions);
        Self { node, tokens }
    }

    fn decode(&self, criterion: &mut Criterion, name: &str) -> f64 {
        let secret = Secret::parse(SECRET).expect("a secret");
        let keys = secret.derive("session+jwt").expect("keys");
        let key = DecodingKey::from_secret(&keys[0].bytes);
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.set_issuer(&["cloakroom"]);
        validation.validate_aud = false;
        time(criterion, &format!("{name}-decode"), |times| {
            let started = Instant::now();
            for token in self.tokens.iter().cycle().take(count(times)) {
                black_box(decode::<Claims>(token, &key, &validation).expect("a token"));
            }
            started.elapsed()
        })
    }

    /// What a server does at every click of somebody who was here a moment ago.
    fn cached(&self, criterion: &mut Criterion, name: &str) -> f64 {
        self.check(criterion, name, &self.tokens, true, || {})
    }

    /// The first click after a start.
    fn cold(&self, criterion: &mut Criterion, name: &str) -> f64 {
        let forget = || self.node.state.sessions.clear();
        self.check(criterion, name, &self.tokens, true, forget)
    }

    /// A right header and payload under another's signature.
    fn forged(&self, criterion: &mut Criterion, name: &str) -> f64 {
        let forged: Vec<String> = self.tokens.iter().map(|token| forge(token)).collect();
        self.check(criterion, name, &forged, false, || {})
    }

    fn check(
        &self,
        criterion: &mut Criterion,
        name: &str,
        tokens: &[String],
        is_good: bool,
        before_each: impl Fn(),
    ) -> f64 {
        let (state, visitor) = (&self.node.state, visitor());
        time(criterion, name, |times| {
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
        let sent = crate::load::send(&node.port, 32, 100_000, &request);
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
        let second = Duration::from_secs(1);
        run_for(&node.port, 32, second, &same_size);
        let mut ratios: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                run_for(&node.port, 32, second, &viewer)
                    / run_for(&node.port, 32, second, &same_size)
            })
            .collect();
        let what = format!("{name}: /api/viewer requests/s, of a function's that asks nobody");
        figures.at_least(&what, median(&mut ratios), "×", 0.85);
    }
}
