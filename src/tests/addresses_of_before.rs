//! Accounts of older versions, whose addresses were compared by other rules.

use crate::app::{PASSWORD, TestApp};
use cloakroom::server::{fields::Email, settings::Settings, state::State, users};

/// Another password.
const OTHER: &str = "another lamp over six stairs";

/// Addresses and keys as servers before normal forms stored them.
async fn plant(app: &TestApp, old: &str, address: &str) {
    let (local, domain) = address.rsplit_once('@').unwrap();
    sqlx::query("UPDATE users SET email = $1, email_key = $2 WHERE email = $3")
        .bind(address)
        .bind(format!("{}@{domain}", local.to_lowercase()))
        .bind(old)
        .execute(app.state.db.pool())
        .await
        .unwrap();
}

/// Starts another process on the same database.
async fn start_again(app: &TestApp) {
    let settings = Settings::given(app.state.config.clone(), app.state.leptos.clone());
    let (clock, random) = (app.state.clock.clone(), app.state.random.clone());
    State::open(settings, clock, random).await.unwrap();
    app.state.sessions.clear();
}

#[tokio::test]
async fn accounts_of_before_are_found_in_both_normal_forms_after_the_next_start() {
    let app = TestApp::new().await;
    for (old, address) in [
        ("a@example.com", "Zoe\u{308}@example.com"),
        ("b@example.com", "ｂｏｂ@example.com"),
        ("c@example.com", "Ada@example.com"),
    ] {
        app.signed_up(old).await;
        plant(&app, old, address).await;
    }
    app.tamper("DELETE FROM deployment WHERE name = 'keys_of_addresses'")
        .await;
    start_again(&app).await;
    for (typed, shown) in [
        ("zoë@example.com", "Zoë@example.com"),
        ("ZOE\u{308}@example.com", "Zoë@example.com"),
        ("bob@example.com", "bob@example.com"),
        ("ｂｏｂ@example.com", "bob@example.com"),
        ("ada@example.com", "Ada@example.com"),
    ] {
        let browser = app.browser();
        let answer = browser.sign_in(typed, PASSWORD).await;
        assert_eq!(answer.status, 200, "{typed}: {}", answer.body);
        assert_eq!(browser.viewer().await.as_deref(), Some(shown));
    }
    let old = "SELECT COUNT(*) FROM users WHERE has_old_key = 1";
    assert_eq!(app.count(old).await, 0);
}

#[tokio::test]
async fn two_accounts_of_one_address_are_both_kept_until_the_operator_renames_one() {
    let app = TestApp::new().await;
    // The one that was there first has the decomposed form; a third is of another width.
    let forms = [
        ("a@example.com", "zoe\u{308}@example.com"),
        ("b@example.com", "zoë@example.com"),
        ("c@example.com", "ｚoë@example.com"),
        ("d@example.com", "김\u{3164}@example.com"),
    ];
    let mut ids = Vec::new();
    for (old, address) in forms {
        app.signed_up(old).await;
        plant(&app, old, address).await;
        let row: (String,) = sqlx::query_as("SELECT id FROM users WHERE email = $1")
            .bind(address)
            .fetch_one(app.state.db.pool())
            .await
            .unwrap();
        ids.push(row.0);
        app.pass(1);
    }
    app.tamper("DELETE FROM deployment WHERE name = 'keys_of_addresses'")
        .await;
    let old = "SELECT COUNT(*) FROM users WHERE has_old_key = 1";
    for _ in 0..2 {
        start_again(&app).await;
        assert_eq!(app.count(old).await, 3);
    }
    // Each user gets in as before, and no further account gets between them.
    for (_, address) in &forms[..3] {
        let browser = app.browser();
        let answer = browser.sign_in(address, PASSWORD).await;
        assert_eq!(answer.status, 200, "{address}: {}", answer.body);
        assert_eq!(browser.viewer().await.as_deref(), Some(*address));
        let answer = app.browser().sign_up(address, OTHER).await;
        assert_eq!(answer.json()["fields"][0]["problem"]["is"], "taken");
    }
    let taken = Email::parse("zoë@example.com").unwrap();
    assert!(users::rename(&app.state, &ids[0], &taken).await.is_err());
    for (id, address) in [
        (&ids[0], "zoe.one@example.com"),
        (&ids[3], "kim@example.com"),
    ] {
        let address = Email::parse(address).unwrap();
        let ended = users::rename(&app.state, id, &address).await.unwrap();
        assert!(ended.is_some());
        let browser = app.browser();
        let answer = browser.sign_in(&address.to_string(), PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let elsewhere = Email::parse("zoe.two@example.com").unwrap();
    let none = users::rename(&app.state, "none", &elsewhere).await;
    assert_eq!(none.unwrap(), None);
    start_again(&app).await;
    assert_eq!(app.count(old).await, 1);
    // Once the one that has the key has another address, the next start gives it to the last.
    users::rename(&app.state, &ids[1], &elsewhere)
        .await
        .unwrap();
    start_again(&app).await;
    assert_eq!(app.count(old).await, 0);
    for typed in ["zoe\u{308}@example.com", "zoë@example.com"] {
        let browser = app.browser();
        assert_eq!(browser.sign_in(typed, PASSWORD).await.status, 200);
        assert_eq!(browser.viewer().await.as_deref(), Some("zoë@example.com"));
    }
}
