//! API keys: made, shown once, listed, used, stopped.

use crate::app::{Browser, COOKIE, EMAIL, PASSWORD, Program, TestApp};
use cloakroom::server::{fields::Email, users};
use reqwest::Method;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::task::JoinSet;

const ALL: &str = "profile:read sessions:read sessions:write activity:read keys:read";

#[tokio::test]
async fn a_key_is_shown_once_and_nothing_that_is_kept_is_one() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(1);
    let minted = browser.mint(ALL).await;
    let key = minted["key"].as_str().unwrap();
    assert!(key.starts_with("cloakroom_eyJ"), "{key}");
    assert!(key.len() < 700, "{}", key.len());
    assert_eq!(minted["expires_at"], 1_800_000_001 + 86_400);
    assert_eq!(Program::new(&app.url, key).get("/v1/me").await.status, 200);

    let listed = browser.list_api_keys().await;
    assert_eq!(listed.len(), 1);
    let shown_as = listed[0]["shown_as"].as_str().unwrap();
    assert!(shown_as.starts_with("cloakroom_…"), "{shown_as}");
    assert!(key.ends_with(shown_as.split('…').next_back().unwrap()));
    assert_eq!(listed[0]["id"], minted["id"]);
    assert_eq!(listed[0]["label"], "a program");
    assert_eq!(listed[0]["scopes"].as_array().unwrap().len(), 5);
    // No row has the key, nor its signature.
    let row: (String, String, String) = sqlx::query_as("SELECT id, label, shown_as FROM api_keys")
        .fetch_one(app.state.db.pool())
        .await
        .unwrap();
    let signature = key.rsplit_once('.').unwrap().1;
    for stored in [row.0, row.1, row.2] {
        assert!(!stored.contains(key) && !stored.contains(signature));
        let stolen = Program::new(&app.url, &format!("cloakroom_{stored}"));
        assert_eq!(stolen.get("/v1/me").await.status, 401);
    }
    assert_eq!(browser.list_activity().await[0], "api_key_created");
}

#[tokio::test]
async fn what_cannot_be_taken_is_told_field_by_field() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let long = "é".repeat(61);
    for (label, scopes, days, wrong) in [
        (
            "",
            "",
            "",
            &[
                ("label", "missing"),
                ("scopes", "missing"),
                ("expires_in_days", "missing"),
            ][..],
        ),
        (" \t ", "profile:read", "1", &[("label", "missing")]),
        (&long, "profile:read", "1", &[("label", "too_long")]),
        ("a\u{7}", "profile:read", "1", &[("label", "unprintable")]),
        ("a", "profile:read admin", "1", &[("scopes", "unknown")]),
        ("a", "PROFILE:READ", "1", &[("scopes", "unknown")]),
        (
            "a",
            "profile:read",
            "0",
            &[("expires_in_days", "out_of_range")],
        ),
        (
            "a",
            "profile:read",
            "366",
            &[("expires_in_days", "out_of_range")],
        ),
    ] {
        let mut form = vec![("label", label), ("scopes", scopes)];
        if !days.is_empty() {
            form.push(("expires_in_days", days));
        }
        let answer = browser.call("create_api_key", &form).await;
        assert_eq!(answer.status, 422, "{form:?}: {}", answer.body);
        let told: Vec<(String, String)> = answer.json()["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| (text(&field["field"]), text(&field["problem"]["is"])))
            .collect();
        let wrong: Vec<(String, String)> = wrong
            .iter()
            .map(|(field, problem)| ((*field).to_owned(), (*problem).to_owned()))
            .collect();
        assert_eq!(told, wrong, "{form:?}");
    }
    for days in ["-1", "1.5", "1e3", "4294967296", "soon"] {
        let form = [
            ("label", "a"),
            ("scopes", "profile:read"),
            ("expires_in_days", days),
        ];
        let answer = browser.call("create_api_key", &form).await;
        assert_eq!(answer.status, 400, "{days}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM api_keys").await, 0);
    // To the letter, whatever it says.
    let hostile = "</textarea><script>\u{202e}{{1}}";
    let form = [
        ("label", hostile),
        ("scopes", "keys:read profile:read keys:read"),
        ("expires_in_days", "365"),
    ];
    assert_eq!(browser.call("create_api_key", &form).await.status, 200);
    let listed = browser.list_api_keys().await;
    assert_eq!(listed[0]["label"], hostile);
    assert_eq!(
        listed[0]["scopes"],
        serde_json::json!(["profile:read", "keys:read"])
    );
    let page = browser.open("/account/keys").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("<script>\u{202e}"), "{}", page.body);
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_revoked_key_is_refused_on_the_next_request_and_another_goes_on() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let minted = browser.mint(ALL).await;
    let (id, key) = (text(&minted["id"]), text(&minted["key"]));
    let (program, other) = (
        Program::new(&app.url, &key),
        Program::new(&app.url, &browser.key(ALL).await),
    );
    assert_eq!(program.get("/v1/me").await.status, 200);
    app.pass(1);
    let answer = browser.call("revoke_api_key", &[("id", &id)]).await;
    assert_eq!(
        (answer.status, answer.json()["count"].as_u64()),
        (200, Some(1))
    );
    assert_eq!(program.get("/v1/me").await.status, 401);
    assert_eq!(other.get("/v1/me").await.status, 200);
    assert_eq!(browser.list_activity().await[0], "api_key_revoked");
    assert_eq!(browser.list_api_keys().await.len(), 1);
    // Asked again, it is as it was.
    let again = browser.call("revoke_api_key", &[("id", &id)]).await;
    assert_eq!(
        (again.status, again.json()["count"].as_u64()),
        (200, Some(0))
    );
    assert_eq!(browser.list_activity().await.len(), 4);
}

#[tokio::test]
async fn somebody_elses_key_is_not_there() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    let minted = ada.mint(ALL).await;
    let mallory = app.signed_up("mallory@example.com").await;
    for id in [minted["id"].as_str().unwrap(), "nobody-has-it", ""] {
        let answer = mallory.call("revoke_api_key", &[("id", id)]).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (404, r#"{"code":"not_found"}"#)
        );
    }
    assert!(mallory.list_api_keys().await.is_empty());
    let program = Program::new(&app.url, minted["key"].as_str().unwrap());
    assert_eq!(program.get("/v1/me").await.status, 200);
    // Nor is anything of the other's to be had with one's own key.
    let own = Program::new(&app.url, &mallory.key(ALL).await);
    let devices = ada.list_sessions().await;
    let session = devices["sessions"][0]["id"].as_str().unwrap();
    assert_eq!(
        own.delete(&format!("/v1/sessions/{session}")).await.status,
        404
    );
    assert_eq!(ada.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn a_key_expires_to_the_second_and_needs_a_recent_sign_in_to_be_made() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let program = Program::new(&app.url, &browser.key(ALL).await);
    app.pass(600);
    let form = [("label", "a"), ("scopes", ALL), ("expires_in_days", "1")];
    let answer = browser.call("create_api_key", &form).await;
    assert_eq!(answer.json()["code"], "recent_sign_in_needed");
    // What leaks is stopped without asking for the password first.
    let id = text(&browser.list_api_keys().await[0]["id"]);
    app.pass(86_400 - 600 - 1);
    assert_eq!(program.get("/v1/me").await.status, 200);
    app.pass(1);
    assert_eq!(program.get("/v1/me").await.status, 401);
    let browser = app.browser();
    browser.sign_in(EMAIL, PASSWORD).await;
    assert!(browser.list_api_keys().await.is_empty());
    assert_eq!(
        browser.call("revoke_api_key", &[("id", &id)]).await.status,
        200
    );
}

#[tokio::test]
async fn the_keys_of_a_disabled_account_stop_and_do_not_come_back() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let program = Program::new(&app.url, &browser.key(ALL).await);
    assert_eq!(program.get("/v1/me").await.status, 200);
    let email = Email::parse(EMAIL).unwrap();
    users::set_disabled(&app.state, &email, true).await.unwrap();
    assert_eq!(program.get("/v1/me").await.status, 401);
    users::set_disabled(&app.state, &email, false)
        .await
        .unwrap();
    assert_eq!(program.get("/v1/me").await.status, 401);
}

#[tokio::test]
async fn what_a_thief_may_have_made_ends_with_the_session_that_was_copied() {
    let app = TestApp::new().await;
    let before = app.signed_up(EMAIL).await;
    let old = Program::new(&app.url, &before.key(ALL).await);
    app.pass(1);
    let owner = app.browser();
    owner.sign_in(EMAIL, PASSWORD).await;
    let copied = owner.session().unwrap();
    let thief = app.browser();
    thief.plant(COOKIE, &copied);
    let stolen = [thief.key(ALL).await, thief.key(ALL).await];
    // The owner's browser goes on, and the thief comes once more.
    app.pass(300);
    for _ in 0..2 {
        assert_eq!(owner.viewer().await.as_deref(), Some(EMAIL));
    }
    app.pass(60);
    let late = app.browser();
    late.plant(COOKIE, &copied);
    assert_eq!(late.viewer().await, None);
    assert_eq!(owner.viewer().await, None);
    for key in stolen {
        let answer = Program::new(&app.url, &key).get("/v1/me").await;
        assert_eq!(answer.status, 401);
    }
    // What was there before the session has nothing to do with it.
    assert_eq!(old.get("/v1/me").await.status, 200);
    assert!(
        before
            .list_activity()
            .await
            .contains(&"api_key_revoked".to_owned())
    );
    let page = before.open("/account/activity").await;
    assert!(
        page.body.contains("2 API keys were revoked"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_key_that_its_owner_keeps_outlives_a_changed_password_and_a_sign_out() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let made = browser.mint(ALL).await;
    let program = Program::new(&app.url, &text(&made["key"]));
    let id = text(&made["id"]);
    let form = [
        ("current_password", PASSWORD),
        ("new_password", "another lamp over eight stairs"),
        ("listed", &*id),
    ];
    assert_eq!(browser.call("change_password", &form).await.status, 200);
    browser.call("sign_out", &[]).await;
    assert_eq!(program.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn revoked_keys_leave_the_memory_a_year_after_they_have_expired() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    // A year, so that no revoked key above the cutoff is forgotten while it could still be accepted.
    browser
        .call(
            "create_api_key",
            &[
                ("label", "kept"),
                ("scopes", "profile:read"),
                ("expires_in_days", "365"),
            ],
        )
        .await;
    for _ in 0..3 {
        make_and_revoke(&browser).await;
    }
    assert_eq!(app.state.api_keys.revoked.count(), 3);
    app.pass(366 * 86_400 - 1);
    make_and_revoke(&app.signed_up("bob@example.com").await).await;
    assert_eq!(app.state.api_keys.revoked.count(), 3);
    app.pass(60);
    make_and_revoke(&app.signed_up("carol@example.com").await).await;
    assert_eq!(app.state.api_keys.revoked.count(), 0);
}

/// A key that was made and revoked.
async fn make_and_revoke(browser: &Browser) -> String {
    let minted = browser.mint("profile:read").await;
    let form = [("id", minted["id"].as_str().unwrap())];
    assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
    text(&minted["key"])
}

async fn key_status(app: &TestApp, key: &str) -> u16 {
    let browser = app.browser();
    let request = browser.request(Method::GET, "/v1/me").bearer_auth(key);
    browser.send(request).await.status
}

#[tokio::test]
async fn a_user_who_makes_and_revokes_keys_without_end_can_make_another() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let mut revoked = Vec::new();
    for _ in 0..600 {
        revoked.push(make_and_revoke(&browser).await);
    }
    assert_eq!(app.state.api_keys.revoked.count(), 0);
    // Made in the same second as all of them.
    let live = browser.key("profile:read").await;
    let last = make_and_revoke(&browser).await;
    for key in [&revoked[0], &revoked[300], &revoked[599], &last] {
        assert_eq!(key_status(&app, key).await, 401);
    }
    assert_eq!(key_status(&app, &live).await, 200);

    let app = app.restarted().await;
    let browser = app.browser();
    let client = browser.http();
    for key in revoked.iter().chain([&last]) {
        let request = client.get(format!("{}/v1/me", app.url)).bearer_auth(key);
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    assert_eq!(key_status(&app, &live).await, 200);
}

/// Revoked keys of the one user, newer than all others, so that no more fit in the memory.
async fn fill_the_list(app: &TestApp) {
    app.tamper(
        "INSERT INTO api_keys (id, user_id, label, shown_as, scopes, created_at, expires_at, \
         revoked_at, number) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) \
         SELECT 'key-' || i, users.id, 'old', '', '', 1800000000, 1800000001, 1800000000, \
            users.keys_made + i FROM n, users",
    )
    .await;
    app.tamper("UPDATE users SET keys_made = keys_made + 500")
        .await;
}

const NEW_KEY: [(&str, &str); 3] = [
    ("label", "a program"),
    ("scopes", "profile:read"),
    ("expires_in_days", "1"),
];

#[tokio::test]
async fn a_user_with_too_many_revoked_keys_makes_room_by_revoking_the_oldest() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let oldest = browser.mint("profile:read").await;
    fill_the_list(&app).await;
    let newest = "SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NULL";
    assert_eq!(app.count(newest).await, 1);
    let answer = browser.call("create_api_key", &NEW_KEY).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_eq!(answer.json()["fields"][0]["problem"]["is"], "used_up");
    assert_eq!(answer.json()["fields"][0]["problem"]["max"], 500);
    // They count on after they have expired, in case the clock is ahead.
    app.pass(2);
    assert_eq!(browser.call("create_api_key", &NEW_KEY).await.status, 422);
    assert_eq!(key_status(&app, oldest["key"].as_str().unwrap()).await, 200);
    let form = [("id", oldest["id"].as_str().unwrap())];
    assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
    let key = browser.key("profile:read").await;
    assert_eq!(key_status(&app, &key).await, 200);
    assert_eq!(key_status(&app, oldest["key"].as_str().unwrap()).await, 401);
}

#[tokio::test]
async fn a_key_that_has_expired_keeps_its_owner_from_no_new_one() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await.mint("profile:read").await;
    fill_the_list(&app).await;
    app.pass(86_400);
    let browser = app.browser();
    browser.sign_in(EMAIL, PASSWORD).await;
    let key = browser.key("profile:read").await;
    assert_eq!(key_status(&app, &key).await, 200);
}

#[tokio::test]
async fn an_operator_gives_a_user_room_for_new_keys() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let old = browser.key("profile:read").await;
    fill_the_list(&app).await;
    assert_eq!(browser.call("create_api_key", &NEW_KEY).await.status, 422);
    let email = Email::parse(EMAIL).unwrap();
    for is_disabled in [true, false] {
        users::set_disabled(&app.state, &email, is_disabled)
            .await
            .unwrap();
    }
    browser.sign_in(EMAIL, PASSWORD).await;
    let key = browser.key("profile:read").await;
    assert_eq!(key_status(&app, &key).await, 200);
    assert_eq!(key_status(&app, &old).await, 401);
}

#[tokio::test]
async fn a_key_of_an_earlier_version_is_refused_by_its_id_and_below_the_cutoff() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let mut old = Vec::new();
    for _ in 0..2 {
        old.push(browser.mint("profile:read").await);
    }
    // Their rows are of before keys had numbers, and so is their text.
    app.tamper("UPDATE api_keys SET number = 0").await;
    app.tamper("UPDATE users SET keys_made = 0").await;
    let keys = browser.shown_keys().await;
    assert_eq!(keys.len(), 2);
    for key in &keys {
        assert!(!old.iter().any(|it| it["key"] == key.as_str()));
        assert_eq!(key_status(&app, key).await, 200);
    }
    let mut statuses = [200, 200];
    for listed in browser.list_api_keys().await {
        browser
            .call("revoke_api_key", &[("id", listed["id"].as_str().unwrap())])
            .await;
        let mut refused = 0;
        for (status, key) in statuses.iter_mut().zip(&keys) {
            *status = key_status(&app, key).await;
            refused += i32::from(*status == 401);
        }
        assert!(refused > 0);
    }
    assert_eq!(statuses, [401, 401]);
    assert_eq!(app.state.api_keys.revoked.count(), 0);
    assert_eq!(
        key_status(&app, &browser.key("profile:read").await).await,
        200
    );
}

#[tokio::test]
async fn a_user_who_makes_keys_too_fast_is_told_to_wait() {
    let app = TestApp::with(|config| config.limits.new_keys_per_user = 2).await;
    let (browser, other) = (
        app.signed_up(EMAIL).await,
        app.signed_up("bob@example.com").await,
    );
    for expected in [200, 200, 429] {
        let answer = browser.call("create_api_key", &NEW_KEY).await;
        assert_eq!(answer.status, expected, "{}", answer.body);
        if expected == 429 {
            let wait: i64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
        }
    }
    assert_eq!(other.call("create_api_key", &NEW_KEY).await.status, 200);
    app.pass(30);
    assert_eq!(browser.call("create_api_key", &NEW_KEY).await.status, 200);
    // A form that is refused for another reason counts for nothing.
    app.pass(60);
    for expected in [422, 422, 200, 200] {
        let label = if expected == 422 { "" } else { "a program" };
        let form = [("label", label), NEW_KEY[1], NEW_KEY[2]];
        assert_eq!(browser.call("create_api_key", &form).await.status, expected);
    }
}

#[tokio::test]
async fn an_account_has_fifty_keys_at_most() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let first = text(&browser.mint("profile:read").await["id"]);
    for _ in 1..50 {
        browser.mint("profile:read").await;
    }
    let form = [
        ("label", "one too many"),
        ("scopes", ALL),
        ("expires_in_days", "1"),
    ];
    let answer = browser.call("create_api_key", &form).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["fields"][0]["problem"]["is"], "too_many");
    browser.call("revoke_api_key", &[("id", &first)]).await;
    assert_eq!(browser.call("create_api_key", &form).await.status, 200);
}

#[tokio::test]
async fn the_last_use_is_seen_at_once_and_written_later() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let program = Program::new(&app.url, &browser.key(ALL).await);
    assert!(browser.list_api_keys().await[0]["last_used_at"].is_null());
    let before = app.state.db.asked();
    for _ in 0..50 {
        assert_eq!(program.get("/v1/me").await.status, 200);
    }
    assert_eq!(
        app.state.db.asked(),
        before,
        "no request asked the database"
    );
    assert_eq!(
        browser.list_api_keys().await[0]["last_used_at"],
        1_800_000_000
    );
    app.state.later.flush(&app.state).await.unwrap();
    let written = "SELECT last_used_at FROM api_keys";
    assert_eq!(app.count(written).await, 1_800_000_000);
    // At most once a minute, and the last of them is not lost.
    app.pass(30);
    program.get("/v1/me").await;
    app.state.later.flush(&app.state).await.unwrap();
    assert_eq!(app.count(written).await, 1_800_000_000);
    assert_eq!(
        browser.list_api_keys().await[0]["last_used_at"],
        1_800_000_030
    );
    app.pass(31);
    app.state.later.flush(&app.state).await.unwrap();
    assert_eq!(app.count(written).await, 1_800_000_030);
}

#[tokio::test]
async fn boxes_that_are_ticked_and_a_form_without_javascript_come_to_the_same() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let form = [
        ("label", "ticked"),
        ("scopes", "keys:read"),
        ("scopes", "profile:read"),
        ("expires_in_days", "30"),
    ];
    let answer = browser
        .submit("/account/keys", "create_api_key", &form)
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/account/keys")
    );
    let keys = browser.shown_keys().await;
    let me = Program::new(&app.url, &keys[0]).get("/v1/me").await;
    assert_eq!(
        me.json()["key"]["scopes"],
        serde_json::json!(["profile:read", "keys:read"])
    );
    // What cannot be taken comes back as it was typed.
    let form = [
        ("label", "no days"),
        ("scopes", "keys:read"),
        ("scopes", "sessions:write"),
    ];
    browser
        .submit("/account/keys", "create_api_key", &form)
        .await;
    let page = browser.open("/account/keys").await;
    assert!(page.body.contains("no days"), "{}", page.body);
}

/// Makes a key as a page without JavaScript does. Its text, as the page shows it, and its id.
async fn make(browser: &Browser, label: &str) -> (String, String) {
    let before = browser.shown_keys().await;
    let form = [
        ("label", label),
        ("scopes", "keys:read"),
        ("expires_in_days", "30"),
    ];
    let answer = browser
        .submit("/account/keys", "create_api_key", &form)
        .await;
    assert_eq!(answer.header("location"), "/account/keys");
    // No cookie carries it.
    let cookies = answer.set_cookies();
    assert!(!cookies.iter().any(|it| it.contains("form")), "{cookies:?}");
    let listed = browser.list_api_keys().await;
    let made = listed.iter().find(|key| key["label"] == label).unwrap();
    let mut shown = browser.shown_keys().await;
    shown.retain(|key| !before.contains(key));
    assert_eq!(shown.len(), 1, "one key more is in sight");
    (shown.remove(0), text(&made["id"]))
}

async fn submit_id(browser: &Browser, function: &str, id: &str) -> u16 {
    let answer = browser
        .submit("/account/keys", function, &[("id", id)])
        .await;
    answer.status
}

#[tokio::test]
async fn a_new_key_stays_in_sight_whatever_happens_to_another_until_its_owner_has_it() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let (old, old_id) = make(&browser, "old").await;
    assert_eq!(
        submit_id(&browser, "acknowledge_api_key", &old_id).await,
        303
    );
    assert!(browser.shown_keys().await.is_empty());
    app.pass(1);
    let (first, first_id) = make(&browser, "first").await;
    app.pass(1);
    let (second, second_id) = make(&browser, "second").await;
    let both = [second.clone(), first.clone()];
    // The order in which keys are rotated: the new one is made, and then the old one is revoked.
    assert_eq!(submit_id(&browser, "revoke_api_key", &old_id).await, 303);
    assert_eq!(browser.shown_keys().await, both);
    // A form with errors, a reload, a page elsewhere, the password once more.
    browser
        .submit("/account/keys", "create_api_key", &[("label", "")])
        .await;
    assert_eq!(browser.shown_keys().await, both);
    browser.open("/account/activity").await;
    assert_eq!(browser.shown_keys().await, both);
    let form = [("next", "/account/keys"), ("password", PASSWORD)];
    browser
        .submit("/account/keys", "confirm_password", &form)
        .await;
    assert_eq!(browser.shown_keys().await, both);
    for key in &both {
        let answer = Program::new(&app.url, key).get("/v1/keys").await;
        assert_eq!(answer.status, 200);
        assert!(!both.iter().any(|key| answer.body.contains(key)));
    }
    // Each goes by its own end.
    assert_eq!(submit_id(&browser, "revoke_api_key", &second_id).await, 303);
    assert_eq!(browser.shown_keys().await, std::slice::from_ref(&first));
    assert_eq!(
        submit_id(&browser, "acknowledge_api_key", &first_id).await,
        303
    );
    assert!(browser.shown_keys().await.is_empty());
    let statuses = [old, first, second].map(async |key| {
        let program = Program::new(&app.url, &key);
        program.get("/v1/keys").await.status
    });
    let mut told = Vec::new();
    for status in statuses {
        told.push(status.await);
    }
    assert_eq!(told, [401, 200, 401]);
}

#[tokio::test]
async fn a_new_key_is_shown_for_an_hour_to_the_session_that_made_it_alone() {
    let app = TestApp::with(|config| {
        config.session.idle_timeout_s = 7_200;
    })
    .await;
    let ada = app.signed_up(EMAIL).await;
    let (key, id) = make(&ada, "a").await;
    let elsewhere = app.browser();
    elsewhere.sign_in(EMAIL, PASSWORD).await;
    let mallory = app.signed_up("mallory@example.com").await;
    for other in [&elsewhere, &mallory] {
        assert!(other.shown_keys().await.is_empty());
    }
    // No other account takes it out of sight.
    let answer = mallory.call("acknowledge_api_key", &[("id", &id)]).await;
    assert_eq!(answer.status, 404);
    app.pass(599);
    assert_eq!(ada.shown_keys().await, std::slice::from_ref(&key));
    // Later than that the holder of a copied cookie would get a key without the password.
    app.pass(1);
    assert!(ada.shown_keys().await.is_empty());
    let listed = ada
        .send(ada.request(Method::GET, "/api/list_api_keys"))
        .await;
    assert!(!listed.body.contains(&key), "{}", listed.body);
    app.pass(2_999);
    let form = [("next", "/account/keys"), ("password", PASSWORD)];
    ada.submit("/account/keys", "confirm_password", &form).await;
    assert_eq!(ada.shown_keys().await, [key]);
    app.pass(1);
    assert!(ada.shown_keys().await.is_empty());
    // Nor does the next session in the same browser show one.
    elsewhere.sign_in(EMAIL, PASSWORD).await;
    make(&elsewhere, "b").await;
    elsewhere.call("sign_out", &[]).await;
    elsewhere.sign_in(EMAIL, PASSWORD).await;
    assert!(elsewhere.shown_keys().await.is_empty());
}

#[tokio::test]
async fn the_password_is_asked_for_and_the_key_is_made_without_javascript() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(600);
    let form = [
        ("label", "later"),
        ("scopes", "keys:read"),
        ("scopes", "profile:read"),
        ("expires_in_days", "30"),
    ];
    browser
        .submit("/account/keys", "create_api_key", &form)
        .await;
    let page = browser.open("/account/keys").await;
    assert!(page.body.contains("Is it you?"), "{}", page.body);
    for (name, value) in [
        ("label", "later"),
        ("scopes", "keys:read profile:read"),
        ("expires_in_days", "30"),
        ("then", "create_api_key"),
    ] {
        let field = format!(r#"name="{name}" value="{value}""#);
        assert!(page.body.contains(&field), "{field}: {}", page.body);
    }
    let form = [
        ("next", "/account/keys"),
        ("then", "create_api_key"),
        ("label", "later"),
        ("scopes", "keys:read profile:read"),
        ("expires_in_days", "30"),
        ("password", PASSWORD),
    ];
    let answer = browser
        .submit("/account/keys", "confirm_password", &form)
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, "/api/create_api_key")
    );
    let answer = browser
        .submit("/account/keys", "create_api_key", &form)
        .await;
    assert_eq!(answer.status, 303);
    assert_eq!(browser.shown_keys().await.len(), 1);
    assert_eq!(browser.list_api_keys().await[0]["label"], "later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_sent_after_the_revocation_answered_is_accepted() {
    let app = TestApp::with(|config| config.limits.requests_per_key = 1_000_000).await;
    let browser = app.signed_up(EMAIL).await;
    for _ in 0..40 {
        let minted = browser.mint("profile:read").await;
        let has_answered = Arc::new(AtomicBool::new(false));
        let mut programs = JoinSet::new();
        for _ in 0..3 {
            let program = Program::new(&app.url, &text(&minted["key"]));
            let has_answered = Arc::clone(&has_answered);
            programs.spawn(async move {
                loop {
                    let is_late = has_answered.load(Ordering::SeqCst);
                    let status = program.get("/v1/me").await.status;
                    if is_late {
                        return status;
                    }
                }
            });
        }
        let form = [("id", minted["id"].as_str().unwrap())];
        assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
        has_answered.store(true, Ordering::SeqCst);
        assert_eq!(programs.join_all().await, [401, 401, 401]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_is_made_past_the_disabling_of_its_owner() {
    let app = TestApp::new().await;
    for count in 0..20 {
        let address = format!("ada-{count}@example.com");
        let browser = app.signed_up(&address).await;
        let email = Email::parse(&address).unwrap();
        let form = [
            ("label", "a"),
            ("scopes", "profile:read"),
            ("expires_in_days", "1"),
        ];
        let (answer, disabled) = tokio::join!(
            browser.call("create_api_key", &form),
            users::set_disabled(&app.state, &email, true),
        );
        disabled.unwrap();
        if answer.status == 200 {
            let program = Program::new(&app.url, &text(&answer.json()["key"]));
            assert_eq!(program.get("/v1/me").await.status, 401);
        } else {
            assert_eq!(answer.status, 401, "{}", answer.body);
        }
    }
    let live = "SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NULL";
    assert_eq!(app.count(live).await, 0);
}
