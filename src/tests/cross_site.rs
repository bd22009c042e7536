//! Another site can do nothing (promise 5).

use crate::app::{EMAIL, PASSWORD, TestApp, with_form};
use leptos::server_fn::axum::server_fn_paths;
use reqwest::{Method, RequestBuilder};

#[tokio::test]
async fn requests_from_other_sites_change_nothing() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let origin = app.url.as_str();
    // Sec-Fetch-Site, Origin, and what becomes of it.
    for (site, from, expected) in [
        (Some("cross-site"), Some("https://evil.example"), 403),
        (Some("same-site"), Some("https://evil.example"), 403),
        (Some("cross-site"), None, 403),
        (None, Some("https://evil.example"), 403),
        (None, Some("null"), 403),
        (None, None, 403),
        (None, Some(""), 403),
        (Some(""), None, 403),
        (Some(""), Some(""), 403),
        (Some("same-origin"), Some("null"), 200),
        (Some("same-origin"), Some(origin), 200),
    ] {
        let mut request = browser.request(Method::POST, "/api/sign_out");
        for (name, value) in [("sec-fetch-site", site), ("origin", from)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let answer = browser.send(with_form(request, &[])).await;
        assert_eq!(answer.status, expected, "{site:?} {from:?}");
        if expected == 403 {
            assert_eq!(answer.json()["code"], "cross_site");
            assert!(answer.set_cookies().is_empty());
            assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
        } else {
            browser.sign_in(EMAIL, PASSWORD).await;
        }
    }
}

#[tokio::test]
async fn another_site_signs_nobody_up_or_in() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    for function in ["sign_up", "sign_in"] {
        let browser = app.browser();
        let request = browser
            .request(Method::POST, &format!("/api/{function}"))
            .header("origin", "https://evil.example");
        let form = [("email", "new@example.com"), ("password", PASSWORD)];
        let answer = browser.send(with_form(request, &form)).await;
        assert_eq!(answer.status, 403);
        assert!(answer.set_cookies().is_empty());
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn another_site_reads_nothing_by_get() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-mode", "navigate"),
        ("origin", "https://evil.example"),
    ] {
        let request = browser
            .request(Method::GET, "/api/viewer")
            .header(name, value)
            .header("referer", "https://evil.example/");
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
        assert!(answer.header("location").is_empty());
        assert!(!answer.body.contains(EMAIL));
    }
}

#[tokio::test]
async fn a_socket_is_not_opened_for_another_site() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for origin in [None, Some("null"), Some("https://evil.example")] {
        let mut request = browser
            .request(Method::GET, "/api/viewer")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        assert_eq!(browser.send(request).await.status, 403, "{origin:?}");
    }
}

/// What a browser sends with an address that its user typed, or that it restores.
fn by_hand(request: RequestBuilder) -> RequestBuilder {
    request
        .header("sec-fetch-site", "none")
        .header("sec-fetch-mode", "navigate")
        .header("accept", "text/html,application/xhtml+xml")
}

#[tokio::test]
async fn the_address_of_a_function_leads_a_user_to_its_page() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for (path, _) in server_fn_paths() {
        let request = by_hand(browser.request(Method::GET, path));
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 303, "{path}");
        let page = browser.open(answer.header("location")).await;
        // Sign-in and sign-up lead a signed-in user on.
        assert!([200, 303].contains(&page.status), "{path}");
    }
    for (function, page) in [
        ("create_api_key", "/account/keys"),
        ("sign_up", "/sign-up"),
        ("viewer", "/"),
        ("sign_in?next=//evil.example", "/sign-in"),
    ] {
        let path = format!("/api/{function}");
        // A browser that has no such headers.
        let request = browser
            .request(Method::GET, &path)
            .header("accept", "text/html");
        let answer = browser.send(request).await;
        assert_eq!((answer.status, answer.header("location")), (303, page));
    }
    let nothing = by_hand(browser.request(Method::GET, "/api/nothing"));
    assert_eq!(browser.send(nothing).await.status, 404);
}

#[tokio::test]
async fn a_form_that_a_browser_restores_changes_nothing() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let form = [
        ("label", "twice"),
        ("scopes", "profile:read"),
        ("expires_in_days", "7"),
    ];
    for (function, page) in [("create_api_key", "/account/keys"), ("sign_out", "/")] {
        let path = format!("/api/{function}");
        let request = by_hand(browser.request(Method::POST, &path)).header("origin", &app.url);
        let answer = browser.send(with_form(request, &form)).await;
        assert_eq!((answer.status, answer.header("location")), (303, page));
    }
    assert!(browser.list_api_keys().await.is_empty());
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}
