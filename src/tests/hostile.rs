//! Hostile inputs (rows of the security checklist), and the headers that every answer has.

use crate::app::{Answer, EMAIL, PASSWORD, TestApp, with_form};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn assert_headers(what: &str, answer: &Answer) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        ),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("script-src 'nonce-") && policy.contains("require-trusted-types-for"));
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    assert_eq!(answer.header("server"), "");
    assert_eq!(answer.header("access-control-allow-origin"), "", "{what}");
}

#[tokio::test]
async fn every_answer_has_the_headers_whatever_its_status() {
    let app = TestApp::new().await;
    let browser = app.browser();
    let mut nonces = std::collections::BTreeSet::new();
    for (method, path, status) in [
        (Method::GET, "/", 200),
        (Method::GET, "/sign-in", 200),
        (Method::GET, "/nothing", 404),
        (Method::GET, "/account", 303),
        (Method::GET, "/api/viewer", 403),
        (Method::GET, "/api/nothing", 403),
        (Method::PUT, "/api/viewer", 405),
        (Method::GET, "/pkg/nothing.js", 404),
        (Method::GET, "/health/live", 200),
        (Method::DELETE, "/", 405),
        (Method::POST, "/", 405),
        (Method::OPTIONS, "/api/sign_in", 405),
    ] {
        let request = browser
            .request(method.clone(), path)
            .header("accept", "text/html")
            .header("origin", &app.url)
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate");
        let answer = browser.send(request).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_headers(path, &answer);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(nonces.insert(answer.header("content-security-policy").to_owned()));
    }
}

#[tokio::test]
async fn every_script_of_a_page_has_its_nonce_and_nothing_else_has() {
    let app = TestApp::new().await;
    let page = app.signed_up(EMAIL).await.open("/account").await;
    let policy = page.header("content-security-policy");
    let nonce = policy
        .split("'nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    let scripts = page.body.matches("<script").count();
    assert!(scripts >= 3);
    assert_eq!(
        page.body.matches(&format!("nonce=\"{nonce}\"")).count(),
        scripts
    );
    assert_eq!(page.body.matches(nonce).count(), scripts);
    for (what, secret) in [
        ("hash", "$argon2"),
        ("style", "style=\""),
        ("handler", "onclick"),
    ] {
        assert!(!page.body.contains(secret), "{what}");
    }
}

#[tokio::test]
async fn functions_take_forms_of_a_bounded_size() {
    let app = TestApp::new().await;
    let browser = app.browser();
    let post = |path: &str| {
        browser
            .request(Method::POST, path)
            .header("origin", &app.url)
    };
    let json = post("/api/sign_in")
        .header("content-type", "text/plain")
        .body("{\"email\":\"x\"}");
    let answer = browser.send(json).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (415, Some("wrong_content_type"))
    );
    let answer = browser
        .send(with_form(
            post("/api/sign_in"),
            &[("email", &"x".repeat(3 << 20))],
        ))
        .await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (413, Some("too_large"))
    );
    let answer = browser
        .send(with_form(post("/api/sign_in"), &[("email", "x")]))
        .await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (400, Some("bad_request"))
    );
    let twice = post("/api/sign_up")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("email=a%40example.com&email=b%40example.com&password=x");
    assert_eq!(browser.send(twice).await.status, 400);
    let answer = browser.send(with_form(post("/api/nothing"), &[])).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (404, Some("not_found"))
    );
    let extra = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("is_admin", "true"),
        ("id", "1"),
    ];
    assert_eq!(
        browser
            .send(with_form(post("/api/sign_up"), &extra))
            .await
            .status,
        200
    );
}

/// What a client gets that writes its request by hand.
async fn raw(app: &TestApp, request: &str) -> String {
    let mut socket = TcpStream::connect(app.url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn strange_paths_and_methods_are_refused_and_break_nothing() {
    let app = TestApp::new().await;
    for (line, statuses) in [
        ("GET /%ff", "400"),
        ("GET /%00", "400"),
        ("GET //", "400"),
        ("GET /..%2f..%2fetc/passwd", "400"),
        ("GET /pkg/../Cargo.toml", "400"),
        ("GET /pkg/..%5cCargo.toml", "400"),
        ("GET /%zz", "400"),
        ("GET /pkg/%2e%2e/Cargo.toml", "400"),
        ("TRACE /", "405"),
        ("CONNECT example.com:443", "405"),
        ("OPTIONS *", "405"),
        ("GET /Leptos.toml", "404"),
        ("GET /hash.txt", "404"),
        ("GET /account;.js", "404"),
    ] {
        let answer = raw(
            &app,
            &format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
        .await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {statuses}")),
            "{line}: {answer}"
        );
    }
    assert_eq!(app.browser().open("/").await.status, 200);
}

#[tokio::test]
async fn slow_headers_are_closed_at_the_deadline() {
    let app = TestApp::with(|config| config.server.header_timeout_s = 1).await;
    let answer = raw(&app, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow").await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_user_agent_is_never_shown_as_it_came() {
    let app = TestApp::new().await;
    let browser = app.browser();
    let request = browser
        .request(Method::POST, "/api/sign_up")
        .header("origin", &app.url)
        .header(
            "user-agent",
            "</script><script>alert(1)</script> Firefox/130 Linux \u{202e}",
        );
    let form = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(browser.send(with_form(request, &form)).await.status, 200);
    let page = browser.open("/account").await;
    assert!(!page.body.contains("alert(1)"));
    assert!(page.body.contains("Firefox on Linux") || page.body.contains("A browser"));
}
