//! A password is the same one in whatever normal form a system types it.

use crate::app::{EMAIL, PASSWORD, TestApp};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use unicode_normalization::UnicodeNormalization;

const COMPOSED: &str = "größe über allen sieben stufen é";

#[tokio::test]
async fn a_password_matches_in_both_normal_forms() {
    let app = TestApp::new().await;
    let decomposed: String = COMPOSED.nfd().collect();
    for (email, chosen, typed) in [
        ("ada@example.com", COMPOSED, decomposed.as_str()),
        ("bob@example.com", &decomposed, COMPOSED),
    ] {
        let browser = app.browser();
        assert_eq!(browser.sign_up(email, chosen).await.status, 200);
        for password in [typed, chosen] {
            let answer = app.browser().sign_in(email, password).await;
            assert_eq!(answer.status, 200, "{email}");
            let form = [("password", password)];
            let answer = browser.call("confirm_password", &form).await;
            assert_eq!(answer.status, 200, "{email}: {}", answer.body);
        }
        // Nothing else is changed: capitals and compatible letters are others.
        for other in [COMPOSED.to_uppercase(), COMPOSED.replace('f', "ｆ")] {
            let answer = app.browser().sign_in(email, &other).await;
            assert_eq!(answer.status, 401, "{other}");
        }
        let form = [("current_password", typed), ("new_password", PASSWORD)];
        let answer = browser.call("change_password", &form).await;
        assert_eq!(answer.status, 200, "{email}: {}", answer.body);
        assert_eq!(app.browser().sign_in(email, PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn a_hash_of_a_password_that_was_not_normalised_still_opens_and_is_renewed() {
    let decomposed: String = COMPOSED.nfd().collect();
    for step in ["sign_in", "confirm_password", "change_password"] {
        let app = TestApp::new().await;
        let browser = app.signed_up(EMAIL).await;
        sqlx::query("UPDATE users SET password_hash = $1")
            .bind(hash_of(&decomposed))
            .execute(app.state.db.pool())
            .await
            .unwrap();
        let wrong = PASSWORD.replace('a', "a\u{301}");
        assert_eq!(app.browser().sign_in(EMAIL, &wrong).await.status, 401);
        let answer = match step {
            "sign_in" => app.browser().sign_in(EMAIL, &decomposed).await,
            "confirm_password" => browser.call(step, &[("password", &decomposed)]).await,
            _ => {
                let form = [
                    ("current_password", decomposed.as_str()),
                    ("new_password", COMPOSED),
                ];
                browser.call(step, &form).await
            }
        };
        assert_eq!(answer.status, 200, "{step}: {}", answer.body);
        let answer = app.browser().sign_in(EMAIL, COMPOSED).await;
        assert_eq!(answer.status, 200, "{step}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_length_of_a_password_is_counted_once_it_is_normalised() {
    let app = TestApp::new().await;
    // 14 code points and 15 accents: too short however it is typed.
    let short: String = "éàüñçôîãëýùìśź".nfd().collect();
    let answer = app.browser().sign_up(EMAIL, &short).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_eq!(answer.json()["fields"][0]["problem"]["is"], "too_short");
    // 256 are taken, though their parts are more.
    let long: String = "é über größe ñandú ".chars().cycle().take(256).collect();
    let decomposed: String = long.nfd().collect();
    assert!(decomposed.chars().count() > 256);
    let answer = app.browser().sign_up(EMAIL, &decomposed).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(app.browser().sign_in(EMAIL, &decomposed).await.status, 200);
    assert_eq!(app.browser().sign_in(EMAIL, &long).await.status, 200);
    for too_long in [format!("{long}é"), "e\u{301}".repeat(5_000)] {
        let answer = app.browser().sign_in(EMAIL, &too_long).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert_eq!(answer.json()["fields"][0]["problem"]["is"], "too_long");
    }
}

/// A hash as it was made before passwords were normalised.
fn hash_of(password: &str) -> String {
    let salt = b"sixteen octets !";
    let params = Params::new(64, 1, 1, Some(32)).unwrap();
    let mut output = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut output)
        .unwrap();
    let [salt, output] = [&salt[..], &output[..]].map(|it| STANDARD_NO_PAD.encode(it));
    format!("$argon2id$v=19$m=64,t=1,p=1${salt}${output}")
}
