//! Closed unless opened (promise 2): every server function and every route, called as nobody.

use crate::app::{EMAIL, TestApp, with_form};
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
const OPEN_ROUTES: [&str; 7] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/favicon.svg",
    "/icon.svg",
    "/health/live",
    "/health/ready",
];

#[tokio::test]
async fn every_server_function_but_the_open_ones_refuses_nobody() {
    let app = TestApp::new().await;
    let paths: BTreeSet<(&str, Method)> = server_fn_paths().collect();
    assert!(paths.len() >= OPEN_FUNCTIONS.len());
    for (path, method) in &paths {
        assert!(path.starts_with("/api/"), "{path} has a name of its own");
        let browser = app.browser();
        let request = browser
            .request(method.clone(), path)
            .header("origin", &app.url);
        let answer = browser.send(with_form(request, &[])).await;
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
    // A read that is made by GET changes nothing and says nothing to nobody.
    let by_get: Vec<_> = paths
        .iter()
        .filter(|(_, method)| *method == Method::GET)
        .collect();
    assert_eq!(by_get, [&("/api/viewer", Method::GET)]);
}

#[tokio::test]
async fn every_route_but_the_open_ones_refuses_nobody() {
    let app = TestApp::new().await;
    let routes = |text: &str, mark: &str| -> Vec<String> {
        text.split(mark)
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect()
    };
    let mut found = routes(include_str!("../app/mod.rs"), "path=path!(\"");
    for mark in [".route(\"", ".route_service(\""] {
        found.extend(routes(include_str!("../server/router.rs"), mark));
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
