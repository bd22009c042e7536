//! The session: its cookie, its row, its ends.

use crate::app::{Answer, Browser, COOKIE, EMAIL, PASSWORD, TestApp};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
    time::timeout,
};

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
        ["__Host-Http-session=; HttpOnly; Secure; SameSite=Lax; Path=/; Priority=High; Max-Age=0"]
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
    assert!(answer.set_cookies()[0].ends_with("; Path=/; Priority=High; Max-Age=2592000"));
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

/// Uses the session once, and says whether a new cookie came.
async fn is_renewed(browser: &Browser) -> bool {
    let before = browser.session();
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    browser.session() != before
}

/// Lets time pass in small steps, in use all the while.
async fn use_for(app: &TestApp, browser: &Browser, seconds: i64) {
    for _ in 0..seconds / 60 {
        app.pass(60);
        assert!(browser.viewer().await.is_some());
    }
}

/// What a cookie says.
pub fn claims(cookie: &str) -> serde_json::Value {
    let payload = cookie.split('.').nth(1).unwrap();
    let json = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&json).unwrap()
}

pub fn generation(cookie: &str) -> i64 {
    claims(cookie)["gen"].as_i64().unwrap()
}

#[tokio::test]
async fn a_cookie_is_renewed_when_it_is_five_minutes_old() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(299);
    assert!(!is_renewed(&browser).await);
    app.pass(1);
    assert!(is_renewed(&browser).await);
    assert_eq!(generation(&browser.session().unwrap()), 2);
    assert!(!is_renewed(&browser).await);
    // Pages renew as well as server functions do; files, which need no session, do not.
    app.pass(300);
    assert!(browser.open("/favicon.svg").await.set_cookies().is_empty());
    let page = browser.open("/account").await;
    assert!(
        page.set_cookies()[0].ends_with("; HttpOnly; Secure; SameSite=Lax; Path=/; Priority=High")
    );
    assert_eq!(generation(&browser.session().unwrap()), 3);
}

#[tokio::test]
async fn a_renewed_cookie_ends_when_the_first_would_have() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    let browser = app.browser();
    let form = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("keep_me_signed_in", "true"),
    ];
    browser.call("sign_in", &form).await;
    app.pass(86_400);
    let answer = browser.open("/account").await;
    assert!(answer.set_cookies()[0].ends_with("; Max-Age=2505600"));
    for _ in 0..29 {
        app.pass(86_399);
        assert!(browser.viewer().await.is_some());
    }
    app.pass(40);
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn fifty_requests_at_the_moment_of_renewal_all_stay_signed_in() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let before = browser.session().unwrap();
    app.pass(300);
    let tabs: Vec<Browser> = (0..50)
        .map(|_| {
            let tab = app.browser();
            tab.plant(COOKIE, &before);
            tab
        })
        .collect();
    let mut asked = tokio::task::JoinSet::new();
    for tab in tabs {
        asked.spawn(async move { (tab.viewer().await, tab.session().unwrap()) });
    }
    let answers = asked.join_all().await;
    assert!(answers.iter().all(|(who, _)| who.as_deref() == Some(EMAIL)));
    let renewed: Vec<&String> = answers
        .iter()
        .map(|(_, cookie)| cookie)
        .filter(|cookie| **cookie != before)
        .collect();
    assert_eq!(
        renewed.len(),
        1,
        "one wins, and the others keep what they have"
    );
    assert_eq!(app.count("SELECT COUNT(*) FROM sessions").await, 1);
    assert_eq!(app.count("SELECT generation FROM sessions").await, 2);
}

#[tokio::test]
async fn twenty_tabs_that_are_restored_with_an_old_cookie_stay_signed_in() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let before = browser.session().unwrap();
    app.pass(300);
    assert!(is_renewed(&browser).await);
    // The successor is seen; requests that are still under way have the one before.
    assert!(!is_renewed(&browser).await);
    app.pass(59);
    for _ in 0..20 {
        assert_eq!(replayed(&app, &before).await.as_deref(), Some(EMAIL));
    }
    assert!(!is_renewed(&browser).await);
}

#[tokio::test]
async fn two_lost_responses_in_a_row_sign_no_user_out() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let before = browser.session().unwrap();
    app.pass(300);
    // The responses that carried the new cookies never arrive.
    for newest in [2, 3] {
        assert_eq!(replayed(&app, &before).await.as_deref(), Some(EMAIL));
        assert_eq!(app.count("SELECT generation FROM sessions").await, newest);
        app.pass(1_000);
    }
    assert!(is_renewed(&browser).await, "by a generation of its own");
    assert_eq!(generation(&browser.session().unwrap()), 4);
    // Within a grace, other tabs may still show the cookie of before, and get no further one.
    for _ in 0..2 {
        assert!(!is_renewed(&browser).await);
        assert!(replayed(&app, &before).await.is_some());
    }
    app.pass(300);
    assert!(is_renewed(&browser).await);
    assert_eq!(generation(&browser.session().unwrap()), 5);
}

#[tokio::test]
async fn a_renewal_that_cannot_be_written_in_time_is_left_for_the_next_request() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(300);
    let mut tx = app.state.db.write().await.unwrap();
    sqlx::query("UPDATE sessions SET last_seen_at = last_seen_at")
        .execute(&mut *tx)
        .await
        .unwrap();
    assert!(!is_renewed(&browser).await);
    drop(tx);
    assert!(is_renewed(&browser).await);
    assert_eq!(app.count("SELECT generation FROM sessions").await, 2);
}

/// Such a page could give its requests up before the answers, and three renewals that stay unshown end
/// the session.
#[tokio::test]
async fn a_page_of_another_origin_causes_no_renewal() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(300);
    for site in ["same-site", "cross-site"] {
        let request = browser.request(Method::GET, "/account");
        let request = request
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", site);
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 200, "{site}");
        assert!(answer.set_cookies().is_empty(), "{site}");
    }
    assert_eq!(app.count("SELECT generation FROM sessions").await, 1);
    assert!(is_renewed(&browser).await);
}

#[tokio::test]
async fn twelve_tabs_that_lost_a_response_get_one_new_cookie_in_a_grace() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let before = browser.session().unwrap();
    app.pass(300);
    assert!(replayed(&app, &before).await.is_some());
    app.pass(60);
    for _ in 0..12 {
        assert!(replayed(&app, &before).await.is_some());
    }
    assert_eq!(app.count("SELECT generation FROM sessions").await, 3);
}

#[tokio::test]
async fn a_cookie_that_was_replaced_before_it_was_shown_is_a_copy() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let attacker = app.browser();
    attacker.plant(COOKIE, &owner.session().unwrap());
    app.pass(300);
    assert!(is_renewed(&attacker).await);
    app.pass(60);
    assert!(is_renewed(&owner).await);
    assert_eq!(attacker.viewer().await, None);
    assert_eq!(owner.viewer().await, None);
    assert_eq!(
        app.count("SELECT COUNT(*) FROM sessions WHERE end_reason = 'copied'")
            .await,
        1
    );
}

/// An attacker copies the cookie, always asks first when a renewal is due, and shows nothing that was
/// received. The owner asks every half minute.
#[tokio::test]
async fn an_attacker_who_always_renews_first_is_out_within_ten_minutes_and_the_owner_is_told() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let copied = owner.session().unwrap();
    let mut seconds = 0;
    while replayed(&app, &copied).await.is_some() && owner.viewer().await.is_some() {
        app.pass(30);
        seconds += 30;
        assert!(seconds <= 600, "both are served for ever");
    }
    assert!(seconds >= 300, "nothing was renewed");
    assert_eq!(replayed(&app, &copied).await, None);
    assert_eq!(owner.viewer().await, None);
    app.pass(1);
    owner.sign_in(EMAIL, PASSWORD).await;
    let told = owner.list_activity().await;
    assert!(
        ["session_copied", "renewal_unconfirmed"].contains(&&*told[1]),
        "{told:?}"
    );
    let page = owner.open("/account").await.body;
    assert!(
        page.contains("A copy of your sign-in may have been used"),
        "{page}"
    );
}

#[tokio::test]
async fn a_session_whose_third_renewal_stays_unshown_ends() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let before = browser.session().unwrap();
    app.pass(300);
    for _ in 0..3 {
        assert!(replayed(&app, &before).await.is_some());
        app.pass(59);
        assert!(replayed(&app, &before).await.is_some());
        app.pass(1);
    }
    assert_eq!(replayed(&app, &before).await, None);
    let reason = "SELECT COUNT(*) FROM sessions WHERE end_reason = 'renewal_unconfirmed'";
    assert_eq!(app.count(reason).await, 1);
}

#[tokio::test]
async fn a_copy_that_is_shown_later_ends_the_session_and_its_owner_is_told() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let copy = owner.session().unwrap();
    app.pass(300);
    assert!(is_renewed(&owner).await);
    assert!(!is_renewed(&owner).await);
    app.pass(60);
    assert_eq!(replayed(&app, &copy).await, None, "the copy");
    assert_eq!(
        owner.viewer().await,
        None,
        "and the owner, because nobody can say which is which"
    );
    assert!(owner.session().is_some(), "nothing is cleared");
    let reason = "SELECT COUNT(*) FROM sessions WHERE end_reason = 'copied'";
    assert_eq!(app.count(reason).await, 1);

    app.pass(1);
    owner.sign_in(EMAIL, PASSWORD).await;
    let page = owner.open("/account").await.body;
    assert!(
        page.contains("A copy of your sign-in may have been used"),
        "{page}"
    );
    assert_eq!(
        owner.list_activity().await[..2],
        ["signed_in", "session_copied"]
    );
    // Every device says so, until the password is another.
    let other = app.browser();
    other.sign_in(EMAIL, PASSWORD).await;
    let page = other.open("/account/sessions").await.body;
    assert!(page.contains("A copy of your sign-in may have been used"));
    let new = "another lamp over eight stairs";
    let form = [("current_password", PASSWORD), ("new_password", new)];
    assert_eq!(other.call("change_password", &form).await.status, 200);
    let page = other.open("/account").await.body;
    assert!(!page.contains("A copy of your sign-in may have been used"));
}

#[tokio::test]
async fn a_thief_who_renews_first_is_found_out_by_the_owner() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let thief = app.browser();
    thief.plant(COOKIE, &owner.session().unwrap());
    app.pass(300);
    assert!(is_renewed(&thief).await);
    use_for(&app, &thief, 120).await;
    assert_eq!(owner.viewer().await, None);
    assert_eq!(thief.viewer().await, None);
}

#[tokio::test]
async fn what_was_ended_elsewhere_is_refused_at_the_next_request() {
    let app = TestApp::new().await;
    let here = app.signed_up(EMAIL).await;
    let (phone, library) = (app.browser(), app.browser());
    for other in [&phone, &library] {
        other.sign_in(EMAIL, PASSWORD).await;
        assert!(other.viewer().await.is_some());
    }
    let devices = here.list_sessions().await;
    let devices = devices["sessions"].as_array().unwrap();
    assert_eq!(devices.len(), 3);
    assert_eq!(devices[0]["is_this"], true);
    let id = devices[1]["id"].as_str().unwrap();
    app.pass(1);
    let answer = here.call("end_session", &[("id", id)]).await;
    assert_eq!(answer.json()["count"], 1);
    assert_eq!(
        here.call("end_session", &[("id", id)]).await.json()["count"],
        0
    );
    let left = [phone.viewer().await, library.viewer().await];
    assert_eq!(left.iter().flatten().count(), 1);

    app.pass(1);
    let answer = here.call("end_other_sessions", &[]).await;
    assert_eq!(answer.json()["count"], 1);
    assert_eq!(phone.viewer().await.or(library.viewer().await), None);
    assert!(here.viewer().await.is_some());
    assert_eq!(
        here.list_activity().await[..2],
        ["session_ended", "session_ended"]
    );
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session_and_keeps_this_one_under_a_new_cookie() {
    let app = TestApp::new().await;
    let here = app.signed_up(EMAIL).await;
    let there = app.browser();
    there.sign_in(EMAIL, PASSWORD).await;
    let before = here.session().unwrap();
    let new = "another lamp over eight stairs";
    let form = [("current_password", PASSWORD), ("new_password", new)];

    let wrong = [
        ("current_password", "something else entirely"),
        ("new_password", new),
    ];
    let answer = here.call("change_password", &wrong).await;
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.json()["fields"][0]["problem"]["is"],
        "wrong_password"
    );
    let short = [("current_password", PASSWORD), ("new_password", "short")];
    let answer = here.call("change_password", &short).await;
    assert_eq!(answer.json()["fields"][0]["field"], "new_password");
    assert!(there.viewer().await.is_some());
    assert_eq!(here.session().unwrap(), before);

    let answer = here.call("change_password", &form).await;
    assert_eq!(
        (answer.status, answer.json()["count"].as_i64()),
        (200, Some(1))
    );
    assert_eq!(there.viewer().await, None);
    assert_eq!(replayed(&app, &before).await, None);
    assert_eq!(here.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(app.browser().sign_in(EMAIL, new).await.status, 200);
}

#[tokio::test]
async fn others_stay_signed_in_when_a_new_password_says_so() {
    let app = TestApp::new().await;
    let here = app.signed_up(EMAIL).await;
    let there = app.browser();
    there.sign_in(EMAIL, PASSWORD).await;
    let new = "another lamp over eight stairs";
    let form = [
        ("current_password", PASSWORD),
        ("new_password", new),
        ("keep_others", "true"),
    ];
    assert_eq!(here.call("change_password", &form).await.json()["count"], 0);
    assert_eq!(there.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn a_confirmed_password_opens_the_third_door_for_ten_minutes() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(600);
    let before = browser.session().unwrap();
    assert_eq!(browser.call("end_other_sessions", &[]).await.status, 403);
    let wrong = browser
        .call("confirm_password", &[("password", "not this one at all")])
        .await;
    assert_eq!(wrong.status, 422);
    let answer = browser
        .call("confirm_password", &[("password", PASSWORD)])
        .await;
    assert_eq!(answer.status, 200);
    assert_ne!(browser.session().unwrap(), before);
    assert_eq!(replayed(&app, &before).await, None);
    assert_eq!(browser.call("end_other_sessions", &[]).await.status, 200);
    app.pass(599);
    assert_eq!(browser.call("end_other_sessions", &[]).await.status, 200);
    app.pass(1);
    assert_eq!(browser.call("end_other_sessions", &[]).await.status, 403);
    // The ticket is the same: it is the same device.
    assert_eq!(app.count("SELECT COUNT(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn whoever_guesses_the_password_in_an_open_session_is_stopped() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let mut statuses = Vec::new();
    app.pass(1);
    for _ in 0..11 {
        let guess = [("password", "not this one at all")];
        statuses.push(browser.call("confirm_password", &guess).await.status);
    }
    assert_eq!(statuses[9..], [422, 429]);
    assert_eq!(
        browser.list_activity().await,
        ["sign_in_failed", "signed_up"]
    );
}

#[tokio::test]
async fn last_seen_is_kept_in_memory_and_written_at_the_end() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let started = app.count("SELECT last_seen_at FROM sessions").await;
    app.pass(120);
    assert!(browser.viewer().await.is_some());
    let devices = browser.list_sessions().await;
    assert_eq!(devices["sessions"][0]["last_seen_at"], started + 120);
    app.state.later.flush(&app.state).await.unwrap();
    assert_eq!(
        app.count("SELECT last_seen_at FROM sessions").await,
        started + 120
    );
}

#[tokio::test]
async fn a_session_in_memory_and_a_forged_one_ask_no_database() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    assert!(browser.viewer().await.is_some());
    let asked = app.state.db.asked();
    for _ in 0..100 {
        assert!(browser.viewer().await.is_some());
        let forger = app.browser();
        let cookie = browser.session().unwrap();
        let (unsigned, _) = cookie.rsplit_once('.').unwrap();
        forger.plant(COOKIE, &format!("{unsigned}.{}", "A".repeat(43)));
        assert_eq!(forger.viewer().await, None);
    }
    assert_eq!(app.state.db.asked(), asked);
}

#[tokio::test]
async fn activity_is_paged_by_key() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for _ in 0..30 {
        app.pass(1);
        browser.sign_in(EMAIL, PASSWORD).await;
    }
    let page = async |query: &str| {
        let path = format!("/api/list_activity{query}");
        browser.send(browser.request(Method::GET, &path)).await
    };
    let first = page("").await.json();
    assert_eq!(first["entries"].as_array().unwrap().len(), 25);
    let next = first["next"].as_str().unwrap();
    let second = page(&format!("?after={next}")).await.json();
    assert_eq!(second["entries"].as_array().unwrap().len(), 6);
    assert_eq!(second["entries"][5]["kind"], "signed_up");
    assert_eq!(second["next"], serde_json::Value::Null);
    for hostile in ["x", "1", "1.'", "-1.%00", "99999999999999999999.a"] {
        assert_eq!(
            page(&format!("?after={hostile}")).await.status,
            400,
            "{hostile}"
        );
    }
}

#[tokio::test]
async fn a_request_that_began_before_the_end_does_nothing_after_it() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let thief = app.browser();
    thief.sign_in(EMAIL, PASSWORD).await;
    let id = owner.list_sessions().await["sessions"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (function, body) in [
        ("end_other_sessions", "x=1".to_owned()),
        ("end_session", format!("id={id}")),
    ] {
        let mut socket = app.connect().await;
        let (held, last) = body.split_at(body.len() - 1);
        let request = format!(
            "POST /api/{function} HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nCookie: {COOKIE}={}\r\n\
             Content-Length: {}\r\n\r\n{held}",
            thief.session().unwrap(),
            body.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        owner.call("end_other_sessions", &[]).await;
        socket.write_all(last.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert_eq!(owner.viewer().await.as_deref(), Some(EMAIL));
        thief.sign_in(EMAIL, PASSWORD).await;
    }
}

#[tokio::test]
async fn whoever_guesses_from_many_addresses_does_not_fill_the_list() {
    let app = TestApp::with(|config| config.server.trusted_proxy_hops = 1).await;
    let owner = app.signed_up(EMAIL).await;
    app.pass(1);
    for guess in 0..40 {
        let thief = app.browser();
        let request = thief
            .request(Method::POST, "/api/sign_in")
            .header("origin", &app.url)
            .header("x-forwarded-for", format!("2001:db8:{guess:x}::{guess:x}"));
        let form = [("email", EMAIL), ("password", "not this one at all")];
        let answer = thief.send(crate::app::with_form(request, &form)).await;
        assert_eq!(answer.status, 401);
        app.state.later.flush(&app.state).await.unwrap();
    }
    let path = "/api/list_activity";
    let list = owner.send(owner.request(Method::GET, path)).await.json();
    let entries = list["entries"].as_array().unwrap();
    let failed = |entry: &&serde_json::Value| entry["kind"] == "sign_in_failed";
    let counts: Vec<i64> = entries
        .iter()
        .filter(failed)
        .map(|entry| entry["how_many"].as_i64().unwrap())
        .collect();
    // Five addresses, and one entry for all others.
    assert_eq!((counts.len(), counts.iter().sum::<i64>()), (6, 40));
}

/// A server on which one password at a time is hashed, and takes a while.
async fn slow_app() -> Arc<TestApp> {
    let app = TestApp::with(|config| {
        (config.passwords.memory_kib, config.passwords.iterations) = (65_536, 4);
        config.passwords.hashes_at_once = 1;
    });
    Arc::new(app.await)
}

/// Another tab's request, which is due for a new cookie and is held up by a password.
fn hold_up(app: &TestApp, browser: &Browser) -> JoinHandle<Answer> {
    let tab = app.browser();
    tab.keep(browser);
    tokio::spawn(async move {
        let guess = [("password", "not this one at all")];
        tab.call("confirm_password", &guess).await
    })
}

async fn until_in_hand(app: &TestApp, passwords: usize) {
    while app.state.hasher.in_hand() < passwords {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_does_not_bring_back_what_was_signed_out() {
    let app = slow_app().await;
    let browser = app.signed_up(EMAIL).await;
    let cookie = browser.session().unwrap();
    app.pass(300);
    let held = hold_up(&app, &browser);
    until_in_hand(&app, 1).await;
    assert_eq!(browser.call("sign_out", &[]).await.status, 200);
    assert_eq!(app.state.hasher.in_hand(), 1, "it is still under way");
    let answer = held.await.unwrap();
    assert_eq!(answer.status, 422);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(replayed(&app, &cookie).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_does_not_bring_back_the_person_before() {
    let app = slow_app().await;
    let browser = Arc::new(app.signed_up(EMAIL).await);
    let cookie = browser.session().unwrap();
    app.pass(300);
    // Another person makes an account in the same browser; behind them another tab's request waits.
    let other = tokio::spawn({
        let browser = Arc::clone(&browser);
        async move { browser.sign_up("grace@example.com", PASSWORD).await }
    });
    until_in_hand(&app, 1).await;
    let held = hold_up(&app, &browser);
    until_in_hand(&app, 2).await;
    assert_eq!(other.await.unwrap().status, 200);
    assert_eq!(app.state.hasher.in_hand(), 1, "it is still under way");
    let answer = held.await.unwrap();
    assert_eq!(answer.status, 422);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(browser.viewer().await.as_deref(), Some("grace@example.com"));
    assert_eq!(replayed(&app, &cookie).await, None);
}

#[tokio::test]
async fn whoever_hangs_up_while_the_password_is_changed_has_the_old_one_or_the_new_one() {
    let app = TestApp::new().await;
    for try_ in 0..20_u64 {
        let email = format!("hangs-up-{try_}@example.com");
        let here = app.signed_up(&email).await;
        let there = app.browser();
        there.sign_in(&email, PASSWORD).await;
        let new = "another lamp over eight stairs";
        let body = crate::app::encoded(&[("current_password", PASSWORD), ("new_password", new)]);
        let request = format!(
            "POST /api/change_password HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nCookie: {COOKIE}={}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            here.session().unwrap(),
            body.len()
        );
        let mut socket = app.connect().await;
        socket.write_all(request.as_bytes()).await.unwrap();
        let _ = timeout(Duration::from_micros(try_ * 700), socket.read_u8()).await;
        drop(socket);
        // Whatever was under way comes to its end.
        let mut is_changed = false;
        for _ in 0..2 {
            is_changed = app.browser().sign_in(&email, new).await.status == 200;
        }
        let old = app.browser().sign_in(&email, PASSWORD).await.status;
        // It may have been changed between the two questions, but there is one password.
        let is_changed = is_changed || old == 401;
        let password = if is_changed { new } else { PASSWORD };
        assert_eq!(app.browser().sign_in(&email, password).await.status, 200);
        assert_eq!(
            there.viewer().await.is_none(),
            is_changed,
            "all of it or nothing"
        );
        assert_eq!(
            here.viewer().await.is_none(),
            is_changed,
            "its cookie went with it"
        );
    }
}

#[tokio::test]
async fn a_clock_that_jumps_extends_no_session() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(-3_600);
    assert_eq!(browser.viewer().await, None, "made in the future");
    app.pass(3_600);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    // An hour ahead is an hour without use.
    app.pass(3_600);
    assert_eq!(browser.viewer().await, None);
    app.pass(-3_600);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    use_for(&app, &browser, 86_400 - 60).await;
    app.pass(60);
    assert_eq!(browser.viewer().await, None, "its end is where it was");
}

#[tokio::test]
async fn what_the_server_sees_of_a_cookie_is_told_without_the_cookie() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let inspect = async || {
        let asked = browser.request(Method::GET, "/api/inspect_session");
        let cookie = browser.session().unwrap();
        let answer = browser.send(asked).await;
        for part in cookie.split('.').skip(1) {
            assert!(!answer.body.contains(part), "{}", answer.body);
        }
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, cookie.as_bytes());
        let seen = answer.json();
        assert_eq!(
            seen["fingerprint"],
            BASE64_URL_SAFE_NO_PAD.encode(digest.as_ref())
        );
        assert_eq!(seen["length"], cookie.len());
        seen
    };
    let seen = inspect().await;
    assert_eq!(seen["name"], COOKIE);
    assert_eq!(
        seen["attributes"],
        "HttpOnly; Secure; SameSite=Lax; Path=/; Priority=High"
    );
    assert_eq!(seen["generation"], 1);
    assert_eq!(seen["started_at"], seen["now"]);
    let functions = seen["functions"].as_array().unwrap();
    assert!(functions.contains(&serde_json::json!(["POST", "/api/sign_in"])));
    // After a renewal it is another cookie of the same session.
    app.pass(300);
    inspect().await;
    let renewed = inspect().await;
    assert_eq!(renewed["generation"], 2);
    assert_eq!(renewed["started_at"], seen["started_at"]);
    assert_ne!(renewed["fingerprint"], seen["fingerprint"]);
}

#[tokio::test]
async fn tickets_of_one_list_have_numbers_and_ids_of_their_own() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for _ in 0..2 {
        app.pass(1);
        app.browser().sign_in(EMAIL, PASSWORD).await;
    }
    // Two ids from which the same number is made, and one whose number follows.
    app.tamper(
        "UPDATE sessions SET id = CASE created_at WHEN 1800000000 THEN 'a-session-Aa' \
         WHEN 1800000001 THEN 'a-session-BB' ELSE 'a-session-BC' END",
    )
    .await;
    let list = browser.list_sessions().await;
    let mut numbers: Vec<i64> = list["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["number"].as_i64().unwrap())
        .collect();
    // The page names this session by the same number everywhere.
    let this = browser
        .send(browser.request(Method::GET, "/api/viewer"))
        .await;
    assert_eq!(numbers[0], this.json()["session"]["number"]);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "{list}");
    let page = browser.open("/account/sessions").await;
    let mut ids: Vec<&str> = page
        .body
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
}
