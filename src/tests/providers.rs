//! OWASP ASVS 5.0, chapter V10 (OAuth and OpenID Connect), for providers: that `docs/asvs.md` lists
//! all of it with tests that there are, and what no other test shows.

use crate::{
    app::{EMAIL, TestApp},
    grants::{CALLBACK, claims, other_app, other_app_with, text},
    oidc::{GRANT, ask, assert_refused, service_with},
};
use cloakroom::server::oidc::scopes::Scopes;
use std::{collections::BTreeSet, fs, path::Path};

const LIST: &str = include_str!("../../docs/asvs.md");
/// Those of 10.1, 10.3 to 10.7, with their levels. 10.2 is for clients alone.
const REQUIREMENTS: [(&str, u8); 33] = [
    ("10.1.1", 2),
    ("10.1.2", 2),
    ("10.3.1", 2),
    ("10.3.2", 2),
    ("10.3.3", 2),
    ("10.3.4", 2),
    ("10.3.5", 3),
    ("10.4.1", 1),
    ("10.4.2", 1),
    ("10.4.3", 1),
    ("10.4.4", 1),
    ("10.4.5", 1),
    ("10.4.6", 2),
    ("10.4.7", 2),
    ("10.4.8", 2),
    ("10.4.9", 2),
    ("10.4.10", 2),
    ("10.4.11", 2),
    ("10.4.12", 3),
    ("10.4.13", 3),
    ("10.4.14", 3),
    ("10.4.15", 3),
    ("10.4.16", 3),
    ("10.5.1", 2),
    ("10.5.2", 2),
    ("10.5.3", 2),
    ("10.5.4", 2),
    ("10.5.5", 2),
    ("10.6.1", 2),
    ("10.6.2", 2),
    ("10.7.1", 2),
    ("10.7.2", 2),
    ("10.7.3", 2),
];

/// Whether there is a test of this name, as `cargo test` prints it.
fn is_a_test(name: &str) -> bool {
    let Some((file, function)) = name.rsplit_once("::") else {
        return false;
    };
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests");
    let file = tests.join(file.replace("::", "/"));
    [file.with_extension("rs"), file.join("mod.rs")]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .any(|text| {
            let lines: Vec<&str> = text.lines().collect();
            lines.windows(2).any(|pair| {
                let is_function = [
                    format!("fn {function}() {{"),
                    format!("async fn {function}() {{"),
                ];
                let is_marked =
                    pair[0].starts_with("#[test]") || pair[0].starts_with("#[tokio::test");
                is_marked && is_function.iter().any(|it| it == pair[1])
            })
        })
}

#[test]
fn every_requirement_for_providers_is_listed_with_tests_that_there_are_or_the_reason_why_not() {
    let rows: Vec<Vec<&str>> = LIST
        .lines()
        .filter(|line| line.starts_with("| 10."))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let listed: Vec<(&str, u8)> = rows
        .iter()
        .map(|row| (row[0], row[1].parse().unwrap()))
        .collect();
    assert_eq!(listed, REQUIREMENTS);
    let mut named = BTreeSet::new();
    for row in &rows {
        let [id, _, asks, shown] = row[..] else {
            panic!("{row:?}");
        };
        assert!(!asks.is_empty(), "{id}");
        if shown.starts_with("Does not apply: ") || shown.starts_with("Not met: ") {
            continue;
        }
        let in_part = shown.strip_prefix("In part: ");
        // What is missing is said below.
        let is_explained = LIST.contains(&format!("- **{id}.** In part: "));
        assert_eq!(in_part.is_some(), is_explained, "{id}");
        let shown = in_part.unwrap_or(shown);
        for name in shown.split(", ") {
            let name = name.strip_prefix('`').and_then(|it| it.strip_suffix('`'));
            let name = name.unwrap_or_else(|| panic!("{id}: {shown}"));
            assert!(is_a_test(name), "{id}: {name}");
            named.insert(name);
        }
    }
    // The tests of this file are named after what they show, and there is none without its row.
    for line in include_str!("providers.rs").lines() {
        let name = line.strip_prefix("async fn v10_");
        if let Some(name) = name.and_then(|it| it.strip_suffix("() {")) {
            assert!(named.contains(&*format!("providers::v10_{name}")), "{name}");
        }
    }
    assert!(!is_a_test("providers::no_such_test"));
    assert!(!is_a_test("providers::is_a_test"));
}

#[tokio::test]
async fn v10_1_1_a_browser_brings_a_code_and_never_sees_a_token() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    other.allowed(&browser, &[]).await;
    for params in [&[][..], &[("prompt", "none")]] {
        let answer = browser.open(&other.link(params)).await;
        let to = answer.header("location");
        assert!(to.starts_with(&format!("{CALLBACK}?code=co_")), "{to}");
        // No address, no page and no header has a token: all of ours begin like one of these.
        let said = format!("{:?} {}", answer.headers, answer.body);
        for token in ["eyJ", "rt_", "cloakroom_"] {
            assert!(!said.contains(token), "{said}");
        }
    }
    for page in ["/account/apps", "/api/list_apps"] {
        let answer = browser.open(page).await;
        assert!(
            !answer.body.contains("rt_") && !answer.body.contains("eyJ"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn v10_3_1_userinfo_refuses_what_is_for_somebody_else() {
    let app = TestApp::new().await;
    let other = other_app_with(&app, |said| {
        said.audience = Some("https://api.example".to_owned());
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[("scope", "email")]).await;
    let token = text(&tokens, "access_token");
    assert_eq!(claims(token)["aud"], "https://api.example");
    let answer = other.userinfo(token).await;
    assert_eq!((answer.status, &*answer.body), (401, ""));
    // With `openid` it is for here as well.
    let both = other.tokens(&browser, &[("scope", "openid email")]).await;
    let answer = other.userinfo(text(&both, "access_token")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn v10_4_11_a_client_has_no_scope_that_nobody_gave_it() {
    let app = TestApp::new().await;
    let none = service_with(&app, |said| said.scopes = None).await;
    for scope in ["orders:read", "openid", "admin"] {
        let form = [GRANT, ("scope", scope)];
        let answer = ask(&app, "/oauth2/token", Some(&none.basic()), &form).await;
        assert_refused(&answer, 400, "invalid_scope", scope);
    }
    let one = service_with(&app, |said| said.scopes = Scopes::parse("orders:read")).await;
    let answer = ask(&app, "/oauth2/token", Some(&one.basic()), &[GRANT]).await;
    assert_eq!(answer.json()["scope"], "orders:read");
}

#[tokio::test]
async fn v10_5_2_sub_is_one_persons_for_ever() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let ada = app.signed_up(EMAIL).await;
    let first = other.tokens(&ada, &[]).await;
    let subject = |tokens: &serde_json::Value| claims(text(tokens, "id_token"))["sub"].clone();
    // Another day, in another session, it is the same.
    app.pass(86_400);
    ada.sign_in(EMAIL, crate::app::PASSWORD).await;
    let again = other.tokens(&ada, &[("prompt", "consent")]).await;
    assert_eq!(subject(&first), subject(&again));
    let said = other.userinfo(text(&again, "access_token")).await.json();
    assert_eq!(said["sub"], subject(&first));
    // It is no address, which somebody else may have later, but 128 random bits.
    let grace = app.signed_up("grace@example.com").await;
    let theirs = other.tokens(&grace, &[]).await;
    assert_ne!(subject(&first), subject(&theirs));
    assert_eq!(subject(&first).as_str().unwrap().len(), 22);
}
