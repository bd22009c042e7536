//! Random histories of a session through HTTP, on two nodes where the database is PostgreSQL, and on one
//! that starts anew now and then where it is SQLite, for the two promises about renewal that
//! `two_holders.rs` searches the rule for: two holders of one cookie are not both served past the third
//! renewal, and a single browser is not signed out.
//!
//! `HISTORIES` is how many of each kind are tried, `SEED` the first of their seeds.

use crate::app::{COOKIE, EMAIL, PASSWORD, TestApp};
use crate::sessions::{claims, generation};
use cloakroom::server::{
    secret::{HashedSid, PlainSid},
    sessions::{Session, generations::UNSHOWN_MAX},
};
use std::{collections::BTreeSet, sync::Arc};

const EVENTS: usize = 14;
/// A request, and a response, are on their way for so long at most, in seconds.
const ON_ITS_WAY_S: i64 = 20;
/// Responses in a row that a network loses at most, if there is a single browser.
const LOST_MAX: usize = 2;

/// Random numbers, the same again for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }
}

/// A browser with one cookie, or an attacker who keeps every cookie.
#[derive(Clone, Default)]
struct Holder {
    cookies: Vec<String>,
    /// Cookie of a request that has not arrived, and since when.
    request: Option<(String, i64)>,
    /// Cookie of a response that has not arrived, and since when.
    response: Option<(String, i64)>,
    /// Responses lost in a row.
    lost: usize,
    /// Served since the newest renewal.
    is_served: bool,
}

/// What becomes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Response {
    Arrives,
    IsLost,
    IsLate,
}

/// One session: what happened, and who holds what.
struct History<'a> {
    nodes: &'a [TestApp],
    dice: Dice,
    key: HashedSid,
    /// The owner, and perhaps an attacker.
    holders: Vec<Holder>,
    now: i64,
    newest: i64,
    shown: BTreeSet<i64>,
    /// Nodes that have not been told of the last change, and what they have in memory.
    stale: Vec<(usize, Arc<Session>)>,
    /// Renewals since the cookie was copied.
    renewals: i64,
    is_over: bool,
    story: Vec<String>,
}

impl<'a> History<'a> {
    async fn new(nodes: &'a [TestApp], seed: u64, is_copied: bool) -> Self {
        let owner = nodes[0].browser();
        assert_eq!(owner.sign_in(EMAIL, PASSWORD).await.status, 200);
        assert!(owner.viewer().await.is_some());
        let cookie = owner.session().unwrap();
        let sid = claims(&cookie)["sid"].as_str().unwrap().to_owned();
        let holder = Holder {
            cookies: vec![cookie],
            ..Holder::default()
        };
        Self {
            nodes,
            dice: Dice(seed),
            key: PlainSid::from_token(sid).hashed(),
            holders: vec![holder; 1 + usize::from(is_copied)],
            now: 0,
            newest: 1,
            shown: BTreeSet::from([1]),
            stale: Vec::new(),
            renewals: 0,
            is_over: false,
            story: vec![format!("seed {seed}, copied: {is_copied}")],
        }
    }

    fn name(&self, who: usize) -> &'static str {
        match (who, self.holders.len()) {
            (0, 2) => "the owner",
            (0, _) => "the browser",
            _ => "the attacker",
        }
    }

    fn any_cookie(&mut self, who: usize) -> String {
        let cookies = &self.holders[who].cookies;
        let at = self.dice.roll(cookies.len());
        cookies[at].clone()
    }

    async fn step(&mut self) {
        let who = self.dice.roll(self.holders.len());
        match self.dice.roll(12) {
            0..=3 => {
                let cookie = self.any_cookie(who);
                self.show(who, &cookie, Response::Arrives).await;
            }
            4 => {
                let cookie = self.any_cookie(who);
                let may_lose = self.holders[who].lost < LOST_MAX || self.holders.len() > 1;
                let response = if may_lose {
                    Response::IsLost
                } else {
                    Response::Arrives
                };
                self.show(who, &cookie, response).await;
            }
            5 if self.holders[who].response.is_none() => {
                let cookie = self.any_cookie(who);
                self.show(who, &cookie, Response::IsLate).await;
            }
            6 if self.holders[who].request.is_none() => {
                let cookie = self.any_cookie(who);
                self.holders[who].request = Some((cookie, self.now));
            }
            5..=7 => self.arrive(who).await,
            _ => {
                let seconds = [ON_ITS_WAY_S, 60, 300][self.dice.roll(3)];
                self.pass(seconds).await;
            }
        }
    }

    /// What is on its way arrives.
    async fn arrive(&mut self, who: usize) {
        if let Some((cookie, _)) = self.holders[who].response.take() {
            self.receive(who, cookie);
        }
        if let Some((cookie, _)) = self.holders[who].request.take() {
            self.show(who, &cookie, Response::Arrives).await;
        }
    }

    fn receive(&mut self, who: usize, cookie: String) {
        let holder = &mut self.holders[who];
        if who == 0 {
            holder.cookies.clear();
        }
        holder.cookies.push(cookie);
        holder.lost = 0;
    }

    /// Shows a cookie to one of the nodes, and checks both promises.
    async fn show(&mut self, who: usize, cookie: &str, response: Response) {
        if self.is_over {
            return;
        }
        let at = self.dice.roll(self.nodes.len());
        if self.nodes.len() == 1 && self.dice.roll(4) == 0 {
            self.nodes[0].state.sessions.clear();
        }
        let others = (0..self.nodes.len()).filter(|other| *other != at);
        let kept = |other: usize| Some((other, self.nodes[other].state.sessions.get(&self.key)?));
        let others: Vec<_> = others.filter_map(kept).collect();
        let asks = self.nodes[at].browser();
        asks.plant(COOKIE, cookie);
        let is_served = asks.viewer().await.is_some();
        let (shown, sent) = (generation(cookie), asks.session().unwrap());
        let made = generation(&sent);
        self.story.push(format!(
            "{} s: {} shows {shown} to node {at}: served: {is_served}, {made} {response:?}",
            self.now,
            self.name(who),
        ));
        let is_first_sight = is_served && self.shown.insert(shown);
        if is_first_sight || made > shown {
            self.stale.extend(others);
        }
        if made > self.newest {
            self.renewals += made - self.newest;
            self.newest = made;
            self.holders.iter_mut().for_each(|it| it.is_served = false);
        }
        self.is_over = !is_served;
        self.holders[who].is_served = is_served;
        if made > shown {
            match response {
                Response::Arrives => self.receive(who, sent),
                Response::IsLost => self.holders[who].lost += 1,
                Response::IsLate => self.holders[who].response = Some((sent, self.now)),
            }
        }
        let are_both_served = self.holders.len() == 2 && self.holders.iter().all(|it| it.is_served);
        assert!(
            !(are_both_served && self.renewals > UNSHOWN_MAX),
            "both holders are served after {} renewals: {:#?}",
            self.renewals,
            self.story
        );
        assert!(
            is_served || self.holders.len() == 2,
            "a single browser is signed out: {:#?}",
            self.story
        );
    }

    /// Lets time pass. What would be on its way for too long arrives before, and nodes are told of
    /// changes within a second.
    async fn pass(&mut self, seconds: i64) {
        for who in 0..self.holders.len() {
            let holder = &self.holders[who];
            let on_its_way = holder.request.iter().chain(&holder.response);
            let since = on_its_way.map(|(_, since)| *since).min();
            if since.is_some_and(|since| self.now + seconds > since + ON_ITS_WAY_S) {
                self.arrive(who).await;
            }
        }
        for (at, stale) in std::mem::take(&mut self.stale) {
            let is_stale = || {
                let kept = self.nodes[at].state.sessions.get(&self.key);
                kept.is_some_and(|kept| Arc::ptr_eq(&kept, &stale))
            };
            while is_stale() {
                tokio::task::yield_now().await;
            }
        }
        self.nodes[0].pass(seconds);
        self.now += seconds;
    }
}

/// Number of a name in the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "the seed lets a developer run the same histories again"
)]
async fn no_random_history_serves_two_holders_for_long_or_signs_a_single_browser_out() {
    let first = TestApp::with(|config| {
        config.session.idle_timeout_s = 86_400 * 7;
        config.session.absolute_timeout_s = 86_400 * 14;
        config.limits.sign_ins_per_address = 1_000_000;
        config.limits.sign_ins_per_account = 1_000_000;
        config.limits.sign_ins_per_account_and_address = 1_000_000;
    })
    .await;
    first.signed_up(EMAIL).await;
    let mut nodes = vec![first];
    if std::env::var_os("CLOAKROOM_TEST_POSTGRES").is_some() {
        nodes.push(nodes[0].restarted().await);
    }
    let histories = number("HISTORIES").unwrap_or(60);
    let seed = number("SEED");
    let seed = seed.unwrap_or_else(|| u64::from_le_bytes(nodes[0].state.random.bytes().unwrap()));
    println!("{histories} histories of each kind, from seed {seed} on");
    let mut ended = 0;
    for at in 0..histories {
        for is_copied in [false, true] {
            let seed = seed.wrapping_add(at);
            let mut history = History::new(&nodes, seed, is_copied).await;
            for _ in 0..EVENTS {
                history.step().await;
            }
            ended += u64::from(history.is_over);
            // The sessions of one history are not those of the next.
            let browser = nodes[0].browser();
            browser.plant(COOKIE, &history.holders[0].cookies[0]);
            browser.call("sign_out", &[]).await;
        }
    }
    println!("{ended} sessions of {histories} with two holders ended");
    assert!(ended > 0, "no copy was noticed: the histories are too tame");
}
