//! The API for programs: who comes in, with what, and what it says to those who do not.

mod causes;

use crate::{
    app::{Answer, Browser, COOKIE, EMAIL, PASSWORD, Program, TestApp},
    place::Place,
};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use cloakroom::server::{api_keys::PREFIX, secret::Secret};
use reqwest::{Method, header};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ALL: &str = "profile:read sessions:read sessions:write activity:read keys:read";
const SECRET: &str = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4";
/// Every operation and its scope.
const OPERATIONS: [(&str, &str, &str); 5] = [
    ("GET", "/v1/me", "profile:read"),
    ("GET", "/v1/sessions", "sessions:read"),
    (
        "DELETE",
        "/v1/sessions/nobody-has-this-one-ab",
        "sessions:write",
    ),
    ("GET", "/v1/activity", "activity:read"),
    ("GET", "/v1/keys", "keys:read"),
];

fn method(name: &str) -> Method {
    name.parse().unwrap()
}

/// A refusal is problem details and, where a key is asked for, a challenge.
fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["type"], format!("/developers#{code}"));
    assert_eq!(problem["status"], status);
    assert!(
        problem["title"]
            .as_str()
            .is_some_and(|title| !title.is_empty())
    );
    // What every answer has.
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store, no-transform");
    assert!(answer.set_cookies().is_empty());
}

#[tokio::test]
async fn every_operation_refuses_nobody_and_names_its_scope() {
    let app = TestApp::new().await;
    for (name, path, scope) in OPERATIONS {
        let nobody = app.browser();
        let answer = nobody.send(nobody.request(method(name), path)).await;
        assert_problem(&answer, 401, "key_needed");
        let challenge = answer.header("www-authenticate");
        assert_eq!(
            challenge,
            format!("Bearer realm=\"cloakroom\", scope=\"{scope}\"")
        );
        let forged = Program::new(&app.url, "ck_a.b.c");
        let answer = forged.send(forged.request(method(name), path)).await;
        assert_problem(&answer, 401, "invalid_token");
        let challenge = answer.header("www-authenticate");
        assert_eq!(
            challenge,
            format!("Bearer realm=\"cloakroom\", error=\"invalid_token\", scope=\"{scope}\"")
        );
    }
    // The list above is all that there is: the document is made of the code.
    let document = app.browser().open("/v1/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = Vec::new();
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (name, operation) in methods.as_object().unwrap() {
            let scope = operation["security"][0]["api_key"][0].as_str().unwrap();
            assert!(names.insert(operation["operationId"].to_string()), "{path}");
            described.push((name.to_uppercase(), path.clone(), scope.to_owned()));
        }
    }
    let mut listed: Vec<_> = OPERATIONS
        .map(|(name, path, scope)| {
            let path = path.replace("nobody-has-this-one-ab", "{id}");
            (name.to_owned(), path, scope.to_owned())
        })
        .into();
    described.sort();
    listed.sort();
    assert_eq!(described, listed);
    let routes = include_str!("../server/v1/mod.rs");
    let routes: Vec<&str> = routes
        .split(".route(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|path| !["/v1", "/v1/", "/v1/{*path}", "/v1/openapi.json"].contains(path))
        .collect();
    for path in &routes {
        assert!(
            described.iter().any(|(_, known, _)| known == path),
            "{path}"
        );
    }
    assert_eq!(routes.len(), 5);
}

#[tokio::test]
async fn a_key_opens_what_it_was_made_for_and_nothing_else() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for (_, _, own) in OPERATIONS {
        let program = Program::new(&app.url, &browser.key(own).await);
        for (name, path, scope) in OPERATIONS {
            let answer = program.send(program.request(method(name), path)).await;
            if own == scope {
                let expected = if name == "DELETE" { 404 } else { 200 };
                assert_eq!(answer.status, expected, "{path}: {}", answer.body);
            } else {
                assert_problem(&answer, 403, "insufficient_scope");
                assert_eq!(
                    answer.header("www-authenticate"),
                    format!(
                        "Bearer realm=\"cloakroom\", error=\"insufficient_scope\", scope=\"{scope}\""
                    )
                );
            }
            assert!(!answer.header("ratelimit").is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_answered_is_the_owners_own() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.signed_up("mallory@example.com").await;
    let phone = app.browser();
    phone.sign_in(EMAIL, PASSWORD).await;
    let program = Program::new(&app.url, &browser.key(ALL).await);
    let me = program.get("/v1/me").await.json();
    let (user_id,): (String,) = sqlx::query_as("SELECT id FROM users WHERE email_key = $1")
        .bind(EMAIL)
        .fetch_one(app.state.db.pool())
        .await
        .unwrap();
    assert_eq!(me["id"], user_id);
    assert_eq!(me["key"]["expires_at"], 1_800_086_400);
    let sessions = program.get("/v1/sessions").await.json();
    let sessions = sessions["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let keys = program.get("/v1/keys").await;
    assert!(!keys.body.contains("cloakroom_eyJ"), "{}", keys.body);
    assert_eq!(keys.json()["keys"].as_array().unwrap().len(), 1);

    // One of the devices is signed out; which it was is told to the owner.
    let devices = phone.list_sessions().await;
    let id = devices["sessions"][0]["id"].as_str().unwrap();
    let path = format!("/v1/sessions/{id}");
    app.pass(1);
    let ended = program.delete(&path).await;
    assert_eq!((ended.status, &*ended.body), (204, ""));
    assert_eq!(phone.viewer().await, None);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    assert_problem(&program.delete(&path).await, 404, "not_found");
    assert_eq!(browser.list_activity().await[0], "session_ended");
}

#[tokio::test]
async fn activity_comes_in_pages() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for _ in 0..29 {
        app.pass(1);
        app.browser().sign_in(EMAIL, PASSWORD).await;
    }
    app.pass(1);
    let program = Program::new(&app.url, &browser.key("activity:read").await);
    let first = program.get("/v1/activity").await.json();
    assert_eq!(first["entries"].as_array().unwrap().len(), 25);
    assert_eq!(first["entries"][0]["kind"], "api_key_created");
    let next = first["next"].as_str().unwrap();
    let second = program
        .get(&format!("/v1/activity?after={next}"))
        .await
        .json();
    assert_eq!(second["entries"].as_array().unwrap().len(), 6);
    assert_eq!(second["entries"][5]["kind"], "signed_up");
    assert!(second["next"].is_null());
    for hostile in [
        "",
        "x",
        "-1.aaaaaaaaaaaaaaaaaaaaaa",
        "1.%27",
        "1.a&after=2.a",
        "99999999999999999999.a",
    ] {
        let answer = program.get(&format!("/v1/activity?after={hostile}")).await;
        assert_problem(&answer, 400, "invalid_request");
    }
}

#[tokio::test]
async fn a_key_in_the_query_or_beside_a_cookie_is_refused() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let key = browser.key(ALL).await;
    let program = Program::new(&app.url, &key);
    for query in [
        format!("access_token={key}"),
        format!("api_key={key}"),
        format!("API_KEY={key}"),
        format!("key={key}"),
        format!("anything={key}"),
        format!("%61ccess_token={key}"),
        format!("x=%63{}", &key[1..]),
        "token=x".to_owned(),
    ] {
        for path in ["/v1/me", "/v1/nothing"] {
            let nobody = app.browser();
            let path = format!("{path}?{query}");
            let answer = nobody.send(nobody.request(Method::GET, &path)).await;
            assert_problem(&answer, 400, "invalid_request");
            assert!(!answer.body.contains(&key));
            // Nor beside the header.
            assert_problem(&program.get(&path).await, 400, "invalid_request");
        }
    }
    let both = browser
        .request(Method::GET, "/v1/me")
        .header(header::AUTHORIZATION, format!("Bearer {key}"));
    assert_problem(&browser.send(both).await, 400, "invalid_request");
    let twice = program
        .request(Method::GET, "/v1/me")
        .header(header::AUTHORIZATION, format!("Bearer {key}"));
    assert_problem(&program.send(twice).await, 400, "invalid_request");
    // The cookie alone is nobody, whatever is in it; one that is not ours is no reason to refuse.
    let answer = browser.send(browser.request(Method::GET, "/v1/me")).await;
    assert_problem(&answer, 401, "key_needed");
    let sticky = program
        .request(Method::GET, "/v1/me")
        .header(header::COOKIE, "load-balancer=1");
    assert_eq!(program.send(sticky).await.status, 200);
}

/// Whether a browser with this bearer comes in at the pages' functions.
async fn asked_with_bearer(browser: &Browser, path: &str, key: &str) -> Answer {
    let request = browser
        .request(Method::GET, path)
        .header(header::AUTHORIZATION, format!("bEaReR {key}"));
    browser.send(request).await
}

#[tokio::test]
async fn no_token_opens_the_door_of_another() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let (key, session) = (browser.key(ALL).await, browser.session().unwrap());
    let jwt = jwt_of(&key);
    // As a session.
    for wrong in [&key, jwt] {
        let thief = app.browser();
        thief.plant(COOKIE, wrong);
        assert_eq!(thief.viewer().await, None);
    }
    // As a key.
    let dressed = [format!("ck_{session}"), with_checksum(&session)];
    for wrong in [&session, &dressed[0], &dressed[1], jwt] {
        let answer = Program::new(&app.url, wrong).get("/v1/me").await;
        assert_problem(&answer, 401, "invalid_token");
    }
    // At the functions of the pages, alone and beside a cookie.
    for path in ["/api/viewer", "/api/list_sessions", "/api/list_api_keys"] {
        for bearer in [&key, &session] {
            let nobody = app.browser();
            assert_eq!(asked_with_bearer(&nobody, path, bearer).await.status, 401);
            assert_eq!(asked_with_bearer(&browser, path, bearer).await.status, 400);
        }
    }
    // Another scheme is not ours to judge: a proxy in front may have asked for it.
    let basic = browser
        .request(Method::GET, "/api/viewer")
        .header(header::AUTHORIZATION, "Basic YTpi");
    assert_eq!(browser.send(basic).await.status, 200);
}

/// What is signed of a key, and the signature.
fn jwt_of(key: &str) -> &str {
    key.strip_prefix(PREFIX).map_or_else(
        || key.strip_prefix("ck_").unwrap(),
        |rest| &rest[..rest.len() - 6],
    )
}

/// A JWT as a key: with the prefix, and the CRC-32 of both in base 62.
fn with_checksum(jwt: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let text = format!("{PREFIX}{jwt}");
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 * (crc & 1));
        }
    }
    let digit = |place: u32| char::from(DIGITS[(!crc / 62_u32.pow(place) % 62) as usize]);
    let digits: String = (0..6).rev().map(digit).collect();
    text + &digits
}

/// A key of the old format like this one, with other words, under this signing key.
fn sign(
    with: &[u8],
    like: &str,
    header: impl FnOnce(&mut Value),
    claims: impl FnOnce(&mut Value),
) -> String {
    let read = |part: &str| -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let write = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap());
    let mut parts = jwt_of(like).split('.').map(read);
    let (mut head, mut body) = (parts.next().unwrap(), parts.next().unwrap());
    header(&mut head);
    claims(&mut body);
    let text = format!("{}.{}", write(&head), write(&body));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, with), text.as_bytes());
    format!("ck_{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

#[tokio::test]
async fn forged_and_mistyped_keys_are_refused() {
    let app = TestApp::with(|config| SECRET.clone_into(&mut config.secret.key)).await;
    let key = app.signed_up(EMAIL).await.key(ALL).await;
    let derive = |purpose| Secret::parse(SECRET).unwrap().derive(purpose).unwrap()[0].bytes;
    let own = derive("api-key+jwt");
    let status = async |key: &str| Program::new(&app.url, key).get("/v1/me").await.status;
    // The test's own signature is right: the same words pass.
    assert_eq!(status(&sign(&own, &key, |_| {}, |_| {})).await, 200);

    let mut hostile = vec![
        String::new(),
        "ck_".to_owned(),
        "ck_a.b.c".to_owned(),
        format!("ck_{}", "x".repeat(20_000)),
        format!("{key}x"),
        format!("{key}."),
        format!("{key} x"),
        key.to_uppercase(),
        sign(&[7; 32], &key, |_| {}, |_| {}),
        sign(&derive("session+jwt"), &key, |_| {}, |_| {}),
        sign(&derive("returned form"), &key, |_| {}, |_| {}),
    ];
    let (text, _) = key.rsplit_once('.').unwrap();
    hostile.push(format!("{text}."));
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("NONE")),
        ("alg", json!("HS512")),
        ("alg", json!("RS256")),
        ("typ", json!("JWT")),
        ("typ", json!("session+jwt")),
        ("typ", json!("at+jwt")),
        ("kid", json!("another")),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
    ] {
        hostile.push(sign(&own, &key, |header| header[name] = value, |_| {}));
    }
    for name in ["exp", "iat", "iss", "aud", "sub", "jti", "scope"] {
        let without = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name));
        hostile.push(sign(&own, &key, |_| {}, without));
        for wrong in [
            json!(null),
            json!(-1),
            json!(1e308),
            json!(1_800_000_000.5),
            json!([1]),
            json!({ "a": 1 }),
            json!(true),
        ] {
            hostile.push(sign(&own, &key, |_| {}, |claims| claims[name] = wrong));
        }
    }
    for (name, value) in [
        ("exp", json!(1_800_000_000)),
        ("iat", json!(1_800_000_061)),
        ("iss", json!("another")),
        ("aud", json!("/api")),
        ("aud", json!(["/v1"])),
        ("scope", json!("")),
        ("scope", json!("admin")),
        ("scope", json!("profile:read admin")),
    ] {
        hostile.push(sign(&own, &key, |_| {}, |claims| claims[name] = value));
    }
    for old in hostile.clone() {
        if let Some(jwt) = old.strip_prefix("ck_") {
            hostile.push(with_checksum(jwt));
        }
    }
    // One character that is another, or is missing, anywhere in it.
    for at in (0..key.len()).step_by(61) {
        let other = if key.as_bytes()[at] == b'x' { "y" } else { "x" };
        let (begin, end) = (&key[..at], &key[at + 1..]);
        hostile.extend([format!("{begin}{other}{end}"), format!("{begin}{end}")]);
    }
    // When the good key was last used is written later, and would count as a question.
    app.state.later.flush(&app.state).await.unwrap();
    let before = app.state.db.asked();
    for token in hostile {
        assert_eq!(status(&token).await, 401, "{token}");
    }
    assert_eq!(
        app.state.db.asked(),
        before,
        "no forgery asked the database"
    );
    assert_eq!(status(&key).await, 200);
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back() {
    let app = TestApp::with(|config| config.limits.requests_per_key = 3).await;
    let browser = app.signed_up(EMAIL).await;
    let program = Program::new(&app.url, &browser.key(ALL).await);
    for left in [2, 1, 0] {
        let answer = program.get("/v1/me").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=3;w=60");
        let limit = answer.header("ratelimit");
        assert!(
            limit.starts_with(&format!("\"key\";r={left};t=")),
            "{limit}"
        );
    }
    let answer = program.get("/v1/me").await;
    assert_problem(&answer, 429, "too_many_requests");
    let wait: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    assert_eq!(answer.header("ratelimit"), format!("\"key\";r=0;t={wait}"));
    // Another key of the same account has its own.
    let other = Program::new(&app.url, &browser.key(ALL).await);
    assert_eq!(other.get("/v1/me").await.status, 200);
    app.pass(wait);
    assert_eq!(program.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn what_there_is_not_is_told_as_problems() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let program = Program::new(&app.url, &browser.key(ALL).await);
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/me/",
        "/v1/sessions/a/b",
        "/v1/%61",
    ] {
        let answer = program.get(path).await;
        assert_problem(&answer, 404, "not_found");
        assert!(!answer.header("ratelimit").is_empty(), "{path}");
    }
    for (name, path, allowed) in [
        ("POST", "/v1/me", "GET,HEAD"),
        ("DELETE", "/v1/me", "GET,HEAD"),
        ("OPTIONS", "/v1/keys", "GET,HEAD"),
        ("TRACE", "/v1/me", "GET,HEAD"),
        ("GET", "/v1/sessions/x", "DELETE"),
        ("PATCH", "/v1/sessions/x", "DELETE"),
    ] {
        let answer = program.send(program.request(method(name), path)).await;
        assert_problem(&answer, 405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed, "{name} {path}");
        assert!(!answer.header("ratelimit").is_empty(), "{name} {path}");
        // No page of another site gets leave to read what a program reads.
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    // Elsewhere nothing has changed.
    for path in ["/", "/api/viewer", "/v1x"] {
        let answer = program.delete(path).await;
        assert_eq!(answer.status, 405, "{path}");
    }
    let long = format!("/v1/{}", "x".repeat(9_000));
    for path in [
        "/v1/..",
        "/v1/%2e%2e/x",
        "/v1/a%2fb",
        "/v1//me",
        "/v1/%ff",
        &long,
    ] {
        let answer = app
            .raw(format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    // A browser that navigates gets the same.
    assert_problem(&app.browser().open("/v1/me").await, 401, "key_needed");
}

#[tokio::test]
async fn the_page_for_developers_is_whole_however_its_address_is_spelled() {
    let app = TestApp::new().await;
    for path in [
        "/developers",
        "/developers/",
        "/%64evelopers",
        "/developers?x=1",
    ] {
        let page = app.browser().open(path).await;
        let is_whole = OPERATIONS
            .iter()
            .all(|(_, _, scope)| page.body.contains(scope));
        assert!(page.status == 404 || is_whole, "{path}: {}", page.status);
    }
    assert_eq!(app.browser().open("/developers").await.status, 200);
}

#[tokio::test]
async fn without_the_database_what_needs_it_is_unavailable() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let program = Program::new(&app.url, &browser.key(ALL).await);
    assert_eq!(program.get("/v1/me").await.status, 200);
    app.state.db.close().await;
    for path in ["/v1/me", "/v1/sessions"] {
        let answer = program.get(path).await;
        assert_problem(&answer, 503, "unavailable");
        assert_eq!(answer.header("retry-after"), "2");
    }
}

#[tokio::test]
async fn a_key_is_in_no_log() {
    let mut place = Place::new();
    let browser = place.serve("trace");
    browser.sign_up(EMAIL, PASSWORD).await;
    let minted = browser.mint(ALL).await;
    let (id, key) = (
        minted["id"].as_str().unwrap(),
        minted["key"].as_str().unwrap(),
    );
    let program = Program::new(browser.url(), key);
    assert_eq!(program.get("/v1/me").await.status, 200);
    assert_eq!(program.get(&format!("/v1/me?key={key}")).await.status, 400);
    assert_eq!(program.get(&format!("/v1/{key}")).await.status, 404);
    browser.call("revoke_api_key", &[("id", id)]).await;
    assert_eq!(program.get("/v1/me").await.status, 401);
    let log = place.stop();
    let signature = key.rsplit_once('.').unwrap().1;
    assert!(log.contains(id), "what is logged is the id");
    assert!(!log.contains(signature), "{log}");
}

#[tokio::test]
async fn an_operators_command_stops_keys_on_a_server_that_runs() {
    if std::env::var("CLOAKROOM_TEST_POSTGRES").is_ok() {
        // Of PostgreSQL, `nodes` shows it.
        return;
    }
    let mut place = Place::new();
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    let program = Program::new(browser.url(), &browser.key(ALL).await);
    assert_eq!(program.get("/v1/me").await.status, 200);
    place.said(&["user", "disable", "--email", EMAIL], "");
    assert_eq!(program.get("/v1/me").await.status, 401);
    // And one that is started anew knows it.
    place.stop();
    let again = place.serve("info");
    let program = Program::new(again.url(), program.key());
    assert_eq!(program.get("/v1/me").await.status, 401);
}

#[tokio::test]
async fn a_key_is_found_by_its_beginning_and_its_checksum() {
    let app = TestApp::new().await;
    let key = app.signed_up(EMAIL).await.key(ALL).await;
    assert!(key.starts_with("cloakroom_eyJ"), "{key}");
    assert_eq!(key, with_checksum(jwt_of(&key)));
    // Nothing in it has to be escaped or quoted, anywhere.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    assert!(key.chars().all(is_plain), "{key}");
    let parts: Vec<usize> = key.split('.').map(str::len).collect();
    assert_eq!((parts.len(), parts[2]), (3, 43 + 6));
}

#[tokio::test]
async fn a_key_of_the_old_format_works_until_it_expires() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let minted = browser.mint(ALL).await;
    let key = minted["key"].as_str().unwrap();
    // What the version before made of this row: the signature is of the JWT alone.
    let old = format!("ck_{}", jwt_of(key));
    let program = Program::new(&app.url, &old);
    assert_eq!(program.get("/v1/me").await.status, 200);
    app.pass(86_399);
    assert_eq!(program.get("/v1/me").await.status, 200);
    app.pass(1);
    let answer = program.get("/v1/me").await;
    assert_problem(&answer, 401, "invalid_token");
    assert!(answer.body.contains("has expired"), "{}", answer.body);
}

#[tokio::test]
async fn the_description_says_where_the_server_is_to_clients_of_every_origin() {
    let app = TestApp::with(|config| {
        "https://accounts.example".clone_into(&mut config.oidc.issuer);
    })
    .await;
    let tool = app
        .browser()
        .request(Method::GET, "/v1/openapi.json")
        .header("origin", "https://editor.example");
    let answer = app.browser().send(tool).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    // No other answer of the API may be read so.
    let other = app
        .browser()
        .request(Method::GET, "/v1/me")
        .header("origin", "https://editor.example");
    let other = app.browser().send(other).await;
    assert_eq!(other.header("access-control-allow-origin"), "");

    // What linters of descriptions ask for.
    let document = answer.json();
    assert_eq!(
        document["servers"],
        json!([{ "url": "https://accounts.example" }])
    );
    let info = &document["info"];
    assert_eq!(
        info["contact"]["url"],
        "https://accounts.example/developers"
    );
    for member in ["title", "version", "description"] {
        assert!(
            info[member].as_str().is_some_and(|it| !it.is_empty()),
            "{member}"
        );
    }
    assert!(info["license"]["name"].is_string() && info["license"]["identifier"].is_string());
    let tags: Vec<&Value> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    let schemes = &document["components"]["securitySchemes"];
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(!path.ends_with('/'), "{path}");
        for operation in methods.as_object().unwrap().values() {
            for member in ["operationId", "summary", "description"] {
                assert!(operation[member].is_string(), "{path}: {member}");
            }
            for tag in operation["tags"].as_array().unwrap() {
                assert!(tags.contains(&tag), "{path}: {tag}");
            }
            for scheme in operation["security"].as_array().unwrap() {
                let name = scheme.as_object().unwrap().keys().next().unwrap();
                assert!(schemes[name].is_object(), "{path}: {name}");
            }
            let responses = operation["responses"].as_object().unwrap();
            for first in ['2', '4'] {
                assert!(
                    responses.keys().any(|it| it.starts_with(first)),
                    "{path}: {first}xx"
                );
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{path}: {parameter}");
            }
        }
    }
    // Every reference leads to a schema, and every schema is used.
    let text = document.to_string();
    let described = document["components"]["schemas"].as_object().unwrap();
    for name in described.keys() {
        assert!(
            text.contains(&format!("\"#/components/schemas/{name}\"")),
            "{name}"
        );
    }
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(described.contains_key(name), "{name}");
    }
}
