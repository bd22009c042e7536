//! What nobody can use any more is thrown away; what somebody could still use, or show a second
//! time, is not.

use super::{assert_says, code_of, other_app, other_app_with, text};
use crate::app::{EMAIL, PASSWORD, TestApp};
use cloakroom::server::prune;

const DAY_S: i64 = 86_400;
const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];

async fn prune(app: &TestApp) {
    prune::prune(&app.state).await.unwrap();
}

async fn rows(app: &TestApp) -> (i64, i64, i64) {
    (
        app.count("SELECT COUNT(*) FROM authorization_codes").await,
        app.count("SELECT COUNT(*) FROM refresh_tokens").await,
        app.count("SELECT COUNT(*) FROM grants").await,
    )
}

#[tokio::test]
async fn a_copy_is_noticed_for_as_long_as_there_is_something_to_end() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let code = other.allowed(&browser, &OFFLINE).await;
    let first = other.redeem(&code).await.json();
    app.pass(30 * DAY_S - 60);
    let second = other.refresh(text(&first, "refresh_token")).await.json();
    prune(&app).await;
    assert_eq!(rows(&app).await, (1, 2, 1));
    assert_says(&other.redeem(&code).await, "invalid_grant");
    assert!(!other.is_good(text(&second, "access_token")).await);
    assert_says(
        &other.refresh(text(&second, "refresh_token")).await,
        "invalid_grant",
    );
}

#[tokio::test]
async fn what_is_over_goes_and_consent_stays() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let trusted = other_app_with(&app, |said| said.is_trusted = Some(true)).await;
    let browser = app.signed_up(EMAIL).await;
    // A code that nobody redeems is nothing once it is over.
    other.allowed(&browser, &[]).await;
    app.pass(59);
    prune(&app).await;
    assert_eq!(rows(&app).await, (1, 0, 1));
    app.pass(1);
    prune(&app).await;
    assert_eq!(rows(&app).await, (0, 0, 1));

    // Nor is what was opened for it, where nobody was asked.
    code_of(&browser.open(&trusted.link(&OFFLINE)).await);
    assert_eq!(rows(&app).await, (1, 0, 2));
    app.pass(60);
    prune(&app).await;
    assert_eq!(rows(&app).await, (0, 0, 1));

    other.tokens(&browser, &OFFLINE).await;
    for scope in [&[][..], &OFFLINE] {
        let code = code_of(&browser.open(&trusted.link(scope)).await);
        assert_eq!(trusted.redeem(&code).await.status, 200);
    }
    assert_eq!(rows(&app).await, (3, 3, 4));
    browser.call("sign_out", &[]).await;
    app.pass(31 * DAY_S);
    prune(&app).await;
    // What was consented to is remembered, with what goes with it.
    assert_eq!(rows(&app).await, (0, 0, 2));
    browser.sign_in(EMAIL, PASSWORD).await;
    for scope in [&[][..], &OFFLINE] {
        code_of(&browser.open(&other.link(scope)).await);
    }
    // Taken back, it goes as well.
    let form = [("client_id", &*other.id)];
    assert_eq!(browser.call("revoke_app", &form).await.status, 200);
    app.pass(31 * DAY_S);
    prune(&app).await;
    assert_eq!(rows(&app).await, (0, 0, 0));
}

#[tokio::test]
async fn a_client_is_told_of_the_end_of_a_long_session() {
    let app = TestApp::with(|config| {
        config.session.idle_timeout_s = 30 * 86_400;
        config.session.absolute_timeout_s = 30 * 86_400;
    })
    .await;
    let address = "http://localhost:9/logged-out";
    let other = other_app_with(&app, |said| {
        said.backchannel_logout_uri = Some(address.to_owned());
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    other.tokens(&browser, &[]).await;
    // It goes on for as long as its owner shows who they are.
    for _ in 0..2 {
        app.pass(20 * DAY_S);
        let form = [("password", PASSWORD), ("next", "/account")];
        let confirmed = browser.call("confirm_password", &form).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    }
    prune(&app).await;
    browser.call("sign_out", &[]).await;
    let noted = "SELECT COUNT(*) FROM logout_notices";
    assert_eq!(app.count(noted).await, 1);
}

#[tokio::test]
async fn a_busy_time_leaves_nothing_behind() {
    let app = TestApp::new().await;
    sqlx::query(
        "INSERT INTO used_assertions (id, ends_at) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20001) \
         SELECT CAST(n.i AS TEXT), 0 FROM n",
    )
    .execute(app.state.db.pool())
    .await
    .unwrap();
    prune(&app).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM used_assertions").await, 0);
}

#[tokio::test]
async fn an_app_with_many_grants_hides_no_other() {
    let app = TestApp::new().await;
    let first = other_app(&app).await;
    let busy = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    first.tokens(&browser, &[]).await;
    app.pass(1);
    busy.tokens(&browser, &OFFLINE).await;
    // As many sign-ins as a busy year has.
    sqlx::query(
        "INSERT INTO grants (id, user_id, client_id, scopes, created_at, last_used_at) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) \
         SELECT g.id || n.i, g.user_id, g.client_id, g.scopes, g.created_at + n.i, g.last_used_at \
         FROM grants g, n WHERE g.client_id = $1",
    )
    .bind(&busy.id)
    .execute(app.state.db.pool())
    .await
    .unwrap();
    let apps = browser.list_apps().await;
    let ids = [&apps[0]["client_id"], &apps[1]["client_id"]];
    assert_eq!(ids, [&*busy.id, &*first.id]);
    assert_eq!(apps[0]["outlives"], true);
    assert_eq!(apps[1]["outlives"], false);
}

/// Pruned while the clock is two hours ahead, which is then set right.
#[tokio::test]
async fn a_revoked_access_token_stays_revoked_when_the_clock_was_ahead() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let token = text(&tokens, "access_token");
    assert!(other.is_good(token).await);
    let form = [
        ("token", token),
        ("client_id", &*other.id),
        ("client_secret", &*other.secret),
    ];
    assert_eq!(other.post("/oauth2/revoke", &form).await.status, 200);
    assert!(!other.is_good(token).await);
    app.set_clock(7_200);
    prune(&app).await;
    app.set_clock(-7_200);
    assert!(!other.is_good(token).await);
}
