//! What clients read before they ask.

use super::{ISSUER, ask, jwks, service_with};
use crate::app::{EMAIL, TestApp};
use cloakroom::server::{config::Config, settings::Settings, signing_keys::Algorithm};
use reqwest::Method;

#[tokio::test]
async fn the_metadata_is_of_the_configuration_whatever_the_host_says() {
    let app = TestApp::new().await;
    let path = "/.well-known/openid-configuration";
    let usual = app.browser().open(path).await;
    assert_eq!(usual.status, 200);
    let metadata = usual.json();
    assert_eq!(metadata["issuer"], ISSUER);
    for forged in [
        "Host: evil.example\r\n",
        "Host: localhost\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n",
        "Host: localhost\r\nForwarded: host=evil.example\r\n",
    ] {
        for path in [path, "/.well-known/oauth-authorization-server"] {
            let request = format!("GET {path} HTTP/1.1\r\n{forged}Connection: close\r\n\r\n");
            let answer = app.raw(request).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(!answer.contains("evil"), "{answer}");
            assert!(answer.ends_with(&usual.body), "{answer}");
        }
    }
    for (name, endpoint) in metadata.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let endpoint = endpoint.as_str().unwrap();
            assert!(endpoint.starts_with(&format!("{ISSUER}/oauth2/")), "{name}");
        }
    }
    // What is not said counts as said by the standards: that requests by reference are taken
    // (OpenID Connect Discovery, 3). And what signs assertions has to be said of each endpoint
    // that takes them (RFC 8414, 2).
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    for endpoint in ["token", "introspection", "revocation"] {
        let by = &metadata[format!("{endpoint}_endpoint_auth_methods_supported")];
        assert!(by.to_string().contains("private_key_jwt"), "{endpoint}");
        let signing = &metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
        assert!(signing.to_string().contains("ES256"), "{endpoint}");
    }
    // No implicit, no password, no plain challenge (security.md OA-2, OA-8).
    assert_eq!(
        metadata["response_types_supported"].to_string(),
        r#"["code"]"#
    );
    assert_eq!(
        metadata["code_challenge_methods_supported"].to_string(),
        r#"["S256"]"#
    );
    assert!(
        !metadata["grant_types_supported"]
            .to_string()
            .contains("password")
    );
}

#[tokio::test]
async fn the_published_keys_have_no_private_part() {
    let app = TestApp::new().await;
    let before = jwks(&app).await;
    assert_eq!(before.len(), 1, "one was made at the first start");
    for algorithm in Algorithm::ALL {
        service_with(&app, |said| said.algorithm = Some(algorithm)).await;
    }
    let keys = jwks(&app).await;
    let mut algorithms: Vec<&str> = keys
        .iter()
        .map(|key| key["alg"].as_str().unwrap())
        .collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "EdDSA", "RS256"]);
    assert!(keys.contains(&before[0]));
    for key in &keys {
        let members = key.as_object().unwrap();
        let public = match key["kty"].as_str().unwrap() {
            "EC" => ["alg", "crv", "kid", "kty", "use", "x", "y"].as_slice(),
            "OKP" => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "e", "kid", "kty", "n", "use"],
        };
        let mut named: Vec<&str> = members.keys().map(String::as_str).collect();
        named.sort_unstable();
        assert_eq!(named, public);
        assert_eq!(key["use"], "sig");
        if key["kty"] == "RSA" {
            assert_eq!(key["n"].as_str().unwrap().len(), 342, "2048 bits");
        }
    }
}

#[tokio::test]
async fn pages_of_other_sites_may_read_what_is_public_and_never_with_a_cookie() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let from_elsewhere = |method: Method, path: &str| {
        browser
            .request(method, path)
            .header("origin", "https://app.example")
            .header("sec-fetch-site", "cross-site")
    };
    for path in ["/.well-known/openid-configuration", "/oauth2/jwks"] {
        let answer = browser.send(from_elsewhere(Method::GET, path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        assert!(answer.set_cookies().is_empty());
    }
    let asked = from_elsewhere(Method::POST, "/oauth2/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    let answer = browser.send(asked).await;
    assert_eq!(answer.status, 401, "the cookie counts for nothing");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let preflight = from_elsewhere(Method::OPTIONS, "/oauth2/token")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    let answer = browser.send(preflight).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert!(
        answer
            .header("access-control-allow-headers")
            .contains("authorization")
    );
    // Elsewhere nothing is said to other sites.
    for path in ["/oauth2/introspect", "/api/viewer", "/"] {
        let preflight =
            from_elsewhere(Method::OPTIONS, path).header("access-control-request-method", "POST");
        let answer = browser.send(preflight).await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_that_all_have() {
    let app = TestApp::new().await;
    let refused = ask(&app, "/oauth2/token", None, &[]).await;
    let found = app.browser().open("/oauth2/jwks").await;
    for answer in [refused, found] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let wrong = app.browser().open("/oauth2/token").await;
    assert_eq!(wrong.status, 405);
}

#[test]
fn an_issuer_that_nobody_could_trust_keeps_the_server_from_starting() {
    for (issuer, is_good) in [
        ("https://shop.example", true),
        ("https://shop.example:8443", true),
        ("http://localhost:3000", true),
        ("http://127.0.0.1:3000", true),
        ("http://[::1]:3000", true),
        ("http://shop.example", false),
        ("https://shop.example/", false),
        ("https://shop.example/here", false),
        ("https://shop.example?a=b", false),
        ("https://shop.example#a", false),
        ("https://me@shop.example", false),
        ("https://Shop.example", false),
        ("http://localhost.evil.example", false),
        ("https://", false),
        ("https://:443", false),
        ("shop.example", false),
        ("ftp://shop.example", false),
        ("https://shop.example ", false),
        ("", false),
    ] {
        let mut config = Config::default();
        issuer.clone_into(&mut config.oidc.issuer);
        let broken = config.broken_rule();
        assert_eq!(broken.is_none(), is_good, "{issuer}");
        if let Some((key, expected)) = broken {
            assert_eq!(key, "oidc.issuer");
            assert!(expected.contains("https"), "{expected}");
        }
    }
    let shipped = Settings::load(None).unwrap();
    assert_eq!(shipped.config.oidc.issuer, ISSUER);
}
