//! CORS preflights of an app: off, unless its host is set.

use super::{APP, check};
use crate::{
    app::{Answer, Browser, EMAIL, TestApp},
    place::Place,
};
use reqwest::Method;

const PREFLIGHT: [(&str, &str); 3] = [
    ("origin", "https://page.example"),
    ("access-control-request-method", "PUT"),
    ("x-forwarded-method", "OPTIONS"),
];

async fn serving(preflight_hosts: &[&str]) -> TestApp {
    let hosts = preflight_hosts.iter().map(|host| (*host).to_owned());
    TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec!["example.com:8443".into(), "b.example".into()];
        config.forward_auth.preflight_hosts = hosts.collect();
        "https://example.com".clone_into(&mut config.oidc.issuer);
    })
    .await
}

async fn asked(browser: &Browser, url: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("x-original-url", url)], headers].concat();
    check(browser, "", &headers).await
}

#[tokio::test]
async fn a_preflight_needs_a_session_unless_its_host_is_set() {
    let app = serving(&[]).await;
    let browser = app.browser();
    assert_eq!(asked(&browser, APP, &PREFLIGHT).await.status, 401);
    let app = serving(&["EXAMPLE.com:8443"]).await;
    let browser = app.browser();
    assert_eq!(asked(&browser, APP, &PREFLIGHT).await.status, 200);
    let other = "https://b.example/wiki";
    assert_eq!(asked(&browser, other, &PREFLIGHT).await.status, 401);
    let evil = "https://evil.example/wiki";
    assert_eq!(asked(&browser, evil, &PREFLIGHT).await.status, 403);
}

#[tokio::test]
async fn a_preflight_says_nothing_about_a_user() {
    let app = serving(&["example.com:8443"]).await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(300);
    let answer = asked(&browser, APP, &PREFLIGHT).await;
    assert_eq!(answer.status, 200);
    for name in ["remote-user", "remote-email", "remote-session"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
    assert_eq!(answer.header("x-preflight"), "allowed");
    assert!(answer.set_cookies().is_empty());
    // The session was due to be renewed, and still is.
    assert_eq!(asked(&browser, APP, &[]).await.set_cookies().len(), 1);
}

#[tokio::test]
async fn only_a_preflight_passes_without_a_session() {
    let app = serving(&["example.com:8443"]).await;
    let browser = app.browser();
    for headers in [
        &PREFLIGHT[..2],
        &PREFLIGHT[1..],
        &[PREFLIGHT[0], PREFLIGHT[2]],
        &[PREFLIGHT[0], PREFLIGHT[1], ("x-forwarded-method", "PUT")],
        // A proxy could hand on what else is offered.
        &[PREFLIGHT[0], PREFLIGHT[1], PREFLIGHT[2], ("upgrade", "h2c")],
        &[
            PREFLIGHT[0],
            PREFLIGHT[1],
            ("x-forwarded-method", "options"),
        ],
        &[
            PREFLIGHT[0],
            PREFLIGHT[1],
            PREFLIGHT[2],
            ("x-forwarded-method", "PUT"),
        ],
    ] {
        assert_eq!(
            asked(&browser, APP, headers).await.status,
            401,
            "{headers:?}"
        );
    }
    // By a proxy that asks with the original's method, a header cannot make it another.
    for (method, path, forwarded, status) in [
        (Method::OPTIONS, "/auth/check/wiki", None, 200),
        (Method::OPTIONS, "/auth/check", None, 200),
        (Method::POST, "/auth/check", Some("OPTIONS"), 401),
        (Method::GET, "/auth/check/wiki", Some("OPTIONS"), 401),
        (Method::POST, "/auth/check/wiki", Some("OPTIONS"), 401),
    ] {
        let mut request = browser
            .request(method.clone(), path)
            .header("host", "example.com:8443")
            .header("x-original-url", APP)
            .header("x-forwarded-proto", "https");
        for (name, value) in &PREFLIGHT[..2] {
            request = request.header(*name, *value);
        }
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-method", forwarded);
        }
        let answer = browser.send(request).await;
        assert_eq!(answer.status, status, "{method} {path} {forwarded:?}");
    }
}

#[test]
fn a_preflight_host_must_be_an_allowed_one() {
    let place = Place::new()
        .with("CLOAKROOM_FORWARD_AUTH_ALLOWED_HOSTS", "[\"a.example\"]")
        .with("CLOAKROOM_FORWARD_AUTH_PREFLIGHT_HOSTS", "[\"b.example\"]");
    let complaint = place.complaint(&["config"], "");
    assert!(
        complaint.contains("CLOAKROOM_FORWARD_AUTH_PREFLIGHT_HOSTS"),
        "{complaint}"
    );
    assert!(
        complaint.contains("forward_auth.allowed_hosts"),
        "{complaint}"
    );
}
