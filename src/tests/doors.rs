//! Closed unless opened (promise 2): every server function and every route, called as nobody.

use crate::app::{Answer, Browser, COOKIE, EMAIL, TestApp, encoded, with_form};
use leptos::server_fn::axum::server_fn_paths;
use reqwest::Method;
use std::collections::BTreeSet;

/// Server functions that answer nobody in particular. This list may only shrink.
const OPEN_FUNCTIONS: [&str; 4] = [
    "/api/sign_in",
    "/api/sign_out",
    "/api/sign_up",
    "/api/viewer",
];
/// Routes that are open, pages first. This list may only shrink.
const OPEN_ROUTES: [&str; 19] = [
    "/",
    "/developers",
    "/sign-in",
    "/sign-up",
    "/proof",
    "/proof.js",
    "/session.css",
    "/session.js",
    "/session-dialog.js",
    "/favicon.svg",
    "/icon.svg",
    "/favicon.ico",
    "/apple-touch-icon.png",
    "/health/live",
    "/health/ready",
    "/.well-known/change-password",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/oauth2/jwks",
];

/// Functions that are called by GET.
const READS: &[&str] = &[
    "/api/describe_authorization",
    "/api/inspect_session",
    "/api/list_activity",
    "/api/list_api_keys",
    "/api/list_apps",
    #[cfg(feature = "lab")]
    "/api/list_notes",
    "/api/list_revocable",
    "/api/list_sessions",
    "/api/viewer",
];

/// What some function reads, so that none stops at its form before it comes to its door.
const ANYTHING: [(&str, &str); 9] = [
    ("id", "somebody-elses"),
    ("email", "nobody"),
    ("password", "nothing"),
    ("current_password", "nothing"),
    ("new_password", "nothing"),
    ("text", "anything"),
    ("request", "anything"),
    ("decision", "allow"),
    ("client_id", "somebody-elses"),
];

fn functions() -> BTreeSet<(&'static str, Method)> {
    server_fn_paths().collect()
}

/// Calls a function as this browser, cookie and all.
async fn call(browser: &Browser, app: &TestApp, path: &str, method: &Method) -> Answer {
    let asked = match *method {
        Method::GET => format!("{path}?{}", encoded(&ANYTHING)),
        _ => path.to_owned(),
    };
    let request = browser
        .request(method.clone(), &asked)
        .header("origin", &app.url);
    browser.send(with_form(request, &ANYTHING)).await
}

#[tokio::test]
async fn every_server_function_but_the_open_ones_refuses_nobody() {
    let app = TestApp::new().await;
    let paths = functions();
    assert!(paths.len() > OPEN_FUNCTIONS.len());
    for (path, method) in &paths {
        assert!(path.starts_with("/api/"), "{path} has a name of its own");
        let answer = call(&app.browser(), &app, path, method).await;
        if OPEN_FUNCTIONS.contains(path) {
            assert_ne!(
                answer.status, 401,
                "{path} is on the list of open ones and is not open"
            );
        } else {
            assert_eq!(answer.status, 401, "{path}");
        }
    }
    for open in OPEN_FUNCTIONS {
        assert!(
            paths.iter().any(|(path, _)| *path == open),
            "{open} is gone: shrink the list"
        );
    }
    // A read that is made by GET changes nothing.
    let by_get: Vec<_> = paths
        .iter()
        .filter(|(_, method)| *method == Method::GET)
        .map(|(path, _)| *path)
        .collect();
    assert_eq!(by_get, READS);
}

#[tokio::test]
async fn every_server_function_but_the_open_ones_refuses_a_session_that_has_ended() {
    let app = TestApp::new().await;
    let stale = app.signed_up(EMAIL).await;
    let cookie = stale.session().unwrap();
    stale.call("sign_out", &[]).await;
    for (path, method) in functions() {
        if !OPEN_FUNCTIONS.contains(&path) {
            let browser = app.browser();
            browser.plant(COOKIE, &cookie);
            let answer = call(&browser, &app, path, &method).await;
            assert_eq!(answer.status, 401, "{path}");
        }
    }
}

/// What asks for a recent sign-in. This list may only grow.
const RECENT_FUNCTIONS: [&str; 3] = ["create_api_key", "end_other_sessions", "end_session"];

#[tokio::test]
async fn what_asks_for_a_recent_sign_in_refuses_an_older_one() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(600);
    for function in RECENT_FUNCTIONS {
        let answer = browser.call(function, &[("id", "any")]).await;
        assert_eq!(answer.status, 403, "{function}");
        assert_eq!(answer.json()["code"], "recent_sign_in_needed");
    }
}

#[tokio::test]
async fn nobody_can_touch_the_sessions_of_another() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    let mallory = app.signed_up("mallory@example.com").await;
    let devices = ada.list_sessions().await;
    let id = devices["sessions"][0]["id"].as_str().unwrap();
    let answer = mallory.call("end_session", &[("id", id)]).await;
    assert_eq!(
        (answer.status, &*answer.body),
        (404, r#"{"code":"not_found"}"#)
    );
    assert_eq!(
        mallory.call("end_other_sessions", &[]).await.json()["count"],
        0
    );
    assert_eq!(ada.viewer().await.as_deref(), Some(EMAIL));
    // Each sees their own alone.
    assert_eq!(
        mallory.list_sessions().await["sessions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_ne!(mallory.list_sessions().await["sessions"][0]["id"], id);
}

#[tokio::test]
async fn every_route_but_the_open_ones_refuses_nobody() {
    let app = TestApp::new().await;
    let routes = |text: &str, mark: &str| -> Vec<String> {
        text.split(mark)
            .skip(1)
            .filter_map(|rest| rest.trim_start().strip_prefix('"'))
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect()
    };
    let mut found = routes(include_str!("../app/mod.rs"), "path=path!(");
    for mark in [".route(", ".route_service("] {
        found.extend(routes(include_str!("../server/router.rs"), mark));
        found.extend(routes(include_str!("../server/health.rs"), mark));
        found.extend(routes(include_str!("../server/oidc/mod.rs"), mark));
        found.extend(routes(include_str!("../server/forward_auth/mod.rs"), mark));
    }
    assert!(found.len() > OPEN_ROUTES.len());
    for route in found
        .iter()
        .filter(|route| !OPEN_ROUTES.contains(&route.as_str()))
    {
        let path = route.replace("{*function}", "nothing");
        let answer = app.browser().open(&path).await;
        let is_refused = match answer.status {
            303 => answer.header("location").starts_with("/sign-in?next=/"),
            // What is called by POST alone asks clients who they are: `oidc/authentication.rs`.
            405 => path.starts_with("/oauth2/"),
            status => status == 401 || status == 403 || status == 404,
        };
        assert!(is_refused, "{path}: {}", answer.status);
        assert!(!answer.body.contains("<h1>Your account"), "{path}");
    }
    for open in OPEN_ROUTES {
        assert!(
            found.iter().any(|route| route == open),
            "{open} is gone: shrink the list"
        );
    }
}

#[tokio::test]
async fn private_pages_send_nobody_away_before_anything_is_rendered() {
    let app = TestApp::new().await;
    for path in [
        "/account",
        "/account/",
        "/account/anything",
        "/account/x.css",
    ] {
        let answer = app.browser().open(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert_eq!(answer.header("location"), format!("/sign-in?next={path}"));
        assert_eq!(answer.body, "");
    }
    for (asked, next) in [
        ("/account?a=1&b=2", "/account?a%3D1%26b%3D2"),
        ("/%61ccount", "/%2561ccount"),
    ] {
        let answer = app.browser().open(asked).await;
        assert_eq!(answer.header("location"), format!("/sign-in?next={next}"));
    }
    let browser = app.signed_up(EMAIL).await;
    assert_eq!(browser.open("/account").await.status, 200);
    assert_eq!(browser.open("/account/x.css").await.status, 404);
    assert_eq!(
        browser.open("/sign-in").await.header("location"),
        "/account"
    );
}
