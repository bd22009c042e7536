//! The check as Envoy asks: with the method and the path of the original request.

use super::{by_hand, serving, way_back};
use crate::app::{Answer, Browser, COOKIE, EMAIL, TestApp};
use reqwest::Method;

const HOST: &str = "example.com:8443";

async fn ask(browser: &Browser, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = browser
        .request(method, &format!("/auth/check{path}"))
        .header("host", HOST)
        .header("x-forwarded-proto", "https");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request).await
}

#[tokio::test]
async fn any_method_and_path_of_another_app_is_checked() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT",
    ] {
        for path in [
            "/",
            "/wiki/page?x=1",
            "//a",
            "/a//b",
            "/a%2Fb%5C",
            "/%00",
            "/%zz",
            "/api/sign_out",
            "/x?redirect=perhaps&redirect=false",
        ] {
            // The layers that judge requests for Cloakroom's own pages do not judge the app's.
            let headers = [
                ("origin", "https://elsewhere.example"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "cors"),
            ];
            for headers in [&headers[..], &[]] {
                let answer = ask(&browser, method, path, headers).await;
                assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
                assert_eq!(answer.header("remote-email"), EMAIL, "{method} {path}");
            }
        }
    }
    let at = app.url.strip_prefix("http://").unwrap().parse().unwrap();
    let cookie = format!("cookie: {COOKIE}={}", browser.session().unwrap());
    for path in ["/../../account", "/./a\\b", "/caf\u{e9}?q=`"] {
        let head = format!(
            "BREW /auth/check{path} HTTP/1.1\r\nhost: {HOST}\r\nx-forwarded-proto: https\r\n\
             {cookie}\r\n"
        );
        let answer = by_hand(at, head).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.header("remote-email"), EMAIL, "{path}");
    }
    let long = format!("/?{}", "a".repeat(10_000));
    assert_eq!(ask(&browser, "GET", &long, &[]).await.status, 200);
    assert!(browser.viewer().await.is_some());
}

#[tokio::test]
async fn an_upgrade_of_the_app_is_checked() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    for kind in ["websocket", "h2c"] {
        let headers = [
            ("connection", "upgrade"),
            ("upgrade", kind),
            ("origin", "https://elsewhere.example"),
            ("x-original-url", "https://example.com:8443/live"),
        ];
        for path in ["", "/live"] {
            let answer = ask(&browser, "GET", path, &headers).await;
            assert_eq!(answer.status, 200, "{kind} {path}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn an_anonymous_browser_is_redirected_and_a_script_is_not() {
    let app = serving().await;
    let browser = app.browser();
    let navigates = [("sec-fetch-mode", "navigate"), ("accept", "text/html")];
    for method in ["GET", "POST"] {
        let answer = ask(&browser, method, "/wiki?x=1&redirect=no", &navigates).await;
        assert_eq!(answer.status, 303);
        let back = way_back(answer.header("location"));
        assert_eq!(back, "https://example.com:8443/wiki?x=1&redirect=no");
    }
    let answer = ask(&browser, "GET", "/", &navigates).await;
    assert_eq!(
        way_back(answer.header("location")),
        "https://example.com:8443/"
    );
    for headers in [
        &[("sec-fetch-mode", "cors"), ("accept", "text/html")][..],
        &[],
    ] {
        let answer = ask(&browser, "PUT", "/data", headers).await;
        assert_eq!((answer.status, answer.header("location")), (401, ""));
        let back = way_back(answer.header("x-sign-in"));
        assert_eq!(back, "https://example.com:8443/data");
    }
}

#[tokio::test]
async fn the_host_is_the_originals() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    let request = |host: &str, proto: &str| {
        let request = browser.request(Method::GET, "/auth/check/wiki");
        let request = request.header("host", host);
        match proto {
            "" => request,
            proto => request.header("x-forwarded-proto", proto),
        }
    };
    for (request, status) in [
        (request(HOST, "https"), 200),
        (request("EXAMPLE.com:8443", "https"), 200),
        (request("evil.example", "https"), 403),
        (request("example.com", "https"), 403),
        (request(HOST, "http"), 403),
        (request(HOST, ""), 403),
        // A header that a visitor adds does not stand in for it.
        (
            request("evil.example", "https").header("x-forwarded-host", HOST),
            403,
        ),
        (
            request(HOST, "https").header("x-forwarded-host", "evil.example"),
            403,
        ),
        (
            request("evil.example", "https").header("x-original-url", "https://example.com:8443/"),
            403,
        ),
    ] {
        let answer = browser.send(request).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("remote-user").is_empty(), status != 200);
    }
}

#[tokio::test]
async fn without_allowed_hosts_the_check_is_off() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    assert_eq!(ask(&browser, "GET", "/wiki", &[]).await.status, 404);
    assert_eq!(ask(&browser, "PUT", "/wiki", &[]).await.status, 404);
}
