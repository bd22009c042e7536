//! A client asks that somebody be signed out here as well: its word alone signs nobody out.

use super::{OtherApp, other_app_with, text};
use crate::app::{Answer, Browser, EMAIL, PASSWORD, TestApp, encoded, with_form};
use reqwest::Method;

const BACK: &str = "https://app.example/bye";

async fn wiki(app: &TestApp) -> OtherApp<'_> {
    other_app_with(app, |said| {
        said.post_logout_redirect_uris = Some(vec![BACK.to_owned()]);
    })
    .await
}

fn link(params: &[(&str, &str)]) -> String {
    format!("/oauth2/logout?{}", encoded(params))
}

/// Where our own page sends the person's word.
const CONFIRMED: &str = "/oauth2/logout/confirmed";

/// A form, as a page of such a site sends it.
async fn post(browser: &Browser, path: &str, site: &str, params: &[(&str, &str)]) -> Answer {
    let request = browser
        .request(Method::POST, path)
        .header("sec-fetch-site", site);
    browser.send(with_form(request, params)).await
}

#[tokio::test]
async fn a_link_alone_signs_nobody_out() {
    let app = TestApp::new().await;
    let other = wiki(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let mine = other.tokens(&browser, &[]).await;
    let mine = text(&mine, "id_token");
    let mallory = app.signed_up("mallory@example.com").await;
    let theirs = other.tokens(&mallory, &[]).await;
    let theirs = text(&theirs, "id_token");
    let mut forged = mine.to_owned();
    forged.pop();
    let second = wiki(&app).await;
    let back = ("post_logout_redirect_uri", BACK);
    for params in [
        &[][..],
        &[back],
        &[back, ("client_id", &other.id)],
        &[back, ("id_token_hint", theirs)],
        &[back, ("id_token_hint", &forged)],
        &[back, ("id_token_hint", "nonsense")],
        &[back, ("id_token_hint", mine), ("client_id", &second.id)],
        &[back, ("id_token_hint", mine), ("id_token_hint", mine)],
        &[back, ("logout_hint", EMAIL)],
    ] {
        let answer = browser.open(&link(params)).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (200, ""),
            "{params:?}"
        );
        assert!(answer.body.contains("Do you want to sign out?"));
        assert!(answer.set_cookies().is_empty());
        assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    }
    // Another site's form does not say it for them.
    for site in ["cross-site", "same-site"] {
        let answer = post(&browser, CONFIRMED, site, &[("id_token_hint", mine)]).await;
        assert_eq!(answer.status, 403);
    }
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn a_client_of_the_same_person_signs_them_out_and_gets_them_back() {
    let app = TestApp::new().await;
    let other = wiki(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    // However old it is.
    app.pass(3_000);
    let params = [
        ("id_token_hint", text(&tokens, "id_token")),
        ("post_logout_redirect_uri", BACK),
        ("state", "a state"),
    ];
    let answer = browser.open(&link(&params)).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), format!("{BACK}?state=a+state"));
    assert!(answer.header("clear-site-data").contains("storage"));
    assert_eq!(browser.session(), None);
    assert_eq!(
        other.refresh(text(&tokens, "refresh_token")).await.status,
        400
    );
    // Once more, nothing happens, and they get back all the same.
    let again = browser.open(&link(&params)).await;
    assert_eq!(again.status, 303);
}

#[tokio::test]
async fn an_address_that_is_not_registered_is_not_gone_to() {
    let app = TestApp::new().await;
    let other = wiki(&app).await;
    for address in [
        "https://evil.example/",
        "https://app.example/bye/",
        "https://app.example/bye?x",
        "https://app.example/callback",
        "javascript:alert(1)",
    ] {
        let browser = app.browser();
        browser
            .sign_up(&format!("{}@example.com", address.len()), PASSWORD)
            .await;
        let tokens = other.tokens(&browser, &[]).await;
        let params = [
            ("id_token_hint", text(&tokens, "id_token")),
            ("post_logout_redirect_uri", address),
        ];
        let answer = browser.open(&link(&params)).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (200, ""),
            "{address}"
        );
        assert!(answer.body.contains("You are signed out."));
        assert!(!answer.body.contains("evil"));
        assert_eq!(browser.viewer().await, None);
    }
}

#[tokio::test]
async fn whoever_says_yes_is_signed_out_and_goes_where_the_client_is_registered_with() {
    let app = TestApp::new().await;
    let other = wiki(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let params = [
        ("client_id", &*other.id),
        ("post_logout_redirect_uri", BACK),
    ];
    let page = browser.open(&link(&params)).await;
    assert!(page.body.contains(&format!("value=\"{BACK}\"")));
    // A page of ours goes on: the browser holds the form to this origin.
    assert!(page.body.contains(&format!("action=\"{CONFIRMED}\"")));
    let answer = post(&browser, CONFIRMED, "same-origin", &params).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains(&format!("url={BACK}")));
    assert_eq!(browser.session(), None);
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn another_sites_form_is_asked_once_more_by_a_link() {
    let app = TestApp::new().await;
    let other = wiki(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let params = [
        ("id_token_hint", text(&tokens, "id_token")),
        ("post_logout_redirect_uri", BACK),
        ("state", "a state"),
    ];
    let answer = post(&browser, "/oauth2/logout", "cross-site", &params).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), link(&params));
    // Nothing has happened yet: no cookie was looked at.
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    let answer = browser.open(answer.header("location")).await;
    assert_eq!(answer.header("location"), format!("{BACK}?state=a+state"));
    assert_eq!(browser.viewer().await, None);
    // What cannot stand in an address goes nowhere.
    for long in ["x".repeat(2_000), "\u{0}\r\nset-cookie: a=b".to_owned()] {
        let request = browser
            .request(Method::POST, "/oauth2/logout")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "cross-site")
            .body(long);
        let answer = browser.send(request).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""));
    }
}
