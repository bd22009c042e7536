//! The cookie's value: what it says, and that nobody else can make one.

use super::{
    app::{COOKIE, EMAIL, TestApp},
    sessions::replayed,
};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use cloakroom::server::secret::Secret;
use serde_json::{Value, json};

/// The deployment's secret in these tests.
const SECRET: &str = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4";

async fn app_with_known_secret() -> TestApp {
    TestApp::with(|config| SECRET.clone_into(&mut config.secret.key)).await
}

/// The key that signs sessions, or one of the deployment's other keys.
fn key_for(purpose: &'static str) -> [u8; 32] {
    Secret::parse(SECRET).unwrap().derive(purpose).unwrap()[0].bytes
}

#[tokio::test]
async fn the_cookie_says_ids_and_times_only() {
    let app = TestApp::new().await;
    let cookie = app.signed_up(EMAIL).await.session().unwrap();
    let parts: Vec<Value> = cookie.split('.').take(2).map(read).collect();
    let keys = |part: &Value| {
        let mut keys: Vec<String> = part.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&parts[0]), ["alg", "kid", "typ"]);
    assert_eq!(parts[0]["typ"], "session+jwt");
    assert_eq!(keys(&parts[1]), ["exp", "gen", "iat", "iss", "sid", "sub"]);
    // 128 random bits.
    assert_eq!(
        BASE64_URL_SAFE_NO_PAD
            .decode(parts[1]["sid"].as_str().unwrap())
            .unwrap()
            .len(),
        16
    );
}

#[tokio::test]
async fn a_stolen_database_signs_nobody_in() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let cookie = browser.session().unwrap();
    let (hashed_sid, id): (String, String) = sqlx::query_as("SELECT hashed_sid, id FROM sessions")
        .fetch_one(app.state.db.pool())
        .await
        .unwrap();
    for stolen in [&hashed_sid, &id] {
        assert_eq!(replayed(&app, stolen).await, None);
        let forged = forge(&cookie, |_| {}, |claims| claims["sid"] = json!(stolen));
        assert_eq!(replayed(&app, &forged).await, None);
    }
}

fn read(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A token like this one, changed, and signed with a key of the attacker's own.
fn forge(like: &str, header: impl FnOnce(&mut Value), claims: impl FnOnce(&mut Value)) -> String {
    sign(&[7; 32], like, header, claims)
}

fn sign(
    key: &[u8],
    like: &str,
    header: impl FnOnce(&mut Value),
    claims: impl FnOnce(&mut Value),
) -> String {
    let write = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap());
    let mut parts = like.split('.').map(read_or_null);
    let (mut head, mut body) = (parts.next().unwrap(), parts.next().unwrap());
    header(&mut head);
    claims(&mut body);
    let text = format!("{}.{}", write(&head), write(&body));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

fn read_or_null(part: &str) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

#[tokio::test]
async fn forged_tokens_sign_nobody_in() {
    let app = TestApp::new().await;
    let cookie = app.signed_up(EMAIL).await.session().unwrap();
    let header = |name: &'static str, value: Value| {
        forge(&cookie, move |header| header[name] = value, |_| {})
    };
    let mut forged = vec![
        forge(&cookie, |_| {}, |_| {}),
        header("alg", json!("none")),
        header("alg", json!("NONE")),
        header("kid", json!("../../etc/passwd")),
        header("kid", json!("' OR 1=1 --")),
        header("kid", json!("x".repeat(10_000))),
        header("jku", json!("http://127.0.0.1:1/keys")),
        header("crit", json!(["b64"])),
        header("typ", json!("JWT")),
        "x".repeat(5_000),
        "a.b.c".to_owned(),
        String::new(),
    ];
    // The right signature under another text, and none.
    let (text, tag) = cookie.rsplit_once('.').unwrap();
    forged.push(format!("{text}."));
    forged.push(format!("{}.{tag}", text.replace('.', "A.")));
    let unsigned = header("alg", json!("none"));
    forged.push(format!("{}.", unsigned.rsplit_once('.').unwrap().0));
    for token in forged {
        assert_eq!(replayed(&app, &token).await, None, "{token}");
    }
    assert_eq!(replayed(&app, &cookie).await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn a_right_signature_does_not_help_wrong_words() {
    let app = app_with_known_secret().await;
    let cookie = app.signed_up(EMAIL).await.session().unwrap();
    let key = key_for("session+jwt");
    let claim = |name: &'static str, value: Value| {
        sign(&key, &cookie, |_| {}, move |claims| claims[name] = value)
    };
    // The tests' own signature is right: the same words pass.
    let same = sign(&key, &cookie, |_| {}, |_| {});
    assert_eq!(replayed(&app, &same).await.as_deref(), Some(EMAIL));

    for name in ["exp", "iat", "iss", "sub", "sid", "gen"] {
        let missing = sign(
            &key,
            &cookie,
            |_| {},
            |claims| {
                claims.as_object_mut().unwrap().remove(name);
            },
        );
        assert_eq!(replayed(&app, &missing).await, None, "no {name}");
        for wrong in [
            json!(null),
            json!("text"),
            json!(-1),
            json!(1e308),
            json!(1.5),
            json!([1]),
            json!({ "a": 1 }),
            json!(true),
        ] {
            let answer = replayed(&app, &claim(name, wrong.clone())).await;
            assert_eq!(answer, None, "{name}: {wrong}");
        }
    }
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", Value::Null),
        ("crit", json!(["exp"])),
        ("alg", json!("HS512")),
        ("alg", json!("none")),
        ("kid", json!("another")),
    ] {
        let token = sign(&key, &cookie, |header| header[name] = value.clone(), |_| {});
        assert_eq!(replayed(&app, &token).await, None, "{name}: {value}");
    }
    // A key of the same deployment that was made for something else.
    let other = sign(&key_for("returned form"), &cookie, |_| {}, |_| {});
    assert_eq!(replayed(&app, &other).await, None);
}

#[tokio::test]
async fn keys_rotate_without_signing_anybody_out_until_the_old_one_is_removed() {
    let app = app_with_known_secret().await;
    let cookie = app.signed_up(EMAIL).await.session().unwrap();
    let new = BASE64_URL_SAFE_NO_PAD.encode([3; 32]);
    let url = app.state.config.database_url();
    app.state.end_serving().await.unwrap();
    for (keys, expected) in [(format!("{new},{SECRET}"), Some(EMAIL)), (new, None)] {
        let next = TestApp::with(|config| {
            config.secret.key = keys;
            config.database.url.clone_from(&url);
        })
        .await;
        assert_eq!(replayed(&next, &cookie).await.as_deref(), expected);
        next.state.end_serving().await.unwrap();
    }
}

#[tokio::test]
async fn cookies_of_any_size_and_alphabet_are_nobodys() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    let many: Vec<String> = (0..500).map(|count| format!("c{count}=x")).collect();
    for (what, cookie) in [
        (
            "5 KB",
            format!("{COOKIE}={}", "x".repeat(5_000)).into_bytes(),
        ),
        (
            "60 KB",
            format!("{COOKIE}={}", "x".repeat(60_000)).into_bytes(),
        ),
        (
            "200 KB",
            format!("{COOKIE}={}", "x".repeat(200_000)).into_bytes(),
        ),
        ("500", many.join("; ").into_bytes()),
        ("not UTF-8", [COOKIE.as_bytes(), b"=\xff\xfe"].concat()),
        ("NUL", [COOKIE.as_bytes(), b"=a\0b"].concat()),
        ("only a name", COOKIE.as_bytes().to_vec()),
    ] {
        let request = [
            b"GET /api/viewer HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: ",
            &cookie[..],
            b"\r\n\r\n",
        ]
        .concat();
        let answer = app.raw(request).await;
        let status = answer.get(9..12).unwrap_or_default();
        let is_nobody = status == "200" && answer.ends_with("null");
        assert!(
            is_nobody || ["400", "401", "431"].contains(&status),
            "{what}: {answer}"
        );
    }
}
