//! Answers that reach a browser late: after it has signed out, or signed in anew.

use crate::{
    app::{Answer, Browser, COOKIE, EMAIL, Held, PASSWORD, TestApp},
    sessions::generation,
};
use reqwest::Method;
use tokio::{sync::mpsc::UnboundedReceiver, task::JoinHandle};

const NEW_PASSWORD: &str = "another lamp over eight stairs";

/// Sends a request whose cookie is due, as another tab of the browser.
fn ask_in_another_tab(app: &TestApp, browser: &Browser) -> JoinHandle<Answer> {
    let tab = app.browser();
    tab.keep(browser);
    tokio::spawn(async move { tab.send(tab.request(Method::GET, "/api/viewer")).await })
}

/// Waits until a renewal is committed. The server is held up there alone, before it writes the answer.
/// `None` if the request was answered before: a renewal that takes long is left for the next request.
async fn until_renewed(
    app: &TestApp,
    mut times: UnboundedReceiver<Held>,
    asked: &mut JoinHandle<Answer>,
) -> Option<Held> {
    loop {
        let held = tokio::select! {
            held = times.recv() => held?,
            _ = &mut *asked => return None,
        };
        if app.count("SELECT MAX(generation) FROM sessions").await == 2 {
            return Some(held);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_renewed_cookie_is_not_sent_once_its_session_has_ended() {
    for change in [
        "nothing",
        "end_other_sessions",
        "sign_up",
        "confirm_password",
    ] {
        let mut tries = 0..100;
        // On PostgreSQL the task that hears of the renewal asks for the time as well, and may be held up
        // in place of the request.
        while tries.next().is_some() && !is_late_answer_right(change).await {}
        assert!(!tries.is_empty(), "{change}: no request was held up");
    }
}

/// Holds a renewal up while this change is made, and checks its answer. Returns `false` if the renewal was
/// left for later, or another task was held up in its place.
async fn is_late_answer_right(change: &str) -> bool {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let elsewhere = app.browser();
    elsewhere.sign_in(EMAIL, PASSWORD).await;
    app.pass(290);
    // The request below then has nothing else to write down.
    assert!(browser.viewer().await.is_some());
    app.state.later.flush(&app.state).await.unwrap();
    app.pass(10);
    let times = app.hold_at_each_time();
    let mut asked = ask_in_another_tab(&app, &browser);
    let Some(held) = until_renewed(&app, times, &mut asked).await else {
        return false;
    };
    let form = [("email", "grace@example.com"), ("password", PASSWORD)];
    let status = match change {
        "nothing" => 200,
        "end_other_sessions" => elsewhere.call(change, &[]).await.status,
        // In the same browser, whose cookie a late one would replace.
        _ => browser.call(change, &form).await.status,
    };
    assert_eq!(status, 200, "{change}");
    if asked.is_finished() {
        return false;
    }
    drop(held);
    let late = asked.await.unwrap();
    assert_eq!(late.status, 200, "{change}");
    let expected = usize::from(change == "nothing");
    assert_eq!(late.set_cookies().len(), expected, "{change}");
    let is_signed_in = browser.viewer().await.is_some();
    assert_eq!(is_signed_in, change != "end_other_sessions", "{change}");
    true
}

#[tokio::test]
async fn a_late_sign_out_does_not_take_the_cookie_of_a_newer_sign_in_away() {
    for (reason, is_taken) in [("replaced", false), ("ended_by_owner", true)] {
        let app = TestApp::new().await;
        let browser = app.signed_up(EMAIL).await;
        // Known from memory, so that the sign-out asks for nothing before it writes.
        assert!(browser.viewer().await.is_some());
        // A sign-in of the browser, or an ending elsewhere, which is about to be committed.
        let mut other = app.state.db.write().await.unwrap();
        sqlx::query("UPDATE sessions SET ended_at = 1800000000, end_reason = $1")
            .bind(reason)
            .execute(&mut *other)
            .await
            .unwrap();
        let asked = app.state.db.asked();
        let tab = app.browser();
        tab.keep(&browser);
        let late = tokio::spawn(async move { tab.call("sign_out", &[]).await });
        while app.state.db.asked() == asked {
            tokio::task::yield_now().await;
        }
        other.commit().await.unwrap();
        let late = late.await.unwrap();
        assert_eq!(late.status, 200, "{}", late.body);
        assert_eq!(late.set_cookies().len(), usize::from(is_taken), "{reason}");
    }
}

#[tokio::test]
async fn a_sign_out_with_the_cookie_before_a_newer_sign_in_leaves_the_new_cookie_alone() {
    for confirms in [false, true] {
        let app = TestApp::new().await;
        let browser = app.signed_up(EMAIL).await;
        let late = app.browser();
        late.keep(&browser);
        if confirms {
            let form = [("password", PASSWORD)];
            let confirmed = browser.call("confirm_password", &form).await;
            assert_eq!(confirmed.status, 200, "{}", confirmed.body);
        }
        browser.sign_in(EMAIL, PASSWORD).await;
        let answer = late.call("sign_out", &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.set_cookies().len(), 0, "{confirms}");
        assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    }
}

#[tokio::test]
async fn a_sign_out_with_the_cookie_before_a_form_with_a_password_ends_the_session() {
    for function in ["confirm_password", "change_password"] {
        let app = TestApp::new().await;
        let browser = app.signed_up(EMAIL).await;
        let stranger = app.signed_up("grace@example.com").await;
        let late = app.browser();
        late.keep(&browser);
        let form = [
            ("password", PASSWORD),
            ("current_password", PASSWORD),
            ("new_password", NEW_PASSWORD),
        ];
        let answer = browser.call(function, &form).await;
        assert_eq!(answer.status, 200, "{function}: {}", answer.body);
        app.pass(59);
        let answer = late.call("sign_out", &[]).await;
        assert_eq!(answer.status, 200, "{function}: {}", answer.body);
        assert_eq!(answer.set_cookies().len(), 1, "{function}");
        assert_eq!(late.session(), None, "{function}");
        assert_eq!(browser.viewer().await, None, "{function}");
        assert!(stranger.viewer().await.is_some(), "{function}");
        let live = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL";
        assert_eq!(app.count(live).await, 1, "{function}");
        let told = "SELECT COUNT(*) FROM activity WHERE kind = 'signed_out'";
        assert_eq!(app.count(told).await, 1, "{function}");
    }
}

/// Asks until the browser has another cookie: a busy machine may leave a renewal for the next request.
async fn renew(browser: &Browser, before: &str) {
    while browser.session().as_deref() == Some(before) {
        assert!(browser.viewer().await.is_some());
    }
}

/// Cookies of a browser whose session was renewed four times, and whose last two answers were lost.
async fn cookies_of(app: &TestApp, browser: &Browser) -> Vec<String> {
    let mut cookies = vec![browser.session().unwrap()];
    for _ in 0..4 {
        app.pass(360);
        renew(browser, cookies.last().unwrap()).await;
        assert!(browser.viewer().await.is_some());
        cookies.push(browser.session().unwrap());
    }
    for _ in 0..2 {
        app.pass(360);
        let lost = app.browser();
        lost.keep(browser);
        renew(&lost, &browser.session().unwrap()).await;
        cookies.push(lost.session().unwrap());
    }
    let generations: Vec<i64> = cookies.iter().map(|cookie| generation(cookie)).collect();
    assert_eq!(generations, [1, 2, 3, 4, 5, 6, 7]);
    cookies
}

#[tokio::test]
async fn cookies_of_an_ended_session_are_signed_out_and_no_copies_whatever_their_generation() {
    for end in [
        "sign_out",
        "end_other_sessions",
        "sign_in",
        "change_password",
        "idle",
    ] {
        let app = TestApp::new().await;
        let browser = app.signed_up(EMAIL).await;
        let cookies = cookies_of(&app, &browser).await;
        let form = [
            ("email", EMAIL),
            ("password", PASSWORD),
            ("current_password", PASSWORD),
            ("new_password", NEW_PASSWORD),
        ];
        let elsewhere = app.browser();
        elsewhere.sign_in(EMAIL, PASSWORD).await;
        let ended = match end {
            "idle" => {
                app.pass(3_600);
                elsewhere.sign_in(EMAIL, PASSWORD).await
            }
            "end_other_sessions" => elsewhere.call(end, &[]).await,
            _ => browser.call(end, &form).await,
        };
        assert_eq!(ended.status, 200, "{end}: {}", ended.body);
        for cookie in &cookies {
            // It came late, and took the place of the newer one.
            let late = app.browser();
            late.plant(COOKIE, cookie);
            let page = late.open("/account").await;
            assert_eq!(page.header("location"), "/sign-in?next=/account", "{end}");
            assert_eq!(late.session().as_ref(), Some(cookie), "{end}");
            let page = late.open("/sign-in?next=/account").await.body;
            let told = match end {
                "change_password" => "Your password was changed. Sign in with the new one.",
                _ => "You were signed out.",
            };
            assert!(page.contains(told), "{end}: {page}");
        }
        let told = "SELECT COUNT(*) FROM activity \
             WHERE kind = 'session_copied' OR kind = 'renewal_unconfirmed'";
        assert_eq!(app.count(told).await, 0, "{end}");
        let copied = "SELECT COUNT(*) FROM users WHERE copied_at IS NOT NULL";
        assert_eq!(app.count(copied).await, 0, "{end}");
    }
}
