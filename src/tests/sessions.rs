//! The session: its cookie, its row, its ends.

use crate::app::{Browser, COOKIE, EMAIL, PASSWORD, TestApp};
use reqwest::Method;

/// Whom a copy of this cookie signs in, in another browser.
pub async fn replayed(app: &TestApp, cookie: &str) -> Option<String> {
    let thief = app.browser();
    thief.plant(COOKIE, cookie);
    thief.viewer().await
}

#[tokio::test]
async fn a_copy_of_the_cookie_is_refused_after_sign_out() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let copy = browser.session().unwrap();
    assert_eq!(replayed(&app, &copy).await.as_deref(), Some(EMAIL));
    let answer = browser.call("sign_out", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.set_cookies(),
        ["__Host-Http-session=; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=0"]
    );
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
    assert_eq!(browser.session(), None);
    assert_eq!(replayed(&app, &copy).await, None);
    assert_eq!(
        app.count("SELECT COUNT(*) FROM sessions WHERE end_reason = 'signed_out'")
            .await,
        1
    );
    // Asked again, it is as it was.
    assert_eq!(browser.call("sign_out", &[]).await.status, 200);
}

#[tokio::test]
async fn signing_in_replaces_what_the_browser_had() {
    let app = TestApp::new().await;
    let planted = app
        .signed_up("mallory@example.com")
        .await
        .session()
        .unwrap();
    app.signed_up(EMAIL).await;
    // Fixation: the victim's browser holds the attacker's session when the victim signs in.
    let victim = app.browser();
    victim.plant(COOKIE, &planted);
    assert_eq!(victim.sign_in(EMAIL, PASSWORD).await.status, 200);
    assert_ne!(victim.session().unwrap(), planted);
    assert_eq!(victim.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(replayed(&app, &planted).await, None);
}

#[tokio::test]
async fn a_session_ends_after_its_idle_time_and_at_its_absolute_end() {
    let app = TestApp::new().await;
    let idle = app.signed_up(EMAIL).await;
    app.pass(3_599);
    assert_eq!(idle.viewer().await.as_deref(), Some(EMAIL));
    app.pass(3_600);
    assert_eq!(idle.viewer().await, None);
    // Used all the time, it still ends after a day.
    let busy = app.browser();
    busy.sign_in(EMAIL, PASSWORD).await;
    for _ in 0..47 {
        app.pass(1_800);
        assert_eq!(busy.viewer().await.as_deref(), Some(EMAIL));
    }
    app.pass(1_800);
    assert_eq!(busy.viewer().await, None);
}

#[tokio::test]
async fn keep_me_signed_in_lasts_thirty_days_and_fourteen_without_use() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    let browser = app.browser();
    let form = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("keep_me_signed_in", "true"),
    ];
    let answer = browser.call("sign_in", &form).await;
    assert!(answer.set_cookies()[0].ends_with("; Path=/; Max-Age=2592000"));
    app.pass(14 * 86_400 - 1);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    app.pass(14 * 86_400);
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn two_session_cookies_are_refused_whatever_they_are() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let own = browser.session().unwrap();
    let ask = |cookies: Vec<String>| {
        let mut request = app.browser().request(Method::GET, "/api/viewer");
        for cookie in cookies {
            request = request.header("cookie", cookie);
        }
        request
    };
    for cookies in [
        vec![format!("{COOKIE}={own}; {COOKIE}=other")],
        vec![format!("{COOKIE}=other; {COOKIE}={own}")],
        vec![format!("{COOKIE}={own}"), format!("{COOKIE}={own}")],
    ] {
        let answer = browser.send(ask(cookies)).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (401, Some("sign_in_needed"))
        );
    }
    // Another spelling is another cookie, and none of ours.
    for twin in ["session", "__host-http-session", "__Host-session"] {
        let other: Browser = app.browser();
        other.plant(twin, &own);
        assert_eq!(other.viewer().await, None, "{twin}");
    }
}

#[tokio::test]
async fn a_cookie_that_is_no_longer_good_is_left_alone() {
    let app = TestApp::new().await;
    let browser = app.browser();
    browser.plant(COOKIE, "garbage");
    let answer = browser
        .send(browser.request(Method::GET, "/api/viewer"))
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "null"));
    assert!(answer.set_cookies().is_empty());
}

#[tokio::test]
async fn without_its_database_nobody_is_let_in_and_nobody_is_called_signed_out() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.state.db.close().await;
    for answer in [
        browser
            .send(browser.request(Method::GET, "/api/viewer"))
            .await,
        browser.call("sign_out", &[]).await,
        browser.open("/health/ready").await,
    ] {
        assert_eq!(answer.status, 503);
        assert!(answer.set_cookies().is_empty());
    }
    assert_eq!(app.browser().open("/health/live").await.status, 200);
}
