//! The session: its cookie, its row, its ends.

use crate::app::{Browser, COOKIE, EMAIL, PASSWORD, TestApp};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

async fn replayed(app: &TestApp, cookie: &str) -> Option<String> {
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
async fn the_cookie_says_ids_and_times_only() {
    let app = TestApp::new().await;
    let cookie = app.signed_up(EMAIL).await.session().unwrap();
    let parts: Vec<Value> = cookie
        .split('.')
        .take(2)
        .map(|part| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
        .collect();
    let keys = |part: &Value| {
        let mut keys: Vec<String> = part.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&parts[0]), ["alg", "kid", "typ"]);
    assert_eq!(parts[0]["typ"], "session+jwt");
    assert_eq!(keys(&parts[1]), ["exp", "gen", "iat", "iss", "sid", "sub"]);
    // 128 random bits.
    assert_eq!(
        BASE64_URL_SAFE_NO_PAD
            .decode(parts[1]["sid"].as_str().unwrap())
            .unwrap()
            .len(),
        16
    );
}

#[tokio::test]
async fn a_stolen_database_signs_nobody_in() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let cookie = browser.session().unwrap();
    let (hashed_sid, id): (String, String) = sqlx::query_as("SELECT hashed_sid, id FROM sessions")
        .fetch_one(app.state.db.pool())
        .await
        .unwrap();
    for stolen in [&hashed_sid, &id] {
        assert_eq!(replayed(&app, stolen).await, None);
        let forged = forge(&cookie, |_| {}, |claims| claims["sid"] = json!(stolen));
        assert_eq!(replayed(&app, &forged).await, None);
    }
}

/// A token like this one, changed, and signed with a key of the attacker's own.
fn forge(like: &str, header: impl Fn(&mut Value), claims: impl Fn(&mut Value)) -> String {
    let read = |part: &str| -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let write = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap());
    let mut parts = like.split('.');
    let (mut head, mut body) = (read(parts.next().unwrap()), read(parts.next().unwrap()));
    header(&mut head);
    claims(&mut body);
    let text = format!("{}.{}", write(&head), write(&body));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[7; 32]);
    let tag = aws_lc_rs::hmac::sign(&key, text.as_bytes());
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

#[tokio::test]
async fn forged_tokens_sign_nobody_in() {
    let app = TestApp::new().await;
    let cookie = app.signed_up(EMAIL).await.session().unwrap();
    let mut forged = vec![
        forge(&cookie, |_| {}, |_| {}),
        forge(&cookie, |header| header["alg"] = json!("none"), |_| {}),
        forge(
            &cookie,
            |header| header["kid"] = json!("../../etc/passwd"),
            |_| {},
        ),
        forge(
            &cookie,
            |header| header["kid"] = json!("x".repeat(10_000)),
            |_| {},
        ),
        forge(
            &cookie,
            |header| header["jku"] = json!("http://127.0.0.1:1/keys"),
            |_| {},
        ),
        forge(&cookie, |header| header["crit"] = json!(["b64"]), |_| {}),
        forge(&cookie, |header| header["typ"] = json!("JWT"), |_| {}),
        forge(&cookie, |_| {}, |claims| claims["exp"] = json!(1e308)),
        forge(&cookie, |_| {}, |claims| claims["exp"] = Value::Null),
        "x".repeat(5_000),
        "a.b.c".to_owned(),
        String::new(),
    ];
    // The right signature under another text.
    let (text, tag) = cookie.rsplit_once('.').unwrap();
    forged.push(format!("{text}."));
    forged.push(format!("{}.{tag}", text.replace('.', "A.")));
    let unsigned = forge(&cookie, |header| header["alg"] = json!("none"), |_| {});
    forged.push(format!("{}.", unsigned.rsplit_once('.').unwrap().0));
    for token in forged {
        assert_eq!(replayed(&app, &token).await, None, "{token}");
    }
    assert_eq!(replayed(&app, &cookie).await.as_deref(), Some(EMAIL));
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
