//! The session under whatever order things happen in: requests, renewals, lost answers, restored
//! tabs, sign-outs, changed passwords and thieves, at random, against a model of one sentence.
//!
//! The sentence: a cookie is valid if it is the newest, or the last one that was shown before it, until
//! the newest has been shown for a minute; three renewals in a row may stay unshown, for a minute each;
//! every other cookie ends the session.

use crate::app::{Browser, COOKIE, PASSWORD, TestApp};
use crate::sessions::{claims, generation};
use cloakroom::server::secret::PlainSid;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const GRACE_S: i64 = 60;
/// Renewals in a row that may stay unshown.
const GRACES: i64 = 3;

/// Random, and the same again for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

/// One session as the sentence has it, from one sid to the next.
struct Model {
    now: i64,
    /// Generations that were made, and when.
    made_at: BTreeMap<i64, i64>,
    /// When a cookie of each generation was first shown.
    first_shown: BTreeMap<i64, i64>,
    is_over: bool,
}

impl Model {
    fn new(now: i64) -> Self {
        Self {
            now,
            made_at: BTreeMap::from([(1, now)]),
            first_shown: BTreeMap::from([(1, now)]),
            is_over: false,
        }
    }

    /// Whether this cookie is served now; notes that it was shown.
    fn show(&mut self, generation: i64) -> bool {
        if self.is_over {
            return false;
        }
        let (&newest, &made_at) = self.made_at.last_key_value().unwrap();
        let before = self.first_shown.range(..newest).next_back();
        let before = before.map_or(0, |(generation, _)| *generation);
        let (since, renewals) = match self.first_shown.get(&newest) {
            Some(shown_at) => (*shown_at, GRACES),
            None => (made_at, newest - before),
        };
        let is_served = generation == newest
            || generation == before && (self.now < since + GRACE_S || renewals < GRACES);
        self.is_over = !is_served;
        if is_served {
            self.first_shown.entry(generation).or_insert(self.now);
        }
        is_served
    }

    /// Notes that a response carried a cookie of this generation.
    fn make(&mut self, generation: i64) {
        self.made_at.insert(generation, self.now);
    }
}

/// A run: one person's browser, perhaps a thief, and the cookies of sessions that are over.
struct Run<'a> {
    app: &'a TestApp,
    dice: Dice,
    email: String,
    password: String,
    owner: Browser,
    thief: Option<Browser>,
    /// Cookies of requests that are still under way: read by the browser a while ago.
    under_way: Vec<(i64, String)>,
    model: Model,
    gone: Vec<String>,
    story: Vec<String>,
}

impl<'a> Run<'a> {
    async fn new(app: &'a TestApp, seed: u64) -> Self {
        let email = format!("run-{seed}@example.com");
        Self {
            app,
            dice: Dice(seed),
            owner: app.signed_up(&email).await,
            email,
            password: PASSWORD.to_owned(),
            thief: None,
            under_way: Vec::new(),
            model: Model::new(0),
            gone: Vec::new(),
            story: vec![format!("seed {seed}")],
        }
    }

    fn say(&mut self, what: impl Into<String>) {
        self.story
            .push(format!("{} s: {}", self.model.now, what.into()));
    }

    /// Shows the cookie that this browser has, and compares the answer with the model's.
    async fn show(&mut self, who: &str, browser: &Browser, is_lost: bool) {
        let cookie = browser.session().unwrap();
        let lost = self.app.browser();
        lost.plant(COOKIE, &cookie);
        let asks = if is_lost { &lost } else { browser };
        let sent = asks.viewer().await;
        let made = generation(&asks.session().unwrap());
        let generation = generation(&cookie);
        self.say(format!(
            "{who} shows {generation}, lost: {is_lost}, {sent:?}"
        ));
        let expected = self.model.show(generation).then_some(self.email.as_str());
        if made > generation {
            self.model.make(made);
        }
        assert_eq!(sent.as_deref(), expected, "{:#?}", self.story);
    }

    /// A new sid: what was before is over, whoever has it.
    fn start_anew(&mut self, before: String) {
        self.gone.push(before);
        self.gone
            .extend(self.under_way.drain(..).map(|(_, cookie)| cookie));
        let thief = self.thief.take();
        self.gone.extend(thief.and_then(|thief| thief.session()));
        self.model = Model::new(self.model.now);
    }

    async fn step(&mut self) {
        match self.dice.roll(12) {
            0..=3 => {
                let owner = std::mem::replace(&mut self.owner, self.app.browser());
                self.show("the owner", &owner, false).await;
                self.owner = owner;
            }
            4 => {
                let owner = std::mem::replace(&mut self.owner, self.app.browser());
                self.show("the owner", &owner, true).await;
                self.owner = owner;
            }
            5 => {
                let cookie = self.owner.session().unwrap();
                self.under_way.push((self.model.now, cookie));
            }
            6 => self.arrive().await,
            7 | 8 => {
                let seconds =
                    [1, 20, 59, 61, 300, 700][usize::try_from(self.dice.roll(6)).unwrap()];
                self.app.pass(seconds);
                self.model.now += seconds;
                // A request takes half a minute at most.
                let now = self.model.now;
                self.under_way.retain(|(sent_at, _)| now < sent_at + 30);
            }
            9 if self.thief.is_none() && self.dice.roll(4) == 0 => {
                let thief = self.app.browser();
                thief.plant(COOKIE, &self.owner.session().unwrap());
                self.say("a thief copies");
                self.thief = Some(thief);
            }
            9 | 10 => {
                if let Some(thief) = self.thief.take() {
                    self.show("the thief", &thief, false).await;
                    self.thief = Some(thief);
                }
            }
            _ => match self.dice.roll(6) {
                0 if !self.model.is_over => self.change_password().await,
                1 => self.sign_out_and_in().await,
                _ => {}
            },
        }
        for cookie in &self.gone {
            let browser = self.app.browser();
            browser.plant(COOKIE, cookie);
            assert_eq!(browser.viewer().await, None, "{:#?}", self.story);
        }
        self.gone.truncate(2);
    }

    /// A request that was sent a while ago arrives, and its answer goes into the browser.
    async fn arrive(&mut self) {
        if self.under_way.is_empty() {
            return;
        }
        let (_, cookie) = self.under_way.remove(0);
        let tab = self.app.browser();
        tab.plant(COOKIE, &cookie);
        self.show("a tab", &tab, false).await;
        if tab.session().unwrap() != cookie {
            self.owner = tab;
        }
    }

    async fn change_password(&mut self) {
        let before = self.owner.session().unwrap();
        let is_let_in = self.model.show(generation(&before));
        let new = format!("{PASSWORD} {}", self.dice.roll(1_000_000));
        let form = [
            ("current_password", &*self.password),
            ("new_password", &*new),
        ];
        let answer = self.owner.call("change_password", &form).await;
        self.say(format!("the owner changes the password: {}", answer.status));
        assert_eq!(answer.status == 200, is_let_in, "{:#?}", self.story);
        if is_let_in {
            self.password = new;
            self.start_anew(before);
        }
    }

    async fn sign_out_and_in(&mut self) {
        let before = self.owner.session().unwrap();
        self.model.show(generation(&before));
        let answer = self.owner.call("sign_out", &[]).await;
        assert_eq!(answer.status, 200, "{:#?}", self.story);
        let answer = self.owner.sign_in(&self.email, &self.password).await;
        self.say(format!("the owner signs out and in: {}", answer.status));
        assert_eq!(answer.status, 200, "{:#?}", self.story);
        self.start_anew(before);
    }
}

#[tokio::test]
async fn whatever_happens_in_whatever_order_nobody_is_signed_out_by_a_race_and_no_copy_survives() {
    let app = TestApp::with(|config| {
        config.session.idle_timeout_s = 86_400 * 7;
        config.session.absolute_timeout_s = 86_400 * 14;
        config.limits.sign_ins_per_account = 100_000;
        config.limits.sign_ins_per_account_and_address = 100_000;
    })
    .await;
    for seed in 0..60 {
        let mut run = Run::new(&app, seed).await;
        for _ in 0..60 {
            run.step().await;
        }
    }
}

#[tokio::test]
async fn a_row_that_was_read_before_the_end_is_not_kept_after_it() {
    let app = TestApp::new().await;
    let browser = app.signed_up("ada@example.com").await;
    assert!(browser.viewer().await.is_some());
    let cookie = browser.session().unwrap();
    let sid = claims(&cookie)["sid"].as_str().unwrap().to_owned();
    let key = PlainSid::from_token(sid).hashed();
    let sessions = &app.state.sessions;
    // A check begins, and reads the row; before it is done, the session ends.
    let ticket = sessions.ticket(&key);
    let row = sessions.get(&key).unwrap();
    browser.call("sign_out", &[]).await;
    sessions.keep(&ticket, row);
    let copy = app.browser();
    copy.plant(COOKIE, &cookie);
    assert_eq!(copy.viewer().await, None);
}

#[tokio::test]
async fn nothing_is_let_in_after_its_end_has_answered() {
    let app = Arc::new(TestApp::new().await);
    let here = app.signed_up("ada@example.com").await;
    for round in 0..40 {
        let there = app.browser();
        there.sign_in("ada@example.com", PASSWORD).await;
        assert!(there.viewer().await.is_some());
        let cookie = there.session().unwrap();
        let has_answered = Arc::new(AtomicBool::new(false));
        let mut tabs = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (app, has_answered) = (Arc::clone(&app), Arc::clone(&has_answered));
            let tab = app.browser();
            tab.plant(COOKIE, &cookie);
            tabs.spawn(async move {
                loop {
                    let was_answered = has_answered.load(Ordering::SeqCst);
                    let is_let_in = tab.viewer().await.is_some();
                    assert!(!(was_answered && is_let_in), "let in after its end");
                    if was_answered {
                        break;
                    }
                }
            });
        }
        // Now by one way of ending, now by another.
        match round % 3 {
            0 => assert_eq!(
                here.call("end_other_sessions", &[]).await.json()["count"],
                1
            ),
            1 => assert_eq!(there.call("sign_out", &[]).await.status, 200),
            _ => {
                let devices = here.list_sessions().await;
                let id = devices["sessions"][1]["id"].as_str().unwrap();
                assert_eq!(
                    here.call("end_session", &[("id", id)]).await.json()["count"],
                    1
                );
            }
        }
        has_answered.store(true, Ordering::SeqCst);
        tabs.join_all().await;
    }
}
