//! Whose an access token is: told to whoever shows one that is for this, in the header alone.

use super::{other_app, other_app_with, text};
use crate::app::{COOKIE, EMAIL, TestApp, encoded};
use reqwest::Method;

#[tokio::test]
async fn nothing_else_is_an_access_token() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let access = text(&tokens, "access_token");
    assert!(other.is_good(access).await);
    let cookie = browser.session().unwrap();
    for shown in [
        text(&tokens, "id_token"),
        text(&tokens, "refresh_token"),
        &cookie,
        &format!("{access}x"),
        &access.to_uppercase(),
        "",
        "nonsense",
    ] {
        let answer = other.userinfo(shown).await;
        assert_eq!(answer.status, 401, "{shown}");
        assert!(answer.header("www-authenticate").starts_with("Bearer "));
    }
    // Nor is an access token anything else.
    let planted = app.browser();
    planted.plant(COOKIE, access);
    assert_eq!(planted.viewer().await, None);
    let planted = app.browser();
    planted.plant(COOKIE, text(&tokens, "id_token"));
    assert_eq!(planted.viewer().await, None);
    for path in ["/oauth2/userinfo", "/api/viewer"] {
        let asked = encoded(&[("access_token", access)]);
        let answer = app.browser().open(&format!("{path}?{asked}")).await;
        assert!(!answer.body.contains(EMAIL), "{path}");
    }
    // A browser's cookie does not count here.
    let answer = browser
        .send(browser.request(Method::GET, "/oauth2/userinfo"))
        .await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn it_says_what_was_allowed_and_lives_for_five_minutes() {
    let app = TestApp::new().await;
    let other = other_app_with(&app, |said| {
        said.audience = Some("https://api.example".to_owned());
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[("scope", "openid")]).await;
    let access = text(&tokens, "access_token");
    let said = other.userinfo(access).await.json();
    assert!(said.get("email").is_none(), "{said}");
    assert_eq!(said["sub"], super::claims(access)["sub"]);
    app.pass(299);
    assert!(other.is_good(access).await);
    app.pass(1);
    assert!(!other.is_good(access).await);
}
