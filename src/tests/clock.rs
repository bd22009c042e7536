//! A wall clock that is set forward or back, by an operator, a resumed machine or the first time
//! synchronisation.

use crate::app::{COOKIE, EMAIL, PASSWORD, Program, TestApp};
use cloakroom::server::{clock::NowAndThen, fields::Email, users};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
/// Keys of the test suite live for a day, so that they have expired by any of these.
const AHEAD_S: [i64; 3] = [2 * DAY_S, 400 * DAY_S, 4_000 * DAY_S];

async fn status(app: &TestApp, key: &str) -> u16 {
    Program::new(&app.url, key).get("/v1/me").await.status
}

/// A key of this user's that was made and revoked.
async fn revoked_key(app: &TestApp, email: &str) -> String {
    let browser = app.signed_up(email).await;
    let minted = browser.mint("profile:read").await;
    let form = [("id", minted["id"].as_str().unwrap())];
    assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
    minted["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_revoked_key_stays_revoked_when_a_clock_that_was_ahead_is_set_right() {
    for ahead in AHEAD_S {
        let app = TestApp::new().await;
        let key = revoked_key(&app, EMAIL).await;
        // Above its owner's cutoff, since another key of the same user is alive.
        let browser = app.signed_up("bob@example.com").await;
        let live = browser.key("profile:read").await;
        let listed = browser.mint("profile:read").await;
        let form = [("id", listed["id"].as_str().unwrap())];
        assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
        let listed = listed["key"].as_str().unwrap();
        assert_eq!(status(&app, listed).await, 401);

        app.set_clock(ahead);
        // Another revocation, a minute later, sweeps what has expired.
        app.pass(61);
        revoked_key(&app, "carol@example.com").await;
        app.set_clock(-ahead);
        assert_eq!(status(&app, &key).await, 401, "{ahead}");
        assert_eq!(status(&app, listed).await, 401, "{ahead}");
        assert_eq!(status(&app, &live).await, 200, "{ahead}");
    }
}

#[tokio::test]
async fn a_revoked_key_stays_revoked_when_the_server_started_while_the_clock_was_ahead() {
    for ahead in AHEAD_S {
        let app = TestApp::new().await;
        let browser = app.signed_up(EMAIL).await;
        let live = browser.key("profile:read").await;
        let listed = browser.mint("profile:read").await;
        let form = [("id", listed["id"].as_str().unwrap())];
        assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
        let covered = revoked_key(&app, "bob@example.com").await;

        app.set_clock(ahead);
        let app = app.restarted().await;
        app.set_clock(-ahead);
        let listed = listed["key"].as_str().unwrap();
        assert_eq!(status(&app, listed).await, 401, "{ahead}");
        assert_eq!(status(&app, &covered).await, 401, "{ahead}");
        assert_eq!(status(&app, &live).await, 200, "{ahead}");
    }
}

#[tokio::test]
async fn a_key_that_only_seemed_expired_works_when_the_clock_is_right_again() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let live = browser.key("profile:read").await;
    app.set_clock(2 * DAY_S);
    assert_eq!(status(&app, &live).await, 401);
    // A revocation meanwhile.
    let again = app.browser();
    assert_eq!(again.sign_in(EMAIL, PASSWORD).await.status, 200);
    let minted = again.mint("profile:read").await;
    let form = [("id", minted["id"].as_str().unwrap())];
    assert_eq!(again.call("revoke_api_key", &form).await.status, 200);
    app.set_clock(-2 * DAY_S);
    assert_eq!(status(&app, &live).await, 200);
    assert_eq!(status(&app, minted["key"].as_str().unwrap()).await, 401);
}

#[tokio::test]
async fn the_keys_of_an_account_that_is_disabled_while_the_clock_is_ahead_stay_revoked() {
    let app = TestApp::new().await;
    let key = app.signed_up(EMAIL).await.key("profile:read").await;
    app.set_clock(2 * DAY_S);
    let email = Email::parse(EMAIL).unwrap();
    users::set_disabled(&app.state, &email, true).await.unwrap();
    users::set_disabled(&app.state, &email, false)
        .await
        .unwrap();
    app.set_clock(-2 * DAY_S);
    assert_eq!(status(&app, &key).await, 401);
}

#[tokio::test]
async fn a_user_with_as_many_sessions_as_may_be_signs_in_while_the_clock_is_back() {
    let app = TestApp::with(|config| config.session.max_per_user = 1).await;
    app.signed_up(EMAIL).await;
    app.set_clock(-HOUR_S);
    let browser = app.browser();
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_prolong_the_use_of_a_copied_cookie() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let copied = owner.session().unwrap();
    // The cookie is renewed, and the new one shown, while the clock is ahead.
    app.set_clock(3_000);
    assert_eq!(owner.viewer().await.as_deref(), Some(EMAIL));
    assert_ne!(owner.session().unwrap(), copied);
    assert_eq!(owner.viewer().await.as_deref(), Some(EMAIL));
    app.set_clock(-3_000);
    app.pass(60);
    let attacker = app.browser();
    attacker.plant(COOKIE, &copied);
    assert_eq!(attacker.viewer().await, None);
    let owner = app.browser();
    owner.sign_in(EMAIL, PASSWORD).await;
    let happened = owner.list_activity().await;
    assert!(
        happened.contains(&"session_copied".to_owned()),
        "{happened:?}"
    );
}

#[tokio::test]
async fn the_keys_of_a_copied_session_are_revoked_whatever_the_clock_said_when_they_were_made() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let attacker = app.browser();
    attacker.plant(COOKIE, &owner.session().unwrap());
    app.set_clock(-30);
    let stolen = attacker.key("profile:read").await;
    app.pass(330);
    for _ in 0..2 {
        assert_eq!(owner.viewer().await.as_deref(), Some(EMAIL));
    }
    app.pass(60);
    assert_eq!(attacker.viewer().await, None);
    assert_eq!(status(&app, &stolen).await, 401);
}

#[tokio::test]
async fn tries_are_not_counted_on_an_entry_of_a_clock_that_was_ahead() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_account = 5).await;
    let owner = app.signed_up(EMAIL).await;
    let visitor = app.browser();
    for ahead in [2 * DAY_S, 0] {
        app.set_clock(ahead);
        for _ in 0..15 {
            visitor.sign_in(EMAIL, "not this one at all").await;
        }
        app.state.later.flush(&app.state).await.unwrap();
        app.set_clock(-ahead);
        app.pass(HOUR_S / 4);
    }
    let kinds = owner.list_activity().await;
    for kind in ["sign_in_failed", "tries_refused"] {
        let entries = kinds.iter().filter(|it| *it == kind).count();
        assert_eq!(entries, 2, "{kinds:?}");
    }
}

#[tokio::test]
async fn what_is_done_now_and_then_is_done_while_the_clock_is_back() {
    let app = TestApp::new().await;
    let (tried, clock) = (NowAndThen::default(), &app.state.clock);
    assert!(tried.is_due(clock, 60));
    app.set_clock(-HOUR_S);
    app.pass(59);
    assert!(!tried.is_due(clock, 60));
    app.pass(1);
    assert!(tried.is_due(clock, 60));
    app.set_clock(2 * HOUR_S);
    assert!(!tried.is_due(clock, 60));
}
