//! A preset or a time that has become shorter holds for the sessions that there are, at once.

use crate::{
    app::{Browser, EMAIL, PASSWORD, TestApp},
    grants::{OtherApp, assert_says, other_app, text},
};
use cloakroom::server::config::{Config, Preset};
use reqwest::Method;

/// A browser whose user chose "Keep me signed in": for 14 days without use, and 30 days in all.
async fn kept(app: &TestApp) -> Browser {
    let browser = app.signed_up(EMAIL).await;
    let form = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("keep_me_signed_in", "on"),
    ];
    assert_eq!(browser.call("sign_in", &form).await.status, 200);
    browser
}

/// The same browser at another node.
fn moved(browser: &Browser, to: &TestApp) -> Browser {
    let there = to.browser();
    there.keep(browser);
    there
}

fn aal2(config: &mut Config) {
    config.session.preset = Preset::Aal2;
}

#[tokio::test]
async fn a_shorter_preset_ends_sessions_of_before_by_its_idle_time() {
    let app = TestApp::new().await;
    let browser = kept(&app).await;
    let strict = app.restarted_with(aal2).await;
    let browser = moved(&browser, &strict);
    let list = browser.list_sessions().await;
    let ticket = &list["sessions"][0];
    assert_eq!(ticket["idle_timeout_s"], 3_600);
    let left = ticket["ends_at"].as_i64().unwrap() - list["now"].as_i64().unwrap();
    assert_eq!(left, 86_400);
    strict.pass(3_599);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    // From memory as well as from the row.
    strict.pass(3_600);
    assert_eq!(browser.viewer().await, None);
    strict.pass(200);
    assert_eq!(browser.viewer().await, None);
    let stamped = "SELECT COUNT(*) FROM sessions WHERE end_reason = 'over'";
    assert_eq!(strict.count(stamped).await, 1);
}

#[tokio::test]
async fn a_shorter_preset_ends_sessions_of_before_by_its_absolute_time() {
    let app = TestApp::new().await;
    let browser = kept(&app).await;
    let strict = app.restarted_with(aal2).await;
    let browser = moved(&browser, &strict);
    for _ in 0..31 {
        strict.pass(2_700);
        assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    }
    strict.pass(2_700);
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn a_shorter_time_holds_also_after_the_password_was_confirmed() {
    let app = TestApp::new().await;
    let browser = kept(&app).await;
    let strict = app
        .restarted_with(|config| config.session.kept_idle_timeout_s = 600)
        .await;
    let browser = moved(&browser, &strict);
    let confirmed = browser
        .call("confirm_password", &[("password", PASSWORD)])
        .await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    strict.pass(600);
    assert_eq!(browser.viewer().await, None);
    // Where the times are as before, the session's own hold again.
    let before = moved(&browser, &app);
    assert_eq!(before.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn a_renewed_cookie_lasts_no_longer_than_the_shorter_time() {
    let app = TestApp::new().await;
    let browser = kept(&app).await;
    let strict = app.restarted_with(aal2).await;
    let browser = moved(&browser, &strict);
    strict.pass(400);
    let answer = browser
        .send(browser.request(Method::GET, "/api/viewer"))
        .await;
    let cookies = answer.set_cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    assert!(cookies[0].contains("Max-Age=86000"), "{cookies:?}");
}

#[tokio::test]
async fn what_hangs_on_a_session_ends_by_the_shorter_time() {
    let app = TestApp::new().await;
    let browser = kept(&app).await;
    let other = other_app(&app).await;
    let tokens = other.tokens(&browser, &[]).await;
    let strict = app.restarted_with(aal2).await;
    let there = OtherApp {
        app: &strict,
        id: other.id.clone(),
        secret: other.secret.clone(),
    };
    let next = there.refresh(text(&tokens, "refresh_token")).await.json();
    assert!(there.is_good(text(&next, "access_token")).await);
    strict.pass(3_600);
    assert_says(
        &there.refresh(text(&next, "refresh_token")).await,
        "invalid_grant",
    );
}

#[tokio::test]
async fn sessions_that_are_over_by_the_shorter_time_are_neither_listed_nor_counted() {
    let app = TestApp::new().await;
    kept(&app).await;
    let strict = app.restarted_with(aal2).await;
    strict.pass(3_600);
    let browser = strict.browser();
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
    let list = browser.list_sessions().await;
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "{list}");
    let ended = browser.call("end_other_sessions", &[]).await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    assert_eq!(ended.json()["count"], 0);
}
