//! Codes: bound to whom they were sent, once, for a minute.

use super::{CALLBACK, VERIFIER, assert_says, code_of, other_app, other_app_with, text};
use crate::app::{EMAIL, TestApp};

#[tokio::test]
async fn a_code_buys_once_and_a_second_try_takes_back_what_it_bought() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let code = other.allowed(&browser, &[]).await;
    let tokens = other.redeem(&code).await.json();
    assert!(other.is_good(text(&tokens, "access_token")).await);
    assert_says(&other.redeem(&code).await, "invalid_grant");
    assert!(!other.is_good(text(&tokens, "access_token")).await);
    assert_says(
        &other.refresh(text(&tokens, "refresh_token")).await,
        "invalid_grant",
    );
    // Whoever it was is asked for consent again.
    let asked = browser.open(&other.link(&[])).await;
    assert!(asked.header("location").starts_with("/consent?"));
}

#[tokio::test]
async fn of_two_at_once_exactly_one_buys_and_then_neither_has_anything() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let code = other.allowed(&browser, &[]).await;
    let (one, two) = tokio::join!(other.redeem(&code), other.redeem(&code));
    let (won, lost) = if one.status == 200 {
        (one, two)
    } else {
        (two, one)
    };
    assert_eq!(won.status, 200, "{}", won.body);
    assert_says(&lost, "invalid_grant");
    assert!(!other.is_good(text(&won.json(), "access_token")).await);
}

#[tokio::test]
async fn a_code_is_bound_to_client_address_and_challenge() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let second = other_app_with(&app, |said| {
        said.redirect_uris = Some(vec![
            CALLBACK.to_owned(),
            "https://app.example/other".to_owned(),
        ]);
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let wrong = "another-verifier-of-at-least-forty-three-chars";
    for (by, address, verifier, expected) in [
        (&second, CALLBACK, VERIFIER, "invalid_grant"),
        (
            &other,
            "https://app.example/other",
            VERIFIER,
            "invalid_grant",
        ),
        (&other, CALLBACK, wrong, "invalid_grant"),
        (
            &other,
            CALLBACK,
            &super::challenge(VERIFIER),
            "invalid_grant",
        ),
        (&other, CALLBACK, "short", "invalid_grant"),
        (&other, CALLBACK, "", "invalid_request"),
    ] {
        let again = browser.open(&other.link(&[])).await;
        let code = if again.header("location").starts_with("/consent") {
            other.allowed(&browser, &[]).await
        } else {
            code_of(&again)
        };
        let answer = by.redeem_with(&code, address, verifier).await;
        assert_says(&answer, expected);
        if expected == "invalid_grant" {
            // It is used up, so that nobody guesses on.
            assert_says(&other.redeem(&code).await, "invalid_grant");
        }
    }
}

#[tokio::test]
async fn a_code_is_over_after_a_minute() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let code = other.allowed(&browser, &[]).await;
    app.pass(59);
    assert_eq!(other.redeem(&code).await.status, 200);
    let code = code_of(&browser.open(&other.link(&[])).await);
    app.pass(60);
    assert_says(&other.redeem(&code).await, "invalid_grant");
    for nonsense in ["co_nonsense", "x", &"a".repeat(5000)] {
        assert_says(&other.redeem(nonsense).await, "invalid_grant");
    }
}

#[tokio::test]
async fn a_code_dies_with_its_session() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let code = other.allowed(&browser, &[]).await;
    browser.call("sign_out", &[]).await;
    assert_says(&other.redeem(&code).await, "invalid_grant");
}

#[tokio::test]
async fn a_code_dies_with_its_session_whatever_it_would_outlive() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let offline = [("scope", "openid offline_access")];
    // Somebody else's device: its owner ends it while a code is on its way.
    let code = other.allowed(&browser, &offline).await;
    browser.call("sign_out", &[]).await;
    assert_says(&other.redeem(&code).await, "invalid_grant");
    let handed_out = "SELECT COUNT(*) FROM refresh_tokens";
    assert_eq!(app.count(handed_out).await, 0);
}

#[tokio::test]
async fn a_stolen_database_holds_no_code_and_no_token() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let hashed: Vec<(String,)> = sqlx::query_as(
        "SELECT hashed_code FROM authorization_codes \
         UNION ALL SELECT hashed_token FROM refresh_tokens",
    )
    .fetch_all(app.state.db.pool())
    .await
    .unwrap();
    assert_eq!(hashed.len(), 2);
    for (hashed,) in hashed {
        assert_ne!(hashed, text(&tokens, "refresh_token"));
        assert_says(&other.refresh(&hashed).await, "invalid_grant");
        assert_says(&other.redeem(&hashed).await, "invalid_grant");
    }
}

#[tokio::test]
async fn a_program_without_a_secret_buys_with_its_verifier_alone() {
    let app = TestApp::new().await;
    let other = other_app_with(&app, |said| {
        said.authentication = Some(cloakroom::server::clients::NewAuthentication::None);
        said.grant_types = Some(vec![
            cloakroom::server::clients::GrantType::AuthorizationCode,
        ]);
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    assert!(tokens.get("refresh_token").is_none());
    assert!(other.is_good(text(&tokens, "access_token")).await);
}

#[tokio::test]
async fn without_openid_there_is_no_id_token_and_no_userinfo() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[("scope", "notes:read")]).await;
    assert!(tokens.get("id_token").is_none());
    let answer = other.userinfo(text(&tokens, "access_token")).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .header("www-authenticate")
            .contains("insufficient_scope")
    );
}

#[tokio::test]
async fn a_code_from_before_the_clock_was_set_back_is_refused() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let code = other.allowed(&browser, &[]).await;
    app.set_clock(-3_600);
    assert_says(&other.redeem(&code).await, "invalid_grant");
    // Nodes whose clocks differ a little redeem each other's codes.
    app.set_clock(3_600);
    let code = code_of(&browser.open(&other.link(&[])).await);
    app.set_clock(-30);
    assert_eq!(other.redeem(&code).await.status, 200);
}
