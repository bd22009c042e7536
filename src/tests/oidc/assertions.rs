//! `private_key_jwt`: a client that signs what it shows (RFC 7523), and whoever pretends to be it.

use super::{
    GRANT, ISSUER, Keys, ask, assert_refused, encode, registration, service, service_with,
};
use crate::app::{Answer, TestApp};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use cloakroom::server::{
    clients::{self, NewAuthentication},
    prune,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{net::TcpListener, time::timeout};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What the tests' clock says at first, in Unix seconds.
const NOW: i64 = 1_800_000_000;

async fn client_with(app: &TestApp, keys: &Keys) -> String {
    let jwks = json!({ "keys": [keys.jwk()] }).to_string();
    let said = registration(NewAuthentication::PrivateKeyJwt(jwks));
    clients::add(&app.state, said).await.unwrap().0
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "one", "typ": "JWT" })
}

/// Good for a minute; `jti` tells one from another.
fn claims(id: &str, jti: &str) -> Value {
    json!({ "iss": id, "sub": id, "aud": ISSUER, "jti": jti, "iat": NOW, "exp": NOW + 60 })
}

async fn show(app: &TestApp, assertion: &str) -> Answer {
    let form = [
        GRANT,
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    ask(app, "/oauth2/token", None, &form).await
}

#[tokio::test]
async fn an_assertion_is_good_once_and_for_us_alone() {
    let app = TestApp::new().await;
    let keys = Keys::new();
    let id = client_with(&app, &keys).await;
    let endpoint = format!("{ISSUER}/oauth2/token");
    for (jti, aud) in [
        ("one", json!(ISSUER)),
        ("two", json!(endpoint)),
        ("three", json!([ISSUER])),
    ] {
        let mut claims = claims(&id, jti);
        claims["aud"] = aud;
        let assertion = keys.sign(&header(), &claims);
        let answer = show(&app, &assertion).await;
        assert_eq!(answer.status, 200, "{jti}: {}", answer.body);
        let again = show(&app, &assertion).await;
        assert_refused(&again, 401, "invalid_client", "shown twice");
    }
    // One that says an hour is good for five minutes, and is remembered as long.
    let mut long = claims(&id, "long");
    long["exp"] = json!(NOW + 3_600);
    let long = keys.sign(&header(), &long);
    for status in [200, 401] {
        assert_eq!(show(&app, &long).await.status, status);
    }
    // Two at the same moment: one is taken.
    let assertion = keys.sign(&header(), &claims(&id, "race"));
    let (one, two) = tokio::join!(show(&app, &assertion), show(&app, &assertion));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    // The same jti of another client is another.
    let other = client_with(&app, &keys).await;
    let assertion = keys.sign(&header(), &claims(&other, "one"));
    assert_eq!(show(&app, &assertion).await.status, 200);
    // What nobody would take any more is not remembered for ever.
    app.pass(120);
    let mut late = claims(&id, "late");
    late["exp"] = json!(NOW + 180);
    assert_eq!(show(&app, &keys.sign(&header(), &late)).await.status, 200);
    app.pass(86_400);
    prune::prune(&app.state).await.unwrap();
    assert_eq!(app.count("SELECT COUNT(*) FROM used_assertions").await, 2);
}

/// What is like an assertion of this client's, and is signed by others or by nobody.
fn not_signed_by(keys: &Keys, id: &str) -> [(String, String); 9] {
    let good = keys.sign(&header(), &claims(id, "fresh"));
    let (text, signature) = good.rsplit_once('.').unwrap();
    let unsigned = format!(
        "{}.{}",
        encode(&json!({"alg": "none"})),
        encode(&claims(id, "fresh"))
    );
    let by_public_key = {
        let header = json!({ "alg": "HS256", "kid": "one" });
        let text = format!("{}.{}", encode(&header), encode(&claims(id, "fresh")));
        let key = hmac::Key::new(hmac::HMAC_SHA256, keys.public());
        let tag = hmac::sign(&key, text.as_bytes());
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    };
    [
        (
            "of another's key",
            Keys::new().sign(&header(), &claims(id, "fresh")),
        ),
        ("without a signature", format!("{text}.")),
        (
            "with another's signature",
            format!("{text}.{}", &signature.replace(&signature[..4], "AAAA")),
        ),
        ("none at all", format!("{unsigned}.")),
        ("none at all, two parts", unsigned),
        ("signed with the public key", by_public_key),
        ("of five parts", format!("{good}.a.b")),
        ("very long", format!("{good}{}", "A".repeat(10_000))),
        ("not one", "a.b.c".to_owned()),
    ]
    .map(|(what, assertion)| (what.to_owned(), assertion))
}

#[tokio::test]
async fn an_assertion_that_is_not_to_the_letter_is_refused() {
    let app = TestApp::with(|config| config.limits.client_failures_per_address = 1_000).await;
    let keys = Keys::new();
    let id = client_with(&app, &keys).await;
    let other = client_with(&app, &Keys::new()).await;
    let mut bad: Vec<(String, String)> = Vec::new();
    for (name, value) in [
        ("aud", json!("https://evil.example")),
        ("aud", json!([ISSUER, "https://evil.example"])),
        ("aud", json!([])),
        ("aud", json!(format!("{ISSUER}/"))),
        ("aud", json!(null)),
        ("iss", json!(other)),
        ("sub", json!(other)),
        ("iss", json!(7)),
        ("jti", json!("")),
        ("jti", json!(null)),
        ("jti", json!(["a"])),
        ("exp", json!(NOW)),
        ("exp", json!(NOW - 1)),
        ("exp", json!(-1)),
        ("exp", json!(1e308)),
        ("exp", json!("2000000000")),
        ("exp", json!(null)),
        ("nbf", json!(NOW + 3_600)),
        ("iat", json!(NOW + 3_600)),
        ("iat", json!(NOW - 300)),
        ("iat", json!(i64::MIN)),
        ("iat", json!("now")),
    ] {
        let mut claims = claims(&id, "fresh");
        claims[name] = value.clone();
        bad.push((format!("{name}: {value}"), keys.sign(&header(), &claims)));
    }
    let mut long = claims(&id, "fresh");
    long["exp"] = json!(NOW + 3_600);
    long["iat"] = json!(null);
    bad.push((
        "an hour, made at no time".to_owned(),
        keys.sign(&header(), &long),
    ));
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("RS256")),
        ("alg", json!(null)),
        ("kid", json!("another")),
        ("kid", json!("../../dev/null")),
        ("kid", json!("' OR 1=1 --")),
        ("crit", json!(["b64"])),
        ("crit", json!([])),
    ] {
        let mut header = header();
        header[name] = value.clone();
        let assertion = keys.sign(&header, &claims(&id, "fresh"));
        bad.push((format!("{name}: {value}"), assertion));
    }
    let good = keys.sign(&header(), &claims(&id, "fresh"));
    bad.extend(not_signed_by(&keys, &id));
    for (what, assertion) in &bad {
        let answer = show(&app, assertion).await;
        assert_refused(&answer, 401, "invalid_client", what);
    }
    // A client that signs has no secret, and one with a secret signs nothing.
    let service = service(&app).await;
    let assertion = keys.sign(&header(), &claims(&service.id, "fresh"));
    let answer = show(&app, &assertion).await;
    assert_refused(&answer, 401, "invalid_client", "of one with a secret");
    let form = [GRANT, ("client_id", &*id), ("client_secret", "")];
    let answer = ask(&app, "/oauth2/token", None, &form).await;
    assert_refused(&answer, 401, "invalid_client", "nothing but its id");
    let form = [
        GRANT,
        ("client_assertion_type", "urn:x"),
        ("client_assertion", &*good),
    ];
    let answer = ask(&app, "/oauth2/token", None, &form).await;
    assert_refused(&answer, 400, "invalid_request", "of another type");
    // All of it has used nothing up.
    assert_eq!(show(&app, &good).await.status, 200);
}

#[tokio::test]
async fn a_header_sends_us_nowhere() {
    let app = TestApp::new().await;
    let keys = Keys::new();
    let id = client_with(&app, &keys).await;
    let evil = Keys::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    for name in ["jku", "x5u", "jwk"] {
        let mut header = header();
        header[name] = if name == "jwk" {
            evil.jwk()
        } else {
            json!(url)
        };
        let assertion = evil.sign(&header, &claims(&id, "fresh"));
        let answer = show(&app, &assertion).await;
        assert_refused(&answer, 401, "invalid_client", name);
    }
    // Nobody has called by the time that three refusals are there.
    let called = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(called.is_err());
}

#[tokio::test]
async fn keys_that_would_prove_nothing_are_not_registered() {
    let app = TestApp::new().await;
    let mut private = Keys::new().jwk();
    private["d"] = json!("c2VjcmV0");
    let small =
        json!({ "kty": "RSA", "e": "AQAB", "n": BASE64_URL_SAFE_NO_PAD.encode([255; 128]) });
    for (what, jwks) in [
        ("a private part", json!({ "keys": [private] })),
        (
            "a shared secret",
            json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }),
        ),
        ("a small key", json!({ "keys": [small] })),
        (
            "another curve",
            json!({ "keys": [{ "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" }] }),
        ),
        ("none", json!({ "keys": [] })),
        ("no set", Keys::new().jwk()),
    ] {
        let said = registration(NewAuthentication::PrivateKeyJwt(jwks.to_string()));
        let refused = clients::add(&app.state, said).await.err().unwrap();
        assert!(
            refused.to_string().starts_with("--jwks: expected"),
            "{what}: {refused}"
        );
    }
    // A point that is on no curve verifies nothing, and is no accident for us.
    let jwks = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "one", "x": "AAAA", "y": "AAAA" }] });
    let said = registration(NewAuthentication::PrivateKeyJwt(jwks.to_string()));
    if let Ok((id, _)) = clients::add(&app.state, said).await {
        let assertion = Keys::new().sign(&header(), &claims(&id, "fresh"));
        let answer = show(&app, &assertion).await;
        assert_refused(&answer, 401, "invalid_client", "no point");
    }
    service_with(&app, |_| {}).await;
}
