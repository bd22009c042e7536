//! Hostile inputs (rows of the security checklist), and the headers that every answer has.

use crate::app::{Answer, EMAIL, PASSWORD, TestApp, encoded, with_form};
use reqwest::Method;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
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
    // The second policy holds as well: no script comes from elsewhere, whoever imports it.
    let policies: Vec<_> = answer
        .headers
        .get_all("content-security-policy")
        .iter()
        .collect();
    let own = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'";
    assert_eq!(policies[1..], [own], "{what}");
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
        assert_eq!(
            answer.header("cache-control"),
            "no-store, no-transform",
            "{path}"
        );
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
    let is_script = |tag: &&str| {
        tag.starts_with("script") || (tag.starts_with("link") && tag.contains("session-dialog.js"))
    };
    let tags = page.body.split('<').map(|it| it.split('>').next().unwrap());
    let scripts = tags.filter(is_script).count();
    assert!(scripts >= 4);
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
    // Names that only the framework's decoder would understand, and far too many.
    for name in [
        "[email]",
        "email[]",
        "a[b][c][d][e][f][g]",
        "Email",
        "email\0",
    ] {
        let form = [(name, EMAIL), ("password", PASSWORD)];
        let answer = browser.send(with_form(post("/api/sign_in"), &form)).await;
        assert_eq!(answer.status, 400, "{name:?}");
    }
    let many = vec![("x", ""); 10_000];
    let answer = browser.send(with_form(post("/api/sign_in"), &many)).await;
    assert_eq!(answer.status, 400);
    for path in ["/api/nothing", "/api/"] {
        let answer = browser.send(with_form(post(path), &[])).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (404, Some("not_found")),
            "{path}"
        );
    }
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
        ("GET /./account", "400"),
        ("GET /%2e/account", "400"),
        ("GET /x/%2E%2e/account", "400"),
        ("GET /\\evil.example/x?__err=x", "400"),
        ("TRACE /", "405"),
        ("CONNECT example.com:443", "405"),
        ("OPTIONS *", "405"),
        ("GET /Leptos.toml", "404"),
        ("GET /hash.txt", "404"),
        ("GET /account;.js", "404"),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = app.raw(request).await;
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
    let answer = app.raw("GET / HTTP/1.1\r\nHost: x\r\nX-Slow").await;
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
            "</script><script>alert(1)</script> Firefox/130 Linux",
        );
    let form = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(browser.send(with_form(request, &form)).await.status, 200);
    let page = browser.open("/account").await;
    assert!(!page.body.contains("alert(1)"));
    assert!(page.body.contains("Firefox on Linux"));
}

#[tokio::test]
async fn a_slow_or_endless_body_is_refused_and_others_are_served() {
    let app = TestApp::with(|config| config.server.body_timeout_s = 1).await;
    let head = |framing: &str| {
        format!(
            "POST /api/sign_in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: http://x\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n{framing}\r\n\r\n"
        )
    };
    let slow = app.raw(head("Content-Length: 1000") + "email=a");
    let (slow, live) = tokio::join!(slow, async { app.browser().open("/health/live").await });
    assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
    assert_eq!(live.status, 200);

    // A body that does not say how long it is, and is too long.
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let endless = head("Transfer-Encoding: chunked") + &chunk.repeat(8);
    let answer = app.raw(endless).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    // One that breaks off, and two that contradict themselves.
    for (framing, body) in [
        ("Transfer-Encoding: chunked", "zz\r\nnonsense\r\n"),
        ("Content-Length: 5\r\nContent-Length: 6", "email=a"),
        ("Content-Length: -1", "email=a"),
    ] {
        let answer = app.raw(head(framing) + body).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{framing}: {answer}");
    }
    assert_eq!(app.browser().open("/").await.status, 200);
}

#[tokio::test]
async fn a_panic_is_an_error_like_any_other_and_the_next_request_is_fine() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let form = [
        ("email", EMAIL),
        ("password", "another lamp over six stairs"),
    ];
    for answers in 0..3 {
        app.panic_after(answers);
        let answer = browser.call("sign_in", &form).await;
        assert!([401, 500].contains(&answer.status), "{answer:?}");
        if answers == 0 {
            assert_eq!(answer.status, 500);
            assert_eq!(answer.json()["code"], "unexpected");
            assert_headers("a panic", &answer);
            assert!(!answer.body.contains("a fault for a test"));
        }
        app.panic_after(-1);
        assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    }
    // While a password is hashed, for which the server asks once more after the nonce.
    app.panic_after_random(1);
    let answer = app.browser().sign_up("other@example.com", PASSWORD).await;
    assert_eq!(answer.status, 500);
    app.panic_after_random(-1);
    let answer = app.browser().sign_up("other@example.com", PASSWORD).await;
    assert_eq!(answer.status, 200);
    // While a page is rendered: the layer has had its answer, the page's resource has not.
    app.panic_after(1);
    let page = browser.open("/account").await;
    assert_eq!(page.status, 500, "{}", page.body);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.body.contains("Something went wrong on our side."));
    app.panic_after(-1);
    assert_eq!(browser.open("/account").await.status, 200);
}

#[tokio::test]
async fn what_breaks_inside_is_told_by_a_number_only() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.tamper("ALTER TABLE sessions RENAME TO gone").await;
    let asked = browser.request(Method::GET, "/api/viewer");
    let answer = browser.send(asked).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (500, Some("unexpected"))
    );
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert!(!id.is_empty());
    let page = browser.open("/account").await;
    assert_eq!(page.status, 500);
    assert!(page.body.contains("Reference: "));
    for inner in ["sessions", "SELECT", "sqlx", "database", "src/"] {
        assert!(!answer.body.contains(inner), "{inner}");
        assert!(!page.body.contains(inner), "{inner}");
    }
}

#[tokio::test]
async fn whoever_hangs_up_has_an_account_or_none_but_never_half_of_one() {
    let app = TestApp::new().await;
    for try_ in 0..20_u64 {
        let email = format!("hangs-up-{try_}@example.com");
        let body = encoded(&[("email", &email), ("password", PASSWORD)]);
        let mut socket = app.connect().await;
        let request = format!(
            "POST /api/sign_up HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        // Any moment will do, and each is another one.
        let _ = timeout(Duration::from_micros(try_ * 700), socket.read_u8()).await;
        drop(socket);
        if app.browser().sign_in(&email, PASSWORD).await.status == 401 {
            // Not done, or not done yet: either way there is one account in the end.
            let again = app.browser().sign_up(&email, PASSWORD).await.status;
            assert!([200, 422].contains(&again), "{again}");
        }
        assert_eq!(app.browser().sign_in(&email, PASSWORD).await.status, 200);
    }
    let without_session =
        "SELECT COUNT(*) FROM users WHERE id NOT IN (SELECT user_id FROM sessions)";
    assert_eq!(app.count(without_session).await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 20);
}

#[tokio::test]
async fn private_pages_are_not_cached_under_other_names() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for path in [
        "/account/x.css",
        "/account;.js",
        "/account.css",
        "/account%3b.css",
        "/%61ccount",
        "/Account",
    ] {
        let answer = browser.open(path).await;
        assert!(!answer.header("cache-control").contains("public"), "{path}");
        if answer.status == 200 {
            assert_eq!(
                answer.header("cache-control"),
                "no-store, no-transform",
                "{path}"
            );
        } else {
            assert_eq!(answer.status, 404, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_arrive_while_another_server_of_the_process_starts() {
    let app = TestApp::new().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let starting = std::thread::spawn({
        let (state, is_over) = (app.state.clone(), Arc::clone(&is_over));
        move || {
            while !is_over.load(Ordering::Relaxed) {
                drop(cloakroom::server::router::router(state.clone()));
            }
        }
    });
    for _ in 0..50 {
        let page = timeout(Duration::from_secs(10), app.browser().open("/")).await;
        assert_eq!(page.map(|page| page.status), Ok(200), "the page never came");
    }
    is_over.store(true, Ordering::Relaxed);
    starting.join().unwrap();
}
