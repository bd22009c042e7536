//! Signing up and signing in.

use crate::app::{EMAIL, PASSWORD, TestApp};
use sqlx::Row;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn a_new_account_is_signed_in_by_one_cookie_that_the_body_does_not_hold() {
    let app = TestApp::new().await;
    let browser = app.browser();
    let answer = browser.sign_up(EMAIL, PASSWORD).await;
    assert_eq!(answer.status, 200);
    // The other one marks the browser, and signs no one in.
    let [cookie, mark] = answer.set_cookies()[..] else {
        panic!("two cookies, not {:?}", answer.set_cookies());
    };
    assert!(mark.starts_with("__Host-Http-known-browser="));
    let (value, attributes) = cookie
        .strip_prefix("__Host-Http-session=")
        .unwrap()
        .split_once("; ")
        .unwrap();
    assert_eq!(
        attributes,
        "HttpOnly; Secure; SameSite=Lax; Path=/; Priority=High"
    );
    assert!(cookie.len() < 1024);
    assert!(value.split('.').all(|part| !answer.body.contains(part)));
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn every_problem_of_a_form_is_told_at_once() {
    let app = TestApp::new().await;
    let answer = app.browser().sign_up("nonsense", "short").await;
    assert_eq!(answer.status, 422);
    let json = answer.json();
    assert_eq!(json["code"], "fields");
    assert_eq!(json["fields"][0]["problem"]["is"], "not_an_email");
    assert_eq!(json["fields"][1]["problem"]["is"], "too_short");
    assert_eq!(json["fields"][1]["problem"]["min"], 15);
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
}

#[tokio::test]
async fn an_address_is_one_account_whatever_its_case_and_script() {
    let app = TestApp::new().await;
    app.signed_up("Ada@Bücher.Example.com").await;
    for twin in [" ada@xn--bcher-kva.example.com ", "ADA@BÜCHER.EXAMPLE.COM"] {
        let answer = app
            .browser()
            .sign_up(twin, "another lamp over six stairs")
            .await;
        assert_eq!(answer.status, 422, "{twin}");
        assert_eq!(answer.json()["fields"][0]["problem"]["is"], "taken");
        assert_eq!(
            app.browser().sign_in(twin, PASSWORD).await.status,
            200,
            "{twin}"
        );
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn addresses_that_mail_must_not_see_are_refused() {
    let app = TestApp::new().await;
    let long = format!("{}@example.com", "a".repeat(65));
    for address in [
        "a@b",
        "@example.com",
        "a@",
        "a b@example.com",
        "a@exa mple.com",
        "a@example.com\r\nBcc: x@y.z",
        "a@example.com,b@example.com",
        "<a@example.com>",
        "a..b@example.com",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@-example.com",
        "a@example..com",
        "\"a\"@example.com",
        &long,
    ] {
        let answer = app.browser().sign_up(address, PASSWORD).await;
        assert_eq!(answer.status, 422, "{address:?}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
}

#[tokio::test]
async fn passwords_that_are_guessed_first_are_refused_with_the_reason() {
    let app = TestApp::new().await;
    for (password, problem) in [
        ("passwordpassword", "common"),
        ("aaaaaaaaaaaaaaaaaaaa", "common"),
        ("123456789012345678", "common"),
        ("ada@example.com", "like_email"),
        ("qwertyuiopasdfgh", "common"),
    ] {
        let answer = app.browser().sign_up(EMAIL, password).await;
        assert_eq!(answer.status, 422, "{password}");
        let is = &answer.json()["fields"][0]["problem"]["is"];
        assert!(is == problem || is == "guessable", "{password}: {is}");
    }
}

#[tokio::test]
async fn passwords_are_kept_as_typed_and_counted_in_code_points() {
    let app = TestApp::new().await;
    let emoji: String = "🗝🎭🧥🪝🎟".chars().cycle().take(14).collect();
    assert_eq!(
        app.browser().sign_up(EMAIL, &emoji).await.status,
        422,
        "14 code points"
    );
    for (email, password) in [
        ("spaces@example.com", "  a quiet lamp over seven stairs "),
        ("nul@example.com", "a quiet lamp\0over seven stairs"),
        (
            "sixtyfour@example.com",
            "🗝 a 🎭 quiet 🧥 lamp 🪝 over 🎟 seven stairs, and then some more of it",
        ),
    ] {
        assert_eq!(
            app.browser().sign_up(email, password).await.status,
            200,
            "{email}"
        );
        assert_eq!(
            app.browser().sign_in(email, password).await.status,
            200,
            "{email}"
        );
        let trimmed = password.trim().replace('\0', "");
        if trimmed != password {
            assert_eq!(
                app.browser().sign_in(email, &trimmed).await.status,
                401,
                "{email}"
            );
        }
    }
    // Nothing is cut off: the last letter counts.
    let long = format!("{PASSWORD} {}", "far along the river bank ".repeat(4));
    assert_eq!(
        app.browser()
            .sign_up("long@example.com", &format!("{long}x"))
            .await
            .status,
        200
    );
    assert_eq!(
        app.browser()
            .sign_in("long@example.com", &format!("{long}y"))
            .await
            .status,
        401
    );
    let too_long = "a quiet lamp ".repeat(20);
    assert_eq!(
        app.browser()
            .sign_up("too@example.com", &too_long)
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn unknown_wrong_and_disabled_get_the_same_bytes() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    app.signed_up("gone@example.com").await;
    app.tamper("UPDATE users SET disabled_at = 1 WHERE email_key = 'gone@example.com'")
        .await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("nobody@example.com", PASSWORD),
        (EMAIL, "another lamp over six stairs"),
        ("gone@example.com", PASSWORD),
    ] {
        let mut answer = app.browser().sign_in(email, password).await;
        for fresh in ["date", "content-security-policy"] {
            answer.headers.remove(fresh);
        }
        answers.push(format!("{answer:?}"));
    }
    assert!(answers[0].contains("wrong_email_or_password"));
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn disabling_an_account_refuses_its_sessions_at_once() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.tamper("UPDATE users SET disabled_at = 1").await;
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn a_password_changed_during_a_sign_in_wins() {
    let app = TestApp::with(|config| config.passwords.hashes_at_once = 1).await;
    app.signed_up(EMAIL).await;
    // The hash that is verified asks for so much that there is time to change it meanwhile.
    let slow = TestApp::with(|config| {
        config.passwords.memory_kib = 131_072;
        config.passwords.iterations = 8;
    })
    .await;
    slow.signed_up(EMAIL).await;
    plant_hash(&app, &stored_hash(&slow).await).await;
    let browser = app.browser();
    let sign_in = browser.sign_in(EMAIL, PASSWORD);
    let change = async {
        tokio::task::yield_now().await;
        while app.state.hasher.in_hand() == 0 {
            tokio::task::yield_now().await;
        }
        app.tamper("UPDATE users SET password_hash = 'changed'")
            .await;
    };
    let (answer, ()) = tokio::join!(sign_in, change);
    assert_eq!(answer.status, 401);
    assert_eq!(stored_hash(&app).await, "changed");
    assert_eq!(app.count("SELECT COUNT(*) FROM sessions").await, 1);
}

async fn stored_hash(app: &TestApp) -> String {
    let row = sqlx::query("SELECT password_hash FROM users")
        .fetch_one(app.state.db.pool())
        .await
        .unwrap();
    row.get(0)
}

async fn plant_hash(app: &TestApp, hash: &str) {
    sqlx::query("UPDATE users SET password_hash = $1")
        .bind(hash)
        .execute(app.state.db.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn old_parameters_are_renewed_by_a_sign_in_and_not_by_a_failed_one() {
    let app = TestApp::with(|config| config.passwords.memory_kib = 128).await;
    app.signed_up(EMAIL).await;
    let current = stored_hash(&app).await;
    assert!(
        current.starts_with("$argon2id$v=19$m=128,t=1,p=1$"),
        "{current}"
    );
    // The same password, hashed with less, by a server of another time.
    let before = TestApp::new().await;
    before.signed_up(EMAIL).await;
    let old = stored_hash(&before).await;
    plant_hash(&app, &old).await;
    assert_eq!(
        app.browser()
            .sign_in(EMAIL, "another lamp over six stairs")
            .await
            .status,
        401
    );
    assert_eq!(stored_hash(&app).await, old);
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
    assert!(
        stored_hash(&app)
            .await
            .starts_with("$argon2id$v=19$m=128,t=1,p=1$")
    );
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_planted_hash_that_asks_for_too_much_fails_cleanly() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    for planted in [
        "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "plain text",
        "",
    ] {
        plant_hash(&app, planted).await;
        assert_eq!(
            app.browser().sign_in(EMAIL, PASSWORD).await.status,
            401,
            "{planted}"
        );
    }
}

#[tokio::test]
async fn more_sign_ins_than_the_queue_takes_are_told_to_come_back() {
    let app = TestApp::with(|config| {
        config.passwords.hashes_at_once = 1;
        config.passwords.queue = 1;
        config.passwords.memory_kib = 19_456;
        config.limits.sign_ins_per_account_and_address = 1000;
    })
    .await;
    app.signed_up(EMAIL).await;
    let browsers: Vec<_> = (0..12).map(|_| app.browser()).collect();
    let answers = futures_all(
        browsers
            .iter()
            .map(|browser| browser.sign_in(EMAIL, PASSWORD)),
    )
    .await;
    let busy: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 503)
        .collect();
    assert!(!busy.is_empty());
    assert!(answers.iter().any(|answer| answer.status == 200));
    for answer in busy {
        assert_eq!(answer.json()["code"], "busy");
        assert_eq!(answer.header("retry-after"), "2");
    }
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn sign_ins_that_nobody_waits_for_still_count_until_they_are_done() {
    let app = TestApp::with(|config| {
        config.passwords.hashes_at_once = 1;
        config.passwords.queue = 1;
        config.limits.sign_ins_per_account = 1000;
        config.limits.sign_ins_per_account_and_address = 1000;
    })
    .await;
    app.signed_up(EMAIL).await;
    // One hash that takes long enough for everybody to hang up on it.
    app.tamper(
        "UPDATE users SET password_hash = \
         '$argon2id$v=19$m=131072,t=16,p=1$c2FsdHNhbHRzYWx0$\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
    )
    .await;
    let impatient = app.browser();
    let sign_in = impatient.sign_in(EMAIL, PASSWORD);
    assert!(timeout(Duration::from_millis(100), sign_in).await.is_err());
    drop(impatient);
    // The core is still taken: one waits for it, and the next is told to come back.
    let (waiting, next) = (app.browser(), app.browser());
    let answers = futures_all(
        [&waiting, &next]
            .into_iter()
            .map(|it| it.sign_in("nobody@example.com", PASSWORD)),
    )
    .await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [401, 503]);
    // It is free again when the hash is done.
    let answer = app.browser().sign_in("nobody@example.com", PASSWORD).await;
    assert_eq!(answer.status, 401);
}

async fn futures_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done
}

#[tokio::test]
async fn a_sign_up_form_that_is_sent_twice_at_once_signs_in_by_both_answers() {
    let app = TestApp::new().await;
    let browsers = [app.browser(), app.browser()];
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let answers = futures_all(
        browsers
            .iter()
            .map(|browser| browser.submit("/sign-up", "sign_up", &form)),
    )
    .await;
    for answer in answers {
        let to = answer.header("location");
        assert!(to.starts_with("/account"), "{to}");
    }
    for browser in &browsers {
        assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
    let mut kinds = browsers[0].list_activity().await;
    kinds.sort_unstable();
    assert_eq!(kinds, ["signed_in", "signed_up"]);
}

#[tokio::test]
async fn a_sign_up_with_the_address_of_an_account_is_recorded_and_limited_as_a_sign_in() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_account_and_address = 3).await;
    let owner = app.signed_up(EMAIL).await;
    app.pass(1);
    let wrong = "another lamp over six stairs";
    for _ in 0..2 {
        let answer = app.browser().sign_up(EMAIL, wrong).await;
        assert_eq!(answer.status, 422);
        let expected = r#"{"code":"fields","fields":[{"field":"email","problem":{"is":"taken"}}]}"#;
        assert_eq!(answer.body, expected);
        assert!(answer.set_cookies().is_empty());
    }
    let kinds = owner.list_activity().await;
    assert_eq!(kinds, ["sign_in_failed", "signed_up"]);
    // Its right password signs in, and forgets the wrong ones, as at sign-in.
    let other = app.browser();
    assert_eq!(other.sign_up(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(other.viewer().await.as_deref(), Some(EMAIL));
    for _ in 0..3 {
        assert_eq!(app.browser().sign_up(EMAIL, wrong).await.status, 422);
    }
    for password in [wrong, PASSWORD] {
        let answer = app.browser().sign_up(EMAIL, password).await;
        assert_eq!(answer.json()["code"], "too_many_requests", "{password}");
        assert_eq!(app.browser().sign_in(EMAIL, password).await.status, 429);
    }
    app.pass(60);
    app.tamper("UPDATE users SET disabled_at = 1").await;
    assert_eq!(app.browser().sign_up(EMAIL, PASSWORD).await.status, 422);
}
