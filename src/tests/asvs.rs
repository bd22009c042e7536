//! OWASP ASVS 5.0, chapter V7 (session management), one requirement after the other.
//! `docs/asvs.md` lists them with the names of these tests. Of V10 see `providers.rs`.

use crate::{
    app::{Browser, EMAIL, PASSWORD, TestApp},
    grants::{code_of, other_app, text},
    place::Place,
    sessions::{claims, replayed},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use cloakroom::server::{
    config::{Config, Preset},
    random::Random,
    secret::PlainSid,
};
use reqwest::Method;
use std::collections::BTreeSet;

const LIST: &str = include_str!("../../docs/asvs.md");
const README: &str = include_str!("../../README.md");
const ELSEWHERE: &str = include_str!("../../docs/sign-in-elsewhere.md");
const NEW_PASSWORD: &str = "another lamp over eight stairs";

/// Rows of a table whose first cell is this.
fn cells<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let start = format!("| {first} |");
    let row = text.lines().find(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("no row {first}"));
    row.split('|').map(str::trim).skip(2).collect()
}

/// Such as "1 hour" or "30 days", in seconds.
fn seconds(words: &str) -> u32 {
    let mut words = words.split_whitespace();
    let count: u32 = words.next().unwrap().parse().unwrap();
    let unit = match words.next().unwrap().trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        other => panic!("{other}"),
    };
    count * unit
}

#[test]
fn every_requirement_is_listed_with_a_test_that_there_is_or_the_reason_why_not() {
    let tests = include_str!("asvs.rs");
    let ids = [
        "7.1.1", "7.1.2", "7.1.3", "7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.3.1", "7.3.2", "7.4.1",
        "7.4.2", "7.4.3", "7.4.4", "7.4.5", "7.5.1", "7.5.2", "7.5.3", "7.6.1", "7.6.2",
    ];
    for id in ids {
        let row = cells(LIST, id);
        let shown = row[1];
        let prefix = format!("v{}_", id.replace('.', "_"));
        if let Some(name) = shown.strip_prefix('`').and_then(|it| it.strip_suffix('`')) {
            assert!(name.starts_with(&prefix), "{id}: {name}");
            assert!(tests.contains(&format!("fn {name}()")), "{id}: {name}");
        } else {
            assert!(shown.starts_with("Not yet: "), "{id}: {shown}");
            assert!(!tests.contains(&format!("fn {prefix}")), "{id}");
        }
    }
    let mut listed: Vec<&str> = LIST
        .lines()
        .filter_map(|line| line.strip_prefix("| 7."))
        .collect();
    listed.dedup();
    assert_eq!(listed.len(), ids.len());
}

#[test]
fn v7_1_1_the_documented_times_are_the_defaults() {
    let session = Config::default().session;
    for (row, is_kept) in [("signed in", false), ("\"Keep me signed in\"", true)] {
        let row = cells(README, row);
        let (idle, in_all) = session.times(is_kept);
        assert_eq!(i64::from(seconds(row[0])), idle, "{row:?}");
        assert_eq!(i64::from(seconds(row[1])), in_all, "{row:?}");
    }
    assert_eq!(
        seconds(cells(README, "recent sign-in")[1]),
        session.recent_sign_in_s
    );
    for (name, preset) in [("`aal1`", Preset::Aal1), ("`aal2`", Preset::Aal2)] {
        let row = cells(README, name);
        let (idle, in_all) = preset.most();
        if idle == u32::MAX {
            assert_eq!(row[0], "as set");
        } else {
            assert_eq!(seconds(row[0]), idle);
        }
        assert_eq!(seconds(row[1]), in_all);
    }
    // And a preset shortens what is set to more.
    let mut strict = session;
    strict.preset = Preset::Aal2;
    assert_eq!(strict.times(true), (3_600, 86_400));
}

#[tokio::test]
async fn v7_1_2_one_session_more_than_documented_ends_the_one_unused_for_longest() {
    let most = Config::default().session.max_per_user;
    assert!(README.contains(&format!("up to {most} sessions")));
    let app = TestApp::with(|config| config.session.max_per_user = 3).await;
    let first = app.signed_up(EMAIL).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        app.pass(61);
        let browser = app.browser();
        browser.sign_in(EMAIL, PASSWORD).await;
        others.push(browser);
    }
    assert_eq!(first.viewer().await, None);
    for other in &others {
        assert!(other.viewer().await.is_some());
    }
}

#[tokio::test]
async fn v7_1_3_what_an_app_holds_lasts_as_documented() {
    let after = |row: &str, column: usize| -> i64 {
        let said = cells(ELSEWHERE, row)[column];
        seconds(said.strip_prefix("after ").unwrap_or(said)).into()
    };
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let scope = [("scope", "openid offline_access")];
    let tokens = other.tokens(&browser, &scope).await;
    let token = text(&tokens, "access_token");
    let lasts = after("an access token", 1);
    app.pass(lasts - 1);
    assert!(other.is_good(token).await);
    app.pass(1);
    assert!(!other.is_good(token).await);
    app.pass(after("a refresh token", 1) - lasts - 1);
    let tokens = other.refresh(text(&tokens, "refresh_token")).await.json();
    app.pass(1);
    let over = other.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(over.status, 400);
}

#[tokio::test]
async fn v7_6_1_an_app_may_ask_for_a_fresh_sign_in_and_hears_of_the_end() {
    assert_eq!(
        cells(ELSEWHERE, "signing out here, or ending the device")[0],
        "at once"
    );
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let first = other.tokens(&browser, &[]).await;
    app.pass(2);
    let link = other.link(&[("max_age", "1")]);
    let asked = browser.open(&link).await;
    assert!(asked.header("location").starts_with("/consent?"));
    let form = [("password", PASSWORD)];
    assert_eq!(browser.call("confirm_password", &form).await.status, 200);
    let code = code_of(&browser.open(&link).await);
    let second = other.redeem(&code).await.json();
    let at = |tokens: &serde_json::Value| {
        let claims = crate::grants::claims(text(tokens, "id_token"));
        claims["auth_time"].as_i64().unwrap()
    };
    assert_eq!(at(&second), at(&first) + 2);
    browser.call("sign_out", &[]).await;
    let over = other.refresh(text(&second, "refresh_token")).await;
    assert_eq!(over.status, 400);
}

#[tokio::test]
async fn v7_2_1_whoever_says_that_they_are_signed_in_is_not() {
    let app = TestApp::new().await;
    let cookie = app.signed_up(EMAIL).await.session().unwrap();
    let thief = app.browser();
    for (name, value) in [
        ("authorization", format!("Bearer {cookie}")),
        ("x-user", EMAIL.to_owned()),
        ("x-forwarded-user", EMAIL.to_owned()),
        ("remote-user", EMAIL.to_owned()),
        ("cookie", "signed_in=true; user=ada@example.com".to_owned()),
    ] {
        let asked = thief
            .request(Method::GET, "/api/list_sessions")
            .header(name, value);
        assert_eq!(thief.send(asked).await.status, 401, "{name}");
    }
    let asked = thief.request(Method::GET, &format!("/api/list_sessions?session={cookie}"));
    assert_eq!(thief.send(asked).await.status, 401);
}

#[tokio::test]
async fn v7_2_2_nothing_but_a_session_of_ours_is_one() {
    let app = TestApp::new().await;
    let cookie = app.signed_up(EMAIL).await.session().unwrap();
    let claims = claims(&cookie);
    let (sid, id) = (
        claims["sid"].as_str().unwrap(),
        claims["sub"].as_str().unwrap(),
    );
    for static_secret in [sid, id, EMAIL, "cloakroom", ""] {
        assert_eq!(replayed(&app, static_secret).await, None, "{static_secret}");
    }
}

#[tokio::test]
async fn v7_2_3_sids_are_unique_and_have_128_random_bits() {
    let random = Random::system();
    let mut seen = BTreeSet::new();
    let (mut ones, mut uuid_like) = ([0_u32; 128], 0);
    for _ in 0..10_000 {
        let sid = PlainSid::generate(&random).unwrap();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sid.reveal()).unwrap();
        assert_eq!(bytes.len(), 16);
        for (at, count) in ones.iter_mut().enumerate() {
            *count += u32::from(bytes[at / 8] >> (at % 8) & 1);
        }
        uuid_like += u32::from(bytes[6] >> 4 == 4 && bytes[8] >> 6 == 2);
        assert!(seen.insert(bytes), "no repeats");
    }
    // Each bit is one in half of them: six standard deviations are 300.
    assert!(
        ones.iter().all(|count| (4_700..=5_300).contains(count)),
        "{ones:?}"
    );
    // A 64th of random ones looks like a UUID of version 4.
    assert!(uuid_like < 300, "{uuid_like}");
}

#[tokio::test]
async fn v7_2_4_each_sign_in_and_each_time_it_is_shown_anew_starts_a_new_sid() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let mut before = vec![browser.session().unwrap()];
    browser.sign_in(EMAIL, PASSWORD).await;
    before.push(browser.session().unwrap());
    browser
        .call("confirm_password", &[("password", PASSWORD)])
        .await;
    before.push(browser.session().unwrap());
    let form = [
        ("current_password", PASSWORD),
        ("new_password", NEW_PASSWORD),
    ];
    assert_eq!(browser.call("change_password", &form).await.status, 200);
    let now = browser.session().unwrap();
    let all: BTreeSet<&String> = before.iter().chain([&now]).collect();
    assert_eq!(all.len(), 4);
    for old in &before {
        assert_eq!(replayed(&app, old).await, None);
    }
    assert_eq!(replayed(&app, &now).await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn v7_3_1_a_session_ends_after_its_time_without_use() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(3_599);
    assert!(browser.viewer().await.is_some());
    app.pass(3_599);
    assert!(browser.viewer().await.is_some(), "use starts the hour anew");
    app.pass(3_601);
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn v7_3_2_a_session_ends_after_its_time_in_all_however_much_it_is_renewed() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let ends_at = app.count("SELECT ends_at FROM sessions").await;
    for _ in 0..86_400 / 600 - 1 {
        app.pass(600);
        assert!(browser.viewer().await.is_some());
    }
    assert_eq!(app.count("SELECT ends_at FROM sessions").await, ends_at);
    assert!(app.count("SELECT generation FROM sessions").await > 50);
    app.pass(600);
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn v7_4_1_a_cookie_is_of_no_use_after_sign_out_or_its_end() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let copy = browser.session().unwrap();
    assert_eq!(replayed(&app, &copy).await.as_deref(), Some(EMAIL));
    browser.call("sign_out", &[]).await;
    assert_eq!(replayed(&app, &copy).await, None);
    browser.sign_in(EMAIL, PASSWORD).await;
    let copy = browser.session().unwrap();
    app.pass(86_400);
    assert_eq!(replayed(&app, &copy).await, None);
}

#[tokio::test]
async fn v7_4_2_keeping_an_account_out_ends_all_its_sessions() {
    let mut place = Place::new();
    let first = place.serve("info");
    first.sign_up(EMAIL, PASSWORD).await;
    let mut browsers = vec![first];
    for _ in 0..2 {
        let browser = Browser::at(browsers[0].url().to_owned());
        browser.sign_in(EMAIL, PASSWORD).await;
        browsers.push(browser);
    }
    place.said(&["user", "disable", "--email", EMAIL], "");
    for browser in &browsers {
        assert_eq!(browser.viewer().await, None);
    }
}

#[tokio::test]
async fn v7_4_3_a_new_password_ends_all_other_sessions_unless_told_otherwise() {
    let app = TestApp::new().await;
    let here = app.signed_up(EMAIL).await;
    let there = app.browser();
    there.sign_in(EMAIL, PASSWORD).await;
    let page = here.open("/account/security").await.body;
    assert!(page.contains("Keep my other devices signed in") && !page.contains("checked"));
    let form = [
        ("current_password", PASSWORD),
        ("new_password", NEW_PASSWORD),
        ("keep_others", "true"),
    ];
    here.call("change_password", &form).await;
    assert!(there.viewer().await.is_some());
    let form = [
        ("current_password", NEW_PASSWORD),
        ("new_password", PASSWORD),
    ];
    assert_eq!(here.call("change_password", &form).await.json()["count"], 1);
    assert_eq!(there.viewer().await, None);
}

#[tokio::test]
async fn v7_4_4_every_page_has_a_way_to_sign_out() {
    let app = TestApp::new().await;
    for path in [
        "/",
        "/account",
        "/account/sessions",
        "/account/security",
        "/account/activity",
    ] {
        let browser = app.browser();
        if browser.sign_in(EMAIL, PASSWORD).await.status != 200 {
            browser.sign_up(EMAIL, PASSWORD).await;
        }
        let page = browser.open(path).await.body;
        assert!(
            page.contains("method=\"post\" action=\"/api/sign_out\""),
            "{path}"
        );
        assert!(page.contains("Sign out"), "{path}");
        let answer = browser.submit(path, "sign_out", &[]).await;
        assert_eq!(answer.status, 303);
        assert_eq!(browser.viewer().await, None);
    }
}

#[tokio::test]
async fn v7_4_5_an_operator_ends_the_sessions_of_one_person_or_of_all() {
    let mut place = Place::new();
    let ada = place.serve("info");
    ada.sign_up(EMAIL, PASSWORD).await;
    let grace = Browser::at(ada.url().to_owned());
    grace.sign_up("grace@example.com", PASSWORD).await;
    place.said(&["user", "sign-out", "--email", EMAIL], "");
    assert_eq!(ada.viewer().await, None);
    assert!(grace.viewer().await.is_some());
    ada.sign_in(EMAIL, PASSWORD).await;
    let said = place.said(&["user", "sign-out", "--all"], "");
    assert!(said.starts_with("2 sessions ended\n"), "{said}");
    assert_eq!(ada.viewer().await.or(grace.viewer().await), None);
}

#[tokio::test]
async fn v7_5_1_what_signs_in_is_changed_with_the_password_only() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for current in ["", "not this one at all", NEW_PASSWORD] {
        let form = [
            ("current_password", current),
            ("new_password", NEW_PASSWORD),
        ];
        let answer = browser.call("change_password", &form).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["fields"][0]["field"], "current_password");
    }
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn v7_5_2_people_see_their_sessions_and_end_any_once_they_have_shown_who_they_are() {
    let app = TestApp::new().await;
    let here = app.signed_up(EMAIL).await;
    let there = app.browser();
    there.sign_in(EMAIL, PASSWORD).await;
    app.pass(600);
    let page = here.open("/account/sessions").await.body;
    assert_eq!(page.matches("End this session").count(), 1);
    assert!(page.contains("This device") && page.contains("from 127.0.0.1"));
    let devices = here.list_sessions().await;
    let id = devices["sessions"][1]["id"].as_str().unwrap();
    assert_eq!(here.call("end_session", &[("id", id)]).await.status, 403);
    assert!(there.viewer().await.is_some());
    here.call("confirm_password", &[("password", PASSWORD)])
        .await;
    assert_eq!(here.call("end_session", &[("id", id)]).await.status, 200);
    assert_eq!(there.viewer().await, None);
}

#[tokio::test]
async fn v7_6_2_no_session_begins_without_a_form_that_its_person_sent() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    let browser = app.browser();
    let query = format!("email={EMAIL}&password={}", PASSWORD.replace(' ', "+"));
    for path in [format!("/api/sign_in?{query}"), format!("/sign-in?{query}")] {
        let answer = browser.open(&path).await;
        assert!(answer.set_cookies().is_empty(), "{path}");
    }
    let request = browser
        .request(Method::POST, "/api/sign_in")
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site");
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let answer = browser.send(crate::app::with_form(request, &form)).await;
    assert_eq!(answer.status, 403);
    assert!(answer.set_cookies().is_empty());
}
