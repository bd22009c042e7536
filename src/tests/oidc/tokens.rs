//! Access tokens: what they say, who may ask about them, and how they end.

use super::{
    AUDIENCE, GRANT, ISSUER, Keys, ask, assert_refused, encode, is_active, jwks, part,
    registration, service, service_with, token,
};
use crate::app::{EMAIL, TestApp};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use cloakroom::server::{
    clients::{self, GrantType, NewAuthentication},
    oidc::scopes::Scopes,
    prune,
    signing_keys::Algorithm,
};
use jsonwebtoken::{DecodingKey, Validation, decode, jwk::Jwk};
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_says_what_the_standard_asks_for_and_verifies_with_the_published_keys() {
    let app = TestApp::new().await;
    for algorithm in Algorithm::ALL {
        let service = service_with(&app, |said| said.algorithm = Some(algorithm)).await;
        let token = token(&app, &service).await;
        let header = part(&token, 0);
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(header["alg"], algorithm.name());
        assert_eq!(header.as_object().unwrap().len(), 3);
        let claims = part(&token, 1);
        let mut named: Vec<&str> = claims
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        named.sort_unstable();
        assert_eq!(
            named,
            [
                "aud",
                "client_id",
                "exp",
                "iat",
                "iss",
                "jti",
                "scope",
                "sub"
            ]
        );
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["aud"], AUDIENCE);
        assert_eq!(claims["client_id"], *service.id);
        assert_eq!(claims["sub"], *service.id);
        assert_eq!(claims["scope"], "orders:read orders:write");
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            300
        );
        let keys = jwks(&app).await;
        let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
        let jwk: Jwk = serde_json::from_value(key.clone()).unwrap();
        let mut validation =
            Validation::new(serde_json::from_value(header["alg"].clone()).unwrap());
        validation.set_audience(&[AUDIENCE]);
        let verified = decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation);
        assert_eq!(verified.unwrap().claims, claims);
    }
    let service = service(&app).await;
    let (one, two) = (token(&app, &service).await, token(&app, &service).await);
    assert_ne!(part(&one, 1)["jti"], part(&two, 1)["jti"]);
}

#[tokio::test]
async fn a_client_gets_what_it_may_have_and_no_more() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let basic = service.basic();
    for (scope, granted) in [
        ("orders:read", Some("orders:read")),
        ("orders:write orders:read", Some("orders:write orders:read")),
        ("orders:read orders:read", Some("orders:read")),
        ("", Some("orders:read orders:write")),
        ("orders:delete", None),
        ("orders:read orders:delete", None),
        // What is about a person is nobody's without one.
        ("openid", None),
        ("offline_access", None),
        ("orders:read\u{e9}", None),
        ("orders:read\"", None),
    ] {
        let answer = ask(
            &app,
            "/oauth2/token",
            Some(&basic),
            &[GRANT, ("scope", scope)],
        )
        .await;
        match granted {
            Some(granted) => assert_eq!(answer.json()["scope"], granted, "{scope}"),
            None => assert_refused(&answer, 400, "invalid_scope", scope),
        }
    }
    for (grant_type, code) in [
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("CLIENT_CREDENTIALS", "unsupported_grant_type"),
        (
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "unsupported_grant_type",
        ),
        ("authorization_code", "unauthorized_client"),
        ("refresh_token", "unauthorized_client"),
    ] {
        let form = [
            ("grant_type", grant_type),
            ("username", EMAIL),
            ("code", "x"),
        ];
        let answer = ask(&app, "/oauth2/token", Some(&basic), &form).await;
        assert_refused(&answer, 400, code, grant_type);
    }
}

#[tokio::test]
async fn whoever_does_not_show_who_they_are_is_told_nothing_and_changes_nothing() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let token = token(&app, &service).await;
    let mut public = registration(NewAuthentication::None);
    public.grant_types = Some(vec![GrantType::AuthorizationCode]);
    public.redirect_uris = Some(vec!["https://app.example/signed-in".to_owned()]);
    let (public, _) = clients::add(&app.state, public).await.unwrap();
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        let form = [("token", &*token)];
        let answer = ask(&app, path, None, &form).await;
        assert_refused(&answer, 401, "invalid_client", path);
        let bearer = format!("Bearer {token}");
        let answer = ask(&app, path, Some(&bearer), &form).await;
        assert_refused(&answer, 401, "invalid_client", path);
        let answer = ask(&app, path, Some(&service.basic()), &[]).await;
        assert_refused(&answer, 400, "invalid_request", path);
    }
    // One that can keep no secret may give its own tokens back, and asks about none.
    let form = [("token", &*token), ("client_id", &*public)];
    let answer = ask(&app, "/oauth2/introspect", None, &form).await;
    assert_refused(&answer, 401, "invalid_client", "a public client");
    assert_eq!(ask(&app, "/oauth2/revoke", None, &form).await.status, 200);
    assert!(is_active(&app, &service, &token).await);
}

#[tokio::test]
async fn a_token_is_told_about_to_whom_it_was_given_and_whom_it_is_for() {
    let app = TestApp::new().await;
    let one = service(&app).await;
    let same_audience = service(&app).await;
    let other = service_with(&app, |said| {
        said.audience = Some("https://other.example".into());
    })
    .await;
    let none = service_with(&app, |said| said.audience = None).await;
    let token = token(&app, &one).await;
    for (service, is_told) in [
        (&one, true),
        (&same_audience, true),
        (&other, false),
        (&none, false),
    ] {
        assert_eq!(is_active(&app, service, &token).await, is_told);
    }
    let form = [("token", &*token), ("token_type_hint", "refresh_token")];
    let answer = ask(&app, "/oauth2/introspect", Some(&one.basic()), &form).await;
    let said = answer.json();
    assert_eq!(answer.header("cache-control"), "no-store, no-transform");
    assert_eq!(said["client_id"], *one.id);
    assert_eq!(said["sub"], *one.id);
    assert_eq!(said["scope"], "orders:read orders:write");
    assert_eq!(said["aud"], json!([AUDIENCE]));
    assert_eq!(said["jti"], part(&token, 1)["jti"]);
    // To nobody else a word but that.
    let answer = ask(&app, "/oauth2/introspect", Some(&other.basic()), &form).await;
    assert_eq!(answer.json(), json!({ "active": false }));
}

#[tokio::test]
async fn a_token_ends_by_itself_by_revocation_and_with_its_client() {
    let app = TestApp::new().await;
    let (one, other) = (service(&app).await, service(&app).await);
    let (kept, given_back) = (token(&app, &one).await, token(&app, &one).await);
    let form = [("token", &*given_back)];
    // Another's it cannot take away.
    let answer = ask(&app, "/oauth2/revoke", Some(&other.basic()), &form).await;
    assert_eq!(answer.status, 200);
    assert!(is_active(&app, &one, &given_back).await);
    for _ in 0..2 {
        let answer = ask(&app, "/oauth2/revoke", Some(&one.basic()), &form).await;
        assert_eq!((answer.status, &*answer.body), (200, ""));
        assert!(!is_active(&app, &one, &given_back).await);
    }
    assert!(is_active(&app, &one, &kept).await);
    for nothing in ["x", "a.b.c", &"y".repeat(5_000)] {
        let form = [("token", nothing)];
        let answer = ask(&app, "/oauth2/revoke", Some(&one.basic()), &form).await;
        assert_eq!(answer.status, 200, "{nothing}");
    }
    // With its client, and back with it: five minutes are not worth a list.
    clients::set_disabled(&app.state, &one.id, true)
        .await
        .unwrap();
    assert!(!is_active(&app, &other, &kept).await);
    clients::set_disabled(&app.state, &one.id, false)
        .await
        .unwrap();
    app.pass(299);
    assert!(is_active(&app, &one, &kept).await);
    app.pass(1);
    assert!(!is_active(&app, &one, &kept).await);
    // A note of what is over is not kept.
    let last = token(&app, &one).await;
    ask(
        &app,
        "/oauth2/revoke",
        Some(&one.basic()),
        &[("token", &last)],
    )
    .await;
    app.pass(30 * 86_400);
    prune::prune(&app.state).await.unwrap();
    assert_eq!(app.count("SELECT COUNT(*) FROM revoked_tokens").await, 1);
}

#[tokio::test]
async fn forged_tokens_are_good_nowhere() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let good = token(&app, &service).await;
    let (header, claims) = (part(&good, 0), part(&good, 1));
    let (text, signature) = good.rsplit_once('.').unwrap();
    let evil = Keys::new();
    let mut forged = vec![
        ("another's key".to_owned(), evil.sign(&header, &claims)),
        ("no signature".to_owned(), format!("{text}.")),
        ("two parts".to_owned(), text.to_owned()),
        (
            "a signature of zeros".to_owned(),
            format!("{text}.{}", "A".repeat(86)),
        ),
        ("padding".to_owned(), format!("{good}=")),
        ("four parts".to_owned(), format!("{good}.{signature}")),
        ("very long".to_owned(), "A".repeat(1 << 14)),
    ];
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("NONE")),
        ("alg", json!("EdDSA")),
        ("kid", json!("unknown")),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("x".repeat(3_000))),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("crit", json!(["b64"])),
        ("typ", json!("JWT")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("application/at+jwt")),
    ] {
        let mut header = header.clone();
        header[name] = value.clone();
        let (head, body) = (encode(&header), encode(&claims));
        // With the right signature of another text, with one of another's, and with none.
        forged.push((
            format!("{name}: {value}"),
            format!("{head}.{body}.{signature}"),
        ));
        forged.push((
            format!("{name}: {value}, signed"),
            evil.sign(&header, &claims),
        ));
        forged.push((
            format!("{name}: {value}, unsigned"),
            format!("{head}.{body}."),
        ));
    }
    for (name, value) in [
        ("exp", json!(9_999_999_999_i64)),
        ("scope", json!("admin")),
        ("aud", json!(ISSUER)),
        ("sub", json!("somebody")),
    ] {
        let mut claims = claims.clone();
        claims[name] = value;
        let head = good.split('.').next().unwrap();
        forged.push((
            name.to_owned(),
            format!("{head}.{}.{signature}", encode(&claims)),
        ));
    }
    // Signed with the published key, taken for a shared secret.
    let published = &jwks(&app).await[0];
    let x = published["x"].as_str().unwrap();
    for secret in [x.as_bytes(), published.to_string().as_bytes()] {
        let header = json!({ "alg": "HS256", "kid": header["kid"], "typ": "at+jwt" });
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
        let token = format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag));
        forged.push(("the public key".to_owned(), token));
    }
    // Tokens of ours of another kind.
    let session = app.signed_up(EMAIL).await.session().unwrap();
    forged.push(("a session".to_owned(), session));
    for (what, token) in forged {
        assert!(!is_active(&app, &service, &token).await, "{what}");
    }
    assert!(is_active(&app, &service, &good).await);
}

#[test]
fn scopes_are_read_to_the_letter() {
    let read = |text: &str| Scopes::parse(text).map(|scopes| scopes.to_string());
    assert_eq!(read("  a  b a ").as_deref(), Some("a b"));
    assert_eq!(read("").as_deref(), Some(""));
    for bad in ["a\tb", "a\nb", "a\\b", "a\"b", "é", "a\u{7f}"] {
        assert_eq!(read(bad), None, "{bad:?}");
    }
}
