//! A hash that another request replaces while a password is verified.

use crate::app::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use std::sync::Arc;

const OTHER: &str = "another lamp over six stairs";
const NEW: &str = "another lamp over eight stairs";

/// The hash of this password, made by a server that asks this much memory of it.
async fn hash_of(password: &str, memory_kib: u32) -> String {
    let app = TestApp::with(|config| config.passwords.memory_kib = memory_kib).await;
    let answer = app.browser().sign_up(EMAIL, password).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (hash,): (String,) = sqlx::query_as("SELECT password_hash FROM users")
        .fetch_one(app.state.db.pool())
        .await
        .unwrap();
    hash
}

/// A server whose owner's hash is of lower parameters than today's.
async fn app_with_old_hash() -> (TestApp, Browser) {
    let old = hash_of(PASSWORD, 64).await;
    let app = TestApp::with(|config| config.passwords.memory_kib = 128).await;
    let browser = app.signed_up(EMAIL).await;
    sqlx::query("UPDATE users SET password_hash = $1")
        .bind(old)
        .execute(app.state.db.pool())
        .await
        .unwrap();
    assert!(browser.viewer().await.is_some());
    (app, browser)
}

async fn call(browser: Browser, function: &str) -> (Answer, Browser) {
    let form: &[(&str, &str)] = match function {
        "confirm_password" => &[("password", PASSWORD)],
        "change_password" => &[("current_password", PASSWORD), ("new_password", NEW)],
        _ => &[("email", EMAIL), ("password", PASSWORD)],
    };
    (browser.call(function, form).await, browser)
}

/// Calls a function, and changes the user's row between its verification and its write.
async fn call_while(
    app: &TestApp,
    browser: Browser,
    function: &'static str,
    sql: &'static str,
    value: &str,
) -> Answer {
    // The lock keeps every other writer waiting, on both databases.
    let mut other = app.state.db.write().await.unwrap();
    sqlx::query("UPDATE users SET email = email")
        .execute(&mut *other)
        .await
        .unwrap();
    let asked = app.state.db.asked();
    let calling = tokio::spawn(async move { call(browser, function).await.0 });
    // It reads the row, verifies, and asks for the database to write.
    while app.state.db.asked() < asked + 2 {
        tokio::task::yield_now().await;
    }
    sqlx::query(sql)
        .bind(value.to_owned())
        .execute(&mut *other)
        .await
        .unwrap();
    other.commit().await.unwrap();
    calling.await.unwrap()
}

const FUNCTIONS: [&str; 3] = ["sign_in", "confirm_password", "change_password"];
const REPLACE: &str = "UPDATE users SET password_hash = $1";

#[tokio::test]
async fn the_right_password_is_accepted_when_another_request_renews_its_hash_meanwhile() {
    let renewed = hash_of(PASSWORD, 128).await;
    for function in FUNCTIONS {
        let (app, owner) = app_with_old_hash().await;
        let browser = if function == "sign_in" {
            app.browser()
        } else {
            owner
        };
        let answer = call_while(&app, browser, function, REPLACE, &renewed).await;
        assert_eq!(answer.status, 200, "{function}: {}", answer.body);
        let password = if function == "change_password" {
            NEW
        } else {
            PASSWORD
        };
        let answer = app.browser().sign_in(EMAIL, password).await;
        assert_eq!(answer.status, 200, "{function}: {}", answer.body);
    }
}

#[tokio::test]
async fn sign_ins_at_once_after_the_parameters_were_raised_all_succeed() {
    let (app, _) = app_with_old_hash().await;
    let app = Arc::new(app);
    let calls: Vec<_> = ["sign_in", "sign_up"]
        .repeat(4)
        .into_iter()
        .map(|function| tokio::spawn(call(app.browser(), function)))
        .collect();
    for call in calls {
        let (answer, browser) = call.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    }
}

#[tokio::test]
async fn a_password_changed_while_the_old_one_is_verified_refuses_the_old_one() {
    let other = hash_of(OTHER, 128).await;
    for function in FUNCTIONS {
        let (app, owner) = app_with_old_hash().await;
        let browser = if function == "sign_in" {
            app.browser()
        } else {
            owner
        };
        let answer = call_while(&app, browser, function, REPLACE, &other).await;
        assert!(
            matches!(answer.status, 401 | 422),
            "{function}: {}",
            answer.body
        );
        assert!(answer.set_cookies().is_empty(), "{function}");
        assert_eq!(app.count("SELECT COUNT(*) FROM sessions").await, 1);
        assert_eq!(
            app.browser().sign_in(EMAIL, OTHER).await.status,
            200,
            "{function}"
        );
    }
}

#[tokio::test]
async fn an_account_disabled_while_its_password_is_verified_stays_signed_out() {
    for function in FUNCTIONS {
        let (app, owner) = app_with_old_hash().await;
        let browser = if function == "sign_in" {
            app.browser()
        } else {
            owner
        };
        let disable = "UPDATE users SET disabled_at = 1 WHERE email = $1";
        let answer = call_while(&app, browser, function, disable, EMAIL).await;
        assert_eq!(answer.status, 401, "{function}: {}", answer.body);
        assert!(answer.set_cookies().is_empty(), "{function}");
        assert_eq!(app.count("SELECT COUNT(*) FROM sessions").await, 1);
    }
}
