//! A form with a password that is sent twice: by two clicks, or because its answer was lost.

use crate::app::{Answer, Browser, EMAIL, PASSWORD, TestApp};

const NEW: &str = "another lamp over eight stairs";
const PAGE: &str = "/account/security";
const CHANGE: [(&str, &str); 2] = [("current_password", PASSWORD), ("new_password", NEW)];
const TOLD: &str = "Your password was changed. Sign in with the new one.";

/// Another request of this browser whose answer, cookie and all, it does not receive.
async fn lose_answer(app: &TestApp, browser: &Browser, function: &str, form: &[(&str, &str)]) {
    let lost = app.browser();
    lost.keep(browser);
    let answer = lost.call(function, form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn changes(browser: &Browser) -> usize {
    let kinds = browser.list_activity().await;
    kinds
        .iter()
        .filter(|kind| *kind == "password_changed")
        .count()
}

#[tokio::test]
async fn a_change_of_the_password_that_is_sent_again_answers_as_the_first_did() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let other = app.browser();
    assert_eq!(other.sign_in(EMAIL, PASSWORD).await.status, 200);
    lose_answer(&app, &browser, "change_password", &CHANGE).await;
    app.pass(59);
    for _ in 0..2 {
        // Two more clicks, each with the cookie before.
        let click = app.browser();
        click.keep(&browser);
        let answer = click.submit(PAGE, "change_password", &CHANGE).await;
        assert_eq!((answer.status, answer.header("location")), (303, PAGE));
        let body = click.open(PAGE).await.body;
        assert!(body.contains("Your password was changed."), "{body}");
        assert!(body.contains("1 other device was signed out."), "{body}");
        assert_eq!(click.viewer().await.as_deref(), Some(EMAIL));
        assert_eq!(changes(&click).await, 1);
        assert!(
            !click
                .list_activity()
                .await
                .contains(&"sign_in_failed".to_owned())
        );
    }
    // The same session goes on.
    assert_eq!(
        app.count("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL")
            .await,
        1
    );
    assert_eq!(app.browser().sign_in(EMAIL, NEW).await.status, 200);
}

/// Calls a function twice at once: both verify the password before either of them writes.
async fn call_twice_at_once(
    app: &TestApp,
    browser: &std::sync::Arc<Browser>,
    function: &'static str,
    form: &'static [(&'static str, &'static str)],
) -> [Answer; 2] {
    let mut other = app.state.db.write().await.unwrap();
    sqlx::query("UPDATE users SET email = email")
        .execute(&mut *other)
        .await
        .unwrap();
    let asked = app.state.db.asked();
    let calls = [(); 2].map(|()| {
        let browser = std::sync::Arc::clone(browser);
        tokio::spawn(async move { browser.submit(PAGE, function, form).await })
    });
    while app.state.db.asked() < asked + 4 {
        tokio::task::yield_now().await;
    }
    other.rollback().await.unwrap();
    let [first, second] = calls;
    [first.await.unwrap(), second.await.unwrap()]
}

#[tokio::test]
async fn two_changes_of_the_password_at_once_are_one_and_keep_the_browser_signed_in() {
    let app = TestApp::new().await;
    let browser = std::sync::Arc::new(app.signed_up(EMAIL).await);
    assert!(browser.viewer().await.is_some());
    for answer in call_twice_at_once(&app, &browser, "change_password", &CHANGE).await {
        assert_eq!((answer.status, answer.header("location")), (303, PAGE));
    }
    let body = browser.open(PAGE).await.body;
    assert!(body.contains("Your password was changed."), "{body}");
    assert_eq!(changes(&browser).await, 1);
    assert!(
        !browser
            .list_activity()
            .await
            .contains(&"sign_in_failed".to_owned())
    );
}

#[tokio::test]
async fn two_confirmations_at_once_go_on_and_keep_the_browser_signed_in() {
    let app = TestApp::new().await;
    let browser = std::sync::Arc::new(app.signed_up(EMAIL).await);
    app.pass(600);
    assert!(browser.viewer().await.is_some());
    let form = &[("password", PASSWORD), ("then", "end_other_sessions")];
    for answer in call_twice_at_once(&app, &browser, "confirm_password", form).await {
        let to = answer.header("location");
        assert_eq!((answer.status, to), (307, "/api/end_other_sessions"));
    }
    assert_eq!(browser.call("end_other_sessions", &[]).await.status, 200);
    assert_eq!(
        browser.list_activity().await,
        ["password_confirmed", "signed_up"]
    );
}

#[tokio::test]
async fn a_confirmation_that_is_sent_again_goes_on() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(600);
    let form = [("password", PASSWORD), ("then", "end_other_sessions")];
    lose_answer(&app, &browser, "confirm_password", &form).await;
    let answer = browser.submit(PAGE, "confirm_password", &form).await;
    let to = answer.header("location");
    assert_eq!((answer.status, to), (307, "/api/end_other_sessions"));
    assert_eq!(browser.call("end_other_sessions", &[]).await.status, 200);
    assert_eq!(
        browser.list_activity().await,
        ["password_confirmed", "signed_up"]
    );
}

#[tokio::test]
async fn a_page_with_a_program_goes_on_as_well() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let page = browser.open("/account").await.body;
    let (_, rest) = page.split_once("tabs.postMessage([\"").unwrap();
    let tag = rest.split_once('"').unwrap().0.to_owned();
    lose_answer(&app, &browser, "change_password", &CHANGE).await;
    for (tag, status) in [("another-page-account-", 409), (&*tag, 200)] {
        let request = browser
            .request(reqwest::Method::POST, "/api/change_password")
            .header("origin", browser.url())
            .header("x-page-account", tag);
        let answer = browser.send(crate::app::with_form(request, &CHANGE)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

/// What a copy of the cookie before gets for this form: nothing.
async fn assert_refused(app: &TestApp, copy: &str, function: &str, form: &[(&str, &str)]) {
    let thief = app.browser();
    thief.plant(crate::app::COOKIE, copy);
    let answer = thief.call(function, form).await;
    assert_eq!(answer.status, 401, "{function}: {}", answer.body);
    assert!(answer.set_cookies().is_empty(), "{function}");
    assert_eq!(thief.viewer().await, None, "{function}");
}

#[tokio::test]
async fn the_cookie_before_goes_on_by_the_new_password_alone_and_its_tries_are_counted() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let copy = browser.session().unwrap();
    app.pass(1);
    assert_eq!(browser.call("change_password", &CHANGE).await.status, 200);
    app.pass(1);
    // The old password, and a guess.
    for guess in [PASSWORD, "one more lamp over nine stairs"] {
        let form = [("current_password", PASSWORD), ("new_password", guess)];
        assert_refused(&app, &copy, "change_password", &form).await;
        assert_refused(&app, &copy, "confirm_password", &[("password", guess)]).await;
    }
    // Another form opens nothing, not even with the new password.
    assert_refused(&app, &copy, "confirm_password", &[("password", NEW)]).await;
    assert_refused(&app, &copy, "end_other_sessions", &[]).await;
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    let kinds = browser.list_activity().await;
    assert_eq!(kinds[..2], ["sign_in_failed", "password_changed"]);
    // The account's tries are used up by guesses, however many cookies the attacker has.
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let thief = app.browser();
        thief.plant(crate::app::COOKIE, &copy);
        let form = [
            ("current_password", PASSWORD),
            ("new_password", "a guess of an attacker"),
        ];
        statuses.push(thief.call("change_password", &form).await.status);
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}

#[tokio::test]
async fn the_cookie_before_opens_nothing_after_a_minute_and_the_sign_in_page_says_what_happened() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let copy = browser.session().unwrap();
    lose_answer(&app, &browser, "change_password", &CHANGE).await;
    app.pass(60);
    assert_refused(&app, &copy, "change_password", &CHANGE).await;
    let answer = browser.submit(PAGE, "change_password", &CHANGE).await;
    let sign_in = answer.header("location").to_owned();
    assert_eq!(sign_in, format!("/sign-in?next={PAGE}"));
    assert!(browser.open(&sign_in).await.body.contains(TOLD));
    // Once it is signed in, the page does not say that nothing was done.
    let form = [("email", EMAIL), ("password", NEW), ("next", PAGE)];
    let answer = browser.submit(&sign_in, "sign_in", &form).await;
    assert_eq!(answer.header("location"), PAGE);
    assert!(!browser.open(PAGE).await.body.contains("this was not done"));
    // A clock that was set back makes the minute no longer.
    let browser = app.signed_up("grace@example.com").await;
    let copy = browser.session().unwrap();
    lose_answer(&app, &browser, "change_password", &CHANGE).await;
    app.pass(-30);
    assert_refused(&app, &copy, "change_password", &CHANGE).await;
}

#[tokio::test]
async fn a_session_that_its_owner_ended_meanwhile_does_not_go_on() {
    for function in ["change_password", "confirm_password"] {
        let app = TestApp::new().await;
        let browser = app.signed_up(EMAIL).await;
        let copy = browser.session().unwrap();
        let form = if function == "change_password" {
            &CHANGE[..]
        } else {
            &[("password", PASSWORD)]
        };
        assert_eq!(browser.call(function, form).await.status, 200);
        assert_eq!(browser.call("sign_out", &[]).await.status, 200);
        assert_refused(&app, &copy, function, form).await;
        assert_eq!(
            app.count("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL")
                .await,
            0
        );
    }
}

#[tokio::test]
async fn a_disabled_account_does_not_go_on() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let copy = browser.session().unwrap();
    assert_eq!(browser.call("change_password", &CHANGE).await.status, 200);
    app.tamper("UPDATE users SET disabled_at = 1").await;
    assert_refused(&app, &copy, "change_password", &CHANGE).await;
}

#[tokio::test]
async fn the_sign_in_page_tells_a_changed_password_from_another_end() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let other = app.browser();
    assert_eq!(other.sign_in(EMAIL, PASSWORD).await.status, 200);
    lose_answer(&app, &browser, "change_password", &CHANGE).await;
    // The browser that lost the answer, and the device that the change signed out.
    for browser in [&browser, &other] {
        let answer = browser.open("/account").await;
        let sign_in = answer.header("location").to_owned();
        let body = browser.open(&sign_in).await.body;
        assert!(body.contains(TOLD), "{body}");
        assert!(
            !browser.open(&sign_in).await.body.contains(TOLD),
            "it is told once"
        );
    }
    let ended = app.browser();
    assert_eq!(ended.sign_in(EMAIL, NEW).await.status, 200);
    app.tamper("UPDATE sessions SET ended_at = 1, end_reason = 'over' WHERE ended_at IS NULL")
        .await;
    let answer = ended.open("/account").await;
    let body = ended.open(answer.header("location")).await.body;
    assert!(body.contains("You were signed out. Sign in to go on.") && !body.contains(TOLD));
}
