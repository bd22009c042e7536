//! A page calls for the account that it was made for, and for no other.

use crate::app::{Answer, Browser, EMAIL, PASSWORD, TestApp, with_form};
use reqwest::Method;

const HEADER: &str = "x-page-account";
const OTHER: &str = "grace@example.com";

/// The account that a page of this browser names.
async fn tag(browser: &Browser) -> String {
    let page = browser.open("/account").await;
    assert_eq!(page.status, 200);
    let (_, rest) = page.body.split_once("tabs.postMessage([\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// A call of a page that names this account.
async fn call(browser: &Browser, tag: &str, function: &str, form: &[(&str, &str)]) -> Answer {
    let request = browser
        .request(Method::POST, &format!("/api/{function}"))
        .header("origin", browser.url())
        .header("sec-fetch-site", "same-origin")
        .header(HEADER, tag);
    browser.send(with_form(request, form)).await
}

async fn read(browser: &Browser, tag: &str, function: &str) -> Answer {
    let request = browser.request(Method::GET, &format!("/api/{function}"));
    browser.send(request.header(HEADER, tag)).await
}

fn refusal(answer: &Answer) -> (u16, String) {
    let code = answer.json()["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (answer.status, code)
}

#[tokio::test]
async fn a_page_of_one_account_neither_acts_on_nor_reads_another() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    let page = tag(&ada).await;
    // Another tab of the same browser.
    assert_eq!(ada.sign_up(OTHER, PASSWORD).await.status, 200);
    let refused = (409, "another_account".to_owned());
    let key = [("label", "a program"), ("scopes", "profile:read")];
    for (function, form) in [
        ("create_api_key", &key[..]),
        ("end_other_sessions", &[]),
        ("confirm_password", &[("password", PASSWORD)]),
        ("sign_out", &[]),
        // The user of that page would end the session of the other tab.
        ("sign_in", &[("email", EMAIL), ("password", PASSWORD)]),
    ] {
        let answer = call(&ada, &page, function, form).await;
        assert_eq!(refusal(&answer), refused, "{function}");
        assert!(answer.set_cookies().is_empty(), "{function}");
    }
    for function in ["viewer", "list_sessions", "list_activity", "list_api_keys"] {
        let answer = read(&ada, &page, function).await;
        assert_eq!(refusal(&answer), refused, "{function}");
        assert!(!answer.body.contains(OTHER), "{function}");
    }
    // A form without JavaScript has the tag in a field.
    let form = [("account", &*page), ("password", PASSWORD)];
    let answer = ada
        .submit("/account/security", "confirm_password", &form)
        .await;
    assert_eq!(answer.status, 409);
    assert_eq!(ada.viewer().await.as_deref(), Some(OTHER));
    assert!(ada.list_api_keys().await.is_empty());
}

#[tokio::test]
async fn an_account_that_a_page_cannot_name_is_refused() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    let page = tag(&ada).await;
    for named in ["", "x", &page[1..], &format!("{page}x"), "\u{e9}"] {
        let answer = read(&ada, named, "viewer").await;
        assert_eq!(refusal(&answer).0, 409, "{named:?}");
    }
    let twice = ada
        .request(Method::GET, "/api/viewer")
        .header(HEADER, &page)
        .header(HEADER, &page);
    assert_eq!(ada.send(twice).await.status, 409);
}

#[tokio::test]
async fn a_page_goes_on_when_its_account_is_signed_in_again() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    let page = tag(&ada).await;
    assert_eq!(call(&ada, &page, "sign_out", &[]).await.status, 200);
    // Without a session there is no answer about the account, where an anonymous visitor gets one.
    let answer = read(&ada, &page, "viewer").await;
    assert_eq!(refusal(&answer), (401, "sign_in_needed".to_owned()));
    assert_eq!(ada.viewer().await, None);
    let again = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(call(&ada, &page, "sign_in", &again).await.status, 200);
    let answer = read(&ada, &page, "viewer").await;
    assert_eq!(answer.json()["email"], EMAIL);
    assert_eq!(tag(&ada).await, page);
}

#[tokio::test]
async fn a_tag_tells_nothing_of_its_user_and_is_on_no_page_of_an_anonymous_visitor() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    let grace = app.signed_up(OTHER).await;
    let (first, second) = (tag(&ada).await, tag(&grace).await);
    assert_ne!(first, second);
    assert_eq!(first.len(), 22);
    for path in ["/", "/sign-in"] {
        let page = app.browser().open(path).await;
        assert!(page.body.contains("postMessage(0)"), "{path}");
        assert!(!page.body.contains("/session"), "{path}");
    }
}
