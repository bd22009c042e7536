//! What ends a grant: the next refresh fails, and so does what was handed out.

use super::{OtherApp, assert_says, code_of, other_app, text};
use crate::app::{Browser, COOKIE, EMAIL, PASSWORD, TestApp};
use cloakroom::server::{
    clients::{self, Registration},
    fields::Email,
    oidc::scopes::Scopes,
    users,
};
use serde_json::Value;

const OFFLINE: [(&str, &str); 1] = [("scope", "openid email offline_access")];
const NEW_PASSWORD: &str = "a louder lamp over nine stairs";

/// Neither the access token nor the refresh token is good any more; and whether its owner is
/// asked for consent again.
async fn assert_ended(other: &OtherApp<'_>, tokens: &Value) {
    assert!(!other.is_good(text(tokens, "access_token")).await);
    assert_says(
        &other.refresh(text(tokens, "refresh_token")).await,
        "invalid_grant",
    );
}

async fn is_asked(other: &OtherApp<'_>, browser: &Browser) -> bool {
    let answer = browser.open(&other.link(&[])).await;
    answer.header("location").starts_with("/consent?")
}

#[tokio::test]
async fn the_end_of_a_session_ends_what_hangs_on_it_and_nothing_else() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let bound = other.tokens(&browser, &[]).await;
    let offline = other.tokens(&browser, &OFFLINE).await;
    let phone = app.browser();
    phone.sign_in(EMAIL, PASSWORD).await;
    let code = code_of(&phone.open(&other.link(&[])).await);
    let elsewhere = other.redeem(&code).await.json();
    browser.call("sign_out", &[]).await;
    assert_ended(&other, &bound).await;
    assert!(other.is_good(text(&elsewhere, "access_token")).await);
    assert_eq!(
        other
            .refresh(text(&elsewhere, "refresh_token"))
            .await
            .status,
        200
    );
    assert!(other.is_good(text(&offline, "access_token")).await);
    assert_eq!(
        other.refresh(text(&offline, "refresh_token")).await.status,
        200
    );
}

#[tokio::test]
async fn a_session_that_is_over_by_its_times_ends_what_hangs_on_it() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    app.pass(3_599);
    let tokens = other.refresh(text(&tokens, "refresh_token")).await.json();
    // What a program does is no use of the session (ASVS 7.3.1).
    app.pass(1);
    assert_ended(&other, &tokens).await;
}

#[tokio::test]
async fn its_owner_takes_it_back() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let kept = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let bound = other.tokens(&browser, &[]).await;
    let offline = other.tokens(&browser, &OFFLINE).await;
    let untouched = kept.tokens(&browser, &[]).await;
    let mallory = app.signed_up("mallory@example.com").await;
    let form = [("client_id", &*other.id)];
    assert_eq!(mallory.call("revoke_app", &form).await.status, 404);
    assert!(other.is_good(text(&bound, "access_token")).await);

    assert_eq!(browser.call("revoke_app", &form).await.status, 200);
    assert_ended(&other, &bound).await;
    assert_ended(&other, &offline).await;
    assert!(kept.is_good(text(&untouched, "access_token")).await);
    assert!(is_asked(&other, &browser).await);
    assert!(!is_asked(&kept, &browser).await);
    assert_eq!(browser.call("revoke_app", &form).await.status, 404);
    assert_eq!(browser.list_apps().await.len(), 1);
}

#[tokio::test]
async fn an_app_outlives_the_session_while_it_has_a_token_that_does() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let outlives = async || browser.list_apps().await[0]["outlives"].clone();
    // It has not fetched its tokens yet, and perhaps never does.
    let code = other.allowed(&browser, &OFFLINE).await;
    assert_eq!(outlives().await, false);
    let tokens = other.redeem(&code).await.json();
    assert_eq!(outlives().await, true);
    other.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(outlives().await, true);
    app.pass(30 * 86_400);
    browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(outlives().await, false);
}

#[tokio::test]
async fn without_a_script_it_is_taken_back_as_well() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let page = browser.open("/account/apps").await;
    assert!(page.body.contains("The Wiki") && page.body.contains("Disconnect"));
    let form = [("client_id", &*other.id)];
    let answer = browser.submit("/account/apps", "revoke_app", &form).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/account/apps")
    );
    let page = browser.open("/account/apps").await;
    assert!(page.body.contains("is disconnected"), "{}", page.body);
    assert_ended(&other, &tokens).await;
}

#[tokio::test]
async fn a_changed_password_ends_all_of_them_whatever_devices_are_kept() {
    for keep in [false, true] {
        let app = TestApp::new().await;
        let other = other_app(&app).await;
        let browser = app.signed_up(EMAIL).await;
        let bound = other.tokens(&browser, &[]).await;
        let offline = other.tokens(&browser, &OFFLINE).await;
        let mut form = vec![
            ("current_password", PASSWORD),
            ("new_password", NEW_PASSWORD),
        ];
        if keep {
            form.push(("keep_others", "true"));
        }
        assert_eq!(browser.call("change_password", &form).await.status, 200);
        assert_ended(&other, &bound).await;
        assert_ended(&other, &offline).await;
        assert!(is_asked(&other, &browser).await);
    }
}

#[tokio::test]
async fn a_copied_session_ends_all_of_them() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let old = browser.session().unwrap();
    let offline = other.tokens(&browser, &OFFLINE).await;
    app.pass(300);
    browser.viewer().await;
    browser.viewer().await;
    app.pass(120);
    let offline = other.refresh(text(&offline, "refresh_token")).await.json();
    let thief = app.browser();
    thief.plant(COOKIE, &old);
    assert_eq!(thief.viewer().await, None);
    assert_ended(&other, &offline).await;
}

#[tokio::test]
async fn an_account_that_is_kept_out_and_one_that_is_signed_out_everywhere_end_all_of_them() {
    for disable in [true, false] {
        let app = TestApp::new().await;
        let other = other_app(&app).await;
        let browser = app.signed_up(EMAIL).await;
        let offline = other.tokens(&browser, &OFFLINE).await;
        let email = Email::parse(EMAIL).unwrap();
        if disable {
            users::set_disabled(&app.state, &email, true).await.unwrap();
        } else {
            users::end_sessions(&app.state, &email, false)
                .await
                .unwrap();
        }
        assert_ended(&other, &offline).await;
        // Let in again, nothing of it is back.
        users::set_disabled(&app.state, &email, false)
            .await
            .unwrap();
        assert_ended(&other, &offline).await;
    }
}

#[tokio::test]
async fn what_is_allowed_while_the_password_changes_does_not_outlive_it() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let query = other.query(&OFFLINE);
    let allow = [("request", &*query), ("decision", "allow")];
    let (mut now, mut then) = (PASSWORD, NEW_PASSWORD);
    for _ in 0..6 {
        let phone = app.browser();
        phone.sign_in(EMAIL, now).await;
        let change = [("current_password", now), ("new_password", then)];
        let (_, changed) = tokio::join!(
            phone.call("decide_authorization", &allow),
            browser.call("change_password", &change)
        );
        assert_eq!(changed.status, 200, "{}", changed.body);
        // Whatever came first: the phone's word is among what ended, or it was not taken.
        let live = "SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL";
        assert_eq!(app.count(live).await, 0);
        (now, then) = (then, now);
    }
}

#[tokio::test]
async fn what_is_taken_back_while_it_is_asked_for_again_is_taken_back() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let form = [("client_id", &*other.id)];
    for _ in 0..20 {
        other.allowed(&browser, &OFFLINE).await;
        let (link, again) = (other.link(&OFFLINE), other.link(&[]));
        let (_, revoked, _) = tokio::join!(
            browser.open(&link),
            browser.call("revoke_app", &form),
            browser.open(&again),
        );
        assert_eq!(revoked.status, 200, "{}", revoked.body);
        // Whatever came first: nothing was allowed since.
        let live = "SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL";
        assert_eq!(app.count(live).await, 0);
    }
}

#[tokio::test]
async fn what_an_operator_takes_from_a_client_no_earlier_grant_gives_it() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &OFFLINE).await;
    let code = code_of(&browser.open(&other.link(&OFFLINE)).await);
    let less = Registration {
        scopes: Scopes::parse("openid offline_access"),
        ..Registration::default()
    };
    clients::edit(&app.state, &other.id, less).await.unwrap();
    let refreshed = other.refresh(text(&tokens, "refresh_token")).await.json();
    let redeemed = other.redeem(&code).await.json();
    for tokens in [refreshed, redeemed] {
        assert_eq!(tokens["scope"], "openid offline_access", "{tokens}");
        let said = other.userinfo(text(&tokens, "access_token")).await.json();
        assert!(said.get("email").is_none(), "{said}");
    }
}
