//! Sessions and activity are deleted when they are older than `[retention]` allows, and nothing that is
//! still needed goes with them.

use crate::{
    app::{EMAIL, PASSWORD, Program, TestApp},
    grants::{code_of, other_app, other_app_with, text},
};
use cloakroom::server::{
    prune::prune,
    retention::{self, Swept},
};

const DAY_S: i64 = 86_400;
const SESSIONS: &str = "SELECT COUNT(*) FROM sessions";
const ACTIVITY: &str = "SELECT COUNT(*) FROM activity";

async fn sweep(app: &TestApp) -> Swept {
    // As the server does, which prunes first.
    prune(&app.state).await.unwrap();
    retention::sweep(&app.state).await.unwrap()
}

#[tokio::test]
async fn ended_and_expired_sessions_are_deleted_after_90_days() {
    let app = TestApp::new().await;
    let signed_out = app.signed_up(EMAIL).await;
    let never_back = app.browser();
    app.pass(1);
    never_back.sign_in(EMAIL, PASSWORD).await;
    let copy = app.browser();
    copy.keep(&signed_out);
    app.pass(1);
    signed_out.call("sign_out", &[]).await;
    // The latest end of the one that never came back is a day after its start.
    app.pass(90 * DAY_S - 1);
    assert_eq!(sweep(&app).await, Swept::default());
    assert_eq!(app.count(SESSIONS).await, 2);
    app.pass(1);
    assert_eq!(sweep(&app).await.sessions, 1);
    app.pass(DAY_S);
    assert_eq!(sweep(&app).await.sessions, 1);
    assert_eq!(app.count(SESSIONS).await, 0);

    // Their cookies are signed out, and no copies.
    for browser in [&copy, &never_back] {
        assert_eq!(browser.viewer().await, None);
        assert_eq!(browser.call("sign_out", &[]).await.status, 200);
    }
    copy.sign_in(EMAIL, PASSWORD).await;
    let activity = copy.list_activity().await;
    assert_eq!(
        activity,
        ["signed_in", "signed_out", "signed_in", "signed_up"]
    );
}

#[tokio::test]
async fn a_session_that_goes_on_is_kept_however_long_ago_it_was_started() {
    let app = TestApp::with(|config| {
        config.session.idle_timeout_s = 30 * 86_400;
        config.session.absolute_timeout_s = 30 * 86_400;
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    for _ in 0..5 {
        app.pass(29 * DAY_S);
        let form = [("password", PASSWORD), ("next", "/account")];
        assert_eq!(browser.call("confirm_password", &form).await.status, 200);
    }
    assert_eq!(sweep(&app).await, Swept::default());
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn activity_is_deleted_after_365_days() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(365 * DAY_S - 1);
    browser.sign_in(EMAIL, PASSWORD).await;
    sweep(&app).await;
    assert_eq!(browser.list_activity().await, ["signed_in", "signed_up"]);
    app.pass(1);
    assert_eq!(sweep(&app).await.activity, 1);
    assert_eq!(browser.list_activity().await, ["signed_in"]);
}

#[tokio::test]
async fn a_wall_clock_that_is_set_forward_deletes_nothing() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.set_clock(400 * DAY_S);
    assert_eq!(sweep(&app).await, Swept::default());
    app.set_clock(-400 * DAY_S);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(browser.list_activity().await, ["signed_up"]);
}

#[tokio::test]
async fn the_days_can_be_set() {
    let app = TestApp::with(|config| {
        config.retention.sessions_days = 31;
        config.retention.activity_days = 1;
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    browser.call("sign_out", &[]).await;
    app.pass(DAY_S);
    assert_eq!(sweep(&app).await.activity, 2);
    app.pass(30 * DAY_S);
    assert_eq!(sweep(&app).await.sessions, 1);
    assert_eq!(app.count(ACTIVITY).await, 0);
}

#[tokio::test]
async fn consent_outlives_the_session_in_which_it_was_given() {
    let app = TestApp::new().await;
    let (one, other) = (other_app(&app).await, other_app(&app).await);
    let browser = app.signed_up(EMAIL).await;
    one.tokens(&browser, &[]).await;
    // One session is signed out, and the other expires.
    browser.call("sign_out", &[]).await;
    browser.sign_in(EMAIL, PASSWORD).await;
    other.tokens(&browser, &[]).await;
    app.pass(200 * DAY_S);
    assert_eq!(sweep(&app).await.sessions, 2);
    browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(browser.list_apps().await.len(), 2);
    for app in [&one, &other] {
        let code = code_of(&browser.open(&app.link(&[])).await);
        assert_eq!(app.redeem(&code).await.status, 200);
    }
}

#[tokio::test]
async fn a_logout_notice_that_waits_outlives_its_session() {
    let app = TestApp::new().await;
    let address = "http://localhost:9/logged-out";
    let other = other_app_with(&app, |said| {
        said.backchannel_logout_uri = Some(address.to_owned());
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    assert!(other.is_good(text(&tokens, "access_token")).await);
    browser.call("sign_out", &[]).await;
    // A server that was stopped for as long has its notices still to deliver.
    app.tamper("UPDATE logout_notices SET tries = 1, next_try_at = 1899999999")
        .await;
    app.pass(100 * DAY_S);
    assert_eq!(sweep(&app).await.sessions, 1);
    let waiting = "SELECT COUNT(*) FROM logout_notices WHERE session_id <> ''";
    assert_eq!(app.count(waiting).await, 1);
}

#[tokio::test]
async fn api_keys_go_a_year_after_their_end_and_revoked_ones_stay_refused() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let first = browser.mint("profile:read").await;
    let form = [("id", first["id"].as_str().unwrap())];
    let revoked = Program::new(&app.url, first["key"].as_str().unwrap());
    assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
    browser.key("profile:read").await;
    app.pass(366 * DAY_S - 1);
    assert_eq!(sweep(&app).await.api_keys, 0);
    app.pass(1);
    assert_eq!(sweep(&app).await.api_keys, 2);
    // The clock was ahead all the time, and is set right; then a node starts.
    app.set_clock(-366 * DAY_S);
    assert_eq!(revoked.get("/v1/me").await.status, 401);
    let again = app.restarted().await;
    let revoked = Program::new(&again.url, revoked.key());
    assert_eq!(revoked.get("/v1/me").await.status, 401);
}

#[tokio::test]
async fn a_backlog_goes_in_small_transactions_while_users_sign_in() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    browser.call("sign_out", &[]).await;
    for sql in [
        "INSERT INTO activity (id, user_id, at_ms, kind, how_many, user_agent, address) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 15000) \
         SELECT a.id || n.i, a.user_id, n.i, 'signed_in', 1, '', '' FROM activity a, n \
         WHERE a.kind = 'signed_up'",
        "INSERT INTO sessions (id, hashed_sid, user_id, created_at, last_seen_at, generation, \
            renewed_at, authenticated_at, authenticated_by, user_agent, address, is_kept, \
            idle_timeout_s, ends_at, ended_at) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500) \
         SELECT s.id || n.i, s.id || n.i, s.user_id, 1, 1, 1, 1, 1, 'pwd', '', '', 0, 1, n.i, \
            CASE WHEN n.i > 50 THEN n.i END FROM sessions s, n",
    ] {
        app.tamper(sql).await;
    }
    let swept = Swept {
        sessions: 10_000,
        activity: 10_000,
        api_keys: 0,
        is_more: true,
    };
    let sweeping = retention::sweep(&app.state);
    let signing_in = browser.sign_in(EMAIL, PASSWORD);
    let (first, signed_in) = tokio::join!(sweeping, signing_in);
    assert_eq!((first.unwrap(), signed_in.status), (swept, 200));
    let second = sweep(&app).await;
    assert_eq!((second.sessions, second.activity), (500, 5_000));
    assert!(!second.is_more);
    assert_eq!(app.count(SESSIONS).await, 2);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

/// On PostgreSQL.
#[tokio::test]
async fn one_node_at_a_time_deletes() {
    let app = TestApp::new().await;
    if app.state.db.file().is_some() {
        return;
    }
    app.signed_up(EMAIL).await;
    app.pass(400 * DAY_S);
    let mut other_node = app.state.db.write().await.unwrap();
    let held = app.state.db.try_lock(&mut other_node, retention::LOCK);
    assert!(held.await.unwrap());
    assert_eq!(
        retention::sweep(&app.state).await.unwrap(),
        Swept::default()
    );
    drop(other_node);
    // The connection goes back to the pool, and with it the lock.
    while sweep(&app).await.activity == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.count(ACTIVITY).await, 0);
}
