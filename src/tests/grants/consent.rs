//! What a person is asked, and what their word is good for.

use super::{CALLBACK, code_of, other_app, other_app_with, param, text};
use crate::app::{EMAIL, PASSWORD, TestApp, with_form};
use reqwest::Method;

#[tokio::test]
async fn another_site_gives_nobodys_word() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let query = other.query(&[]);
    let form = [("request", &*query), ("decision", "allow")];
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://app.example"),
        ("origin", "null"),
    ] {
        let request = browser
            .request(Method::POST, "/api/decide_authorization")
            .header(name, value);
        let answer = browser.send(with_form(request, &form)).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM grants").await, 0);
    let page = browser.open(&format!("/consent?{query}")).await;
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(
        page.header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
}

#[tokio::test]
async fn a_decision_without_a_session_is_asked_again_after_signing_in() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let query = other.query(&[]);
    let page = format!("/consent?{query}");
    app.pass(3_601);
    let form = [("request", &*query), ("decision", "allow")];
    let answer = browser.submit(&page, "decide_authorization", &form).await;
    let sign_in = answer.header("location");
    assert!(sign_in.starts_with("/sign-in?next=/consent?"), "{sign_in}");
    let told = browser.open(sign_in).await.body;
    assert!(told.contains("You were signed out. Sign in to go on."));
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", &*page)];
    let answer = browser.submit(sign_in, "sign_in", &form).await;
    assert_eq!(answer.header("location"), page);
    let asked = browser.open(&page).await.body;
    assert!(asked.contains("this was not done") && asked.contains("value=\"allow\""));
    assert_eq!(app.count("SELECT COUNT(*) FROM grants").await, 0);
}

#[tokio::test]
async fn the_page_says_who_asks_for_what_and_where_it_goes() {
    let app = TestApp::new().await;
    let other = other_app_with(&app, |said| {
        said.name = Some("Notes & <b>More</b>".to_owned());
    })
    .await;
    let scope = [("scope", "openid email offline_access notes:read")];
    let query = other.query(&scope);
    let stranger = app.browser().open(&format!("/consent?{query}")).await;
    assert!(
        stranger
            .header("location")
            .starts_with("/sign-in?next=/consent")
    );
    let browser = app.signed_up(EMAIL).await;
    let page = browser.open(&format!("/consent?{query}")).await;
    assert_eq!(page.status, 200);
    for said in [
        "Notes &amp; &lt;b&gt;More&lt;/b&gt;",
        "app.example",
        EMAIL,
        "Recognise you",
        "Read your e-mail address",
        "for up to 30 days, also after you sign out",
        "notes:read",
    ] {
        assert!(page.body.contains(said), "{said}");
    }
    // Of a request that nobody can answer there is nothing to allow.
    for broken in [
        "",
        "client_id=x",
        &other.query(&[("redirect_uri", "https://evil.example/")]),
        &other.query(&[("code_challenge", "")]),
    ] {
        let page = browser.open(&format!("/consent?{broken}")).await;
        assert!(page.body.contains("cannot be read"), "{broken}");
        assert!(!page.body.contains("evil.example"));
        let form = [("request", broken), ("decision", "allow")];
        let answer = browser.call("decide_authorization", &form).await;
        assert_eq!(answer.status, 400, "{broken}");
    }
}

#[tokio::test]
async fn whoever_says_no_goes_back_with_that() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let asked = browser.open(&other.link(&[])).await;
    let page = asked.header("location").to_owned();
    let query = page.split_once('?').unwrap().1;
    let form = [("request", query), ("decision", "deny")];
    let answer = browser.submit(&page, "decide_authorization", &form).await;
    assert_eq!(answer.status, 303);
    let back = browser.open(answer.header("location")).await;
    let to = back.header("location");
    assert!(to.starts_with(CALLBACK));
    assert_eq!(param(to, "error").as_deref(), Some("access_denied"));
    assert_eq!(param(to, "state").as_deref(), Some("the state"));
    assert_eq!(app.count("SELECT COUNT(*) FROM grants").await, 0);
}

#[tokio::test]
async fn consent_is_remembered_for_what_it_was_given_for() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let second = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    other.allowed(&browser, &[]).await;
    let is_asked = async |other: &super::OtherApp<'_>, params: &[(&str, &str)]| {
        let answer = browser.open(&other.link(params)).await;
        answer.header("location").starts_with("/consent?")
    };
    assert!(!is_asked(&other, &[]).await);
    assert!(!is_asked(&other, &[("scope", "openid")]).await);
    assert!(is_asked(&other, &[("scope", "openid notes:read")]).await);
    assert!(is_asked(&other, &[("scope", "openid email offline_access")]).await);
    assert!(is_asked(&other, &[("prompt", "consent")]).await);
    assert!(is_asked(&second, &[]).await);
    // It outlives the session, as its owner can see.
    browser.call("sign_out", &[]).await;
    browser.sign_in(EMAIL, PASSWORD).await;
    assert!(!is_asked(&other, &[]).await);
    assert_eq!(browser.list_apps().await.len(), 1);
    // Nobody else's word is theirs.
    let grace = app.signed_up("grace@example.com").await;
    let answer = grace.open(&other.link(&[])).await;
    assert!(answer.header("location").starts_with("/consent?"));
}

#[tokio::test]
async fn a_trusted_client_is_not_asked_about() {
    let app = TestApp::new().await;
    let other = other_app_with(&app, |said| said.is_trusted = Some(true)).await;
    let browser = app.signed_up(EMAIL).await;
    let code = code_of(&browser.open(&other.link(&[])).await);
    let tokens = other.redeem(&code).await.json();
    assert!(other.is_good(text(&tokens, "access_token")).await);
}

#[tokio::test]
async fn a_program_that_any_other_could_be_is_asked_about_each_time() {
    let app = TestApp::new().await;
    let address = "com.example.app:/callback";
    let other = other_app_with(&app, |said| {
        said.authentication = Some(cloakroom::server::clients::NewAuthentication::None);
        said.redirect_uris = Some(vec![address.to_owned()]);
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let params = [("redirect_uri", address)];
    let asked = browser.open(&other.link(&params)).await;
    let query = asked
        .header("location")
        .split_once('?')
        .unwrap()
        .1
        .to_owned();
    let form = [("request", &*query), ("decision", "allow")];
    let said = browser.call("decide_authorization", &form).await;
    let next = said.json()["next"].as_str().unwrap().to_owned();
    let sent = browser.open(&next).await;
    assert!(
        sent.header("location")
            .starts_with("com.example.app:/callback?code=")
    );
    // From a form of ours a browser goes on by a page of ours, to there as well.
    let request = browser
        .request(Method::GET, &next)
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin");
    let page = browser.send(request).await;
    assert!(page.body.contains("url=com.example.app:/callback?code="));
    assert!(page.body.contains("Going on to "));
    app.pass(60);
    let asked = browser.open(&other.link(&params)).await;
    assert!(asked.header("location").starts_with("/consent?"));
}

#[tokio::test]
async fn what_was_allowed_is_among_what_happened() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(1);
    other.allowed(&browser, &[]).await;
    app.pass(1);
    browser
        .call("revoke_app", &[("client_id", &other.id)])
        .await;
    let happened = browser.list_activity().await;
    assert_eq!(happened, ["app_revoked", "app_allowed", "signed_up"]);
}
