//! Refresh tokens: each buys the next, and a copy of one ends all of them.

use super::{assert_says, other_app, other_app_with, text};
use crate::app::{EMAIL, TestApp};

#[tokio::test]
async fn a_used_token_shown_again_ends_the_family() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let first = other.tokens(&browser, &[]).await;
    let second = other.refresh(text(&first, "refresh_token")).await.json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let third = other.refresh(text(&second, "refresh_token")).await.json();
    assert_says(
        &other.refresh(text(&first, "refresh_token")).await,
        "invalid_grant",
    );
    assert_says(
        &other.refresh(text(&third, "refresh_token")).await,
        "invalid_grant",
    );
    assert!(!other.is_good(text(&third, "access_token")).await);
}

#[tokio::test]
async fn of_two_at_once_one_wins_and_the_family_ends() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let token = text(&tokens, "refresh_token");
    let (one, two) = tokio::join!(other.refresh(token), other.refresh(token));
    let (won, lost) = if one.status == 200 {
        (one, two)
    } else {
        (two, one)
    };
    assert_eq!(won.status, 200, "{}", won.body);
    assert_says(&lost, "invalid_grant");
    assert_says(
        &other.refresh(text(&won.json(), "refresh_token")).await,
        "invalid_grant",
    );
}

#[tokio::test]
async fn another_client_that_shows_one_ends_the_family() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let thief = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let token = text(&tokens, "refresh_token");
    assert_says(&thief.refresh(token).await, "invalid_grant");
    assert_says(&other.refresh(token).await, "invalid_grant");
    assert!(!other.is_good(text(&tokens, "access_token")).await);
}

#[tokio::test]
async fn a_refresh_asks_for_no_more_than_was_allowed() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let token = text(&tokens, "refresh_token");
    let ask = async |token: &str, scope: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        other.ask(&form).await
    };
    assert_says(&ask(token, "openid notes:read").await, "invalid_scope");
    // That used nothing up.
    let less = ask(token, "openid").await.json();
    assert_eq!(less["scope"], "openid");
    let whole = other.refresh(text(&less, "refresh_token")).await.json();
    assert_eq!(whole["scope"], super::SCOPE);
}

#[tokio::test]
async fn a_family_has_an_end_however_often_it_is_used() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let scope = [("scope", "openid offline_access")];
    let mut tokens = other.tokens(&browser, &scope).await;
    for _ in 0..29 {
        app.pass(86_400);
        tokens = other.refresh(text(&tokens, "refresh_token")).await.json();
    }
    app.pass(86_399);
    tokens = other.refresh(text(&tokens, "refresh_token")).await.json();
    app.pass(1);
    assert_says(
        &other.refresh(text(&tokens, "refresh_token")).await,
        "invalid_grant",
    );
}

#[tokio::test]
async fn a_client_introspects_and_gives_back_its_own_alone() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let thief = other_app_with(&app, |_| {}).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let token = text(&tokens, "refresh_token");
    let form = |by: &super::OtherApp<'_>| {
        [
            ("token".to_owned(), token.to_owned()),
            ("client_id".to_owned(), by.id.clone()),
            ("client_secret".to_owned(), by.secret.clone()),
        ]
    };
    let post = async |by: &super::OtherApp<'_>, path: &str| {
        let form = form(by);
        let form: Vec<_> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        by.post(path, &form).await
    };
    assert_eq!(
        post(&thief, "/oauth2/introspect").await.json()["active"],
        false
    );
    let said = post(&other, "/oauth2/introspect").await.json();
    assert_eq!(
        (&said["active"], &said["scope"]),
        (&true.into(), &super::SCOPE.into())
    );
    assert_eq!(post(&thief, "/oauth2/revoke").await.status, 200);
    assert_eq!(
        post(&other, "/oauth2/introspect").await.json()["active"],
        true
    );
    assert_eq!(post(&other, "/oauth2/revoke").await.status, 200);
    assert_eq!(
        post(&other, "/oauth2/introspect").await.json()["active"],
        false
    );
    assert!(!other.is_good(text(&tokens, "access_token")).await);
    assert_says(&other.refresh(token).await, "invalid_grant");
}
