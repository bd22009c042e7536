//! What a program in a browser's page, on a site of its own, can ask and read.

use super::service;
use crate::app::{Answer, TestApp, with_form};
use reqwest::Method;

const ORIGIN: &str = "https://app.example";

async fn preflight(app: &TestApp, path: &str, method: &str, wanted: &str) -> Answer {
    let browser = app.browser();
    let request = browser
        .request(Method::OPTIONS, path)
        .header("origin", ORIGIN)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", wanted);
    browser.send(request).await
}

#[tokio::test]
async fn a_page_may_add_headers_of_its_own() {
    let app = TestApp::new().await;
    let wanted = "authorization,content-type,dpop,traceparent,x-requested-with";
    for (path, method) in [
        ("/oauth2/token", "POST"),
        ("/oauth2/revoke", "POST"),
        ("/oauth2/userinfo", "GET"),
        ("/oauth2/jwks", "GET"),
        ("/.well-known/openid-configuration", "GET"),
        ("/.well-known/oauth-authorization-server", "GET"),
    ] {
        let answer = preflight(&app, path, method, wanted).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            wanted,
            "{path}"
        );
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            "",
            "{path}"
        );
    }
    for path in [
        "/oauth2/introspect",
        "/oauth2/authorize",
        "/oauth2/logout",
        "/",
    ] {
        let answer = preflight(&app, path, "POST", wanted).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn a_page_reads_why_it_was_refused() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let browser = app.browser();
    let form = [
        ("client_id", &*service.id),
        ("client_secret", "cs_wrong"),
        ("token", "x"),
        ("grant_type", "client_credentials"),
    ];
    for (path, method) in [
        ("/oauth2/token", Method::POST),
        ("/oauth2/revoke", Method::POST),
        ("/oauth2/userinfo", Method::GET),
        // What a layer refuses is read as well.
        ("/oauth2/token", Method::GET),
    ] {
        let request = browser
            .request(method.clone(), path)
            .header("origin", ORIGIN);
        let request = if method == Method::POST {
            with_form(request, &form)
        } else {
            request
        };
        let answer = browser.send(request).await;
        let what = format!("{method} {path}: {}", answer.status);
        assert!((400..500).contains(&answer.status), "{what}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{what}");
        let exposed = answer.header("access-control-expose-headers");
        assert!(exposed.contains("www-authenticate"), "{what}: {exposed}");
        assert_eq!(
            answer.header("www-authenticate").is_empty(),
            answer.status != 401,
            "{what}"
        );
    }
}
