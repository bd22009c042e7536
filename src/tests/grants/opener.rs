//! The window that opened a page: kept while a client's request is served, as clients that sign
//! their users in from a popup need it, and cut off everywhere else.

use super::{CALLBACK, other_app, other_app_with};
use crate::app::{Answer, Browser, EMAIL, PASSWORD, TestApp, encoded, with_form};
use reqwest::Method;

fn policy(answer: &Answer) -> &str {
    answer.header("cross-origin-opener-policy")
}

async fn assert_policy(browser: &Browser, path: &str, expected: &str) -> Answer {
    let answer = browser.open(path).await;
    assert_eq!(policy(&answer), expected, "{path}: {}", answer.status);
    answer
}

#[tokio::test]
async fn every_response_on_a_clients_way_through_a_popup_keeps_the_opener() {
    let app = TestApp::new().await;
    let client = other_app(&app).await;
    let browser = app.browser();
    let kept = "unsafe-none";
    let link = client.link(&[]);
    let sign_in = assert_policy(&browser, &link, kept).await;
    let sign_in = sign_in.header("location").to_owned();
    assert_policy(&browser, &sign_in, kept).await;
    let sign_up = sign_in.replace("/sign-in", "/sign-up");
    assert_policy(&browser, &sign_up, kept).await;
    // Forms without JavaScript: refused, and done.
    let mut form = vec![("email", EMAIL), ("password", "short"), ("next", &*link)];
    let refused = browser.submit(&sign_up, "sign_up", &form).await;
    assert_eq!((refused.status, policy(&refused)), (303, kept));
    form[1] = ("password", PASSWORD);
    let done = browser.submit(&sign_up, "sign_up", &form).await;
    assert_eq!((done.header("location"), policy(&done)), (&*link, kept));
    let asked = assert_policy(&browser, &link, kept).await;
    let consent = asked.header("location").to_owned();
    assert_policy(&browser, &consent, kept).await;
    let request = consent.split_once('?').unwrap().1;
    let form = [("request", request), ("decision", "allow")];
    let decided = browser
        .submit(&consent, "decide_authorization", &form)
        .await;
    assert_eq!((decided.status, policy(&decided)), (303, kept));
    // From a form of ours the browser leaves by a page of ours.
    let leave = browser
        .request(Method::GET, decided.header("location"))
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin");
    let left = browser.send(leave).await;
    assert_eq!((left.status, policy(&left)), (200, kept));
    // The client's page may send its request as a form.
    let post = app
        .browser()
        .request(Method::POST, "/oauth2/authorize")
        .header("origin", "https://app.example");
    let post = post
        .header("content-type", "application/x-www-form-urlencoded")
        .body(client.query(&[]));
    assert_eq!(policy(&browser.send(post).await), kept);
}

#[tokio::test]
async fn a_clients_sign_out_in_a_popup_keeps_the_opener() {
    let app = TestApp::new().await;
    let client = other_app_with(&app, |said| {
        said.post_logout_redirect_uris = Some(vec![CALLBACK.to_owned()]);
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let query = encoded(&[
        ("client_id", &*client.id),
        ("post_logout_redirect_uri", CALLBACK),
    ]);
    let page = format!("/oauth2/logout?{query}");
    assert_policy(&browser, &page, "unsafe-none").await;
    let confirmed = browser
        .request(Method::POST, "/oauth2/logout/confirmed")
        .header("origin", &app.url)
        .header("sec-fetch-site", "same-origin")
        .header("referer", format!("{}{page}", app.url));
    let form = [
        ("client_id", &*client.id),
        ("post_logout_redirect_uri", CALLBACK),
    ];
    let left = browser.send(with_form(confirmed, &form)).await;
    assert_eq!((left.status, policy(&left)), (200, "unsafe-none"));
}

#[tokio::test]
async fn a_form_in_a_popup_keeps_the_opener_where_no_referer_names_its_page() {
    let app = TestApp::new().await;
    let client = other_app(&app).await;
    let page = format!("/sign-in?{}", encoded(&[("next", &*client.link(&[]))]));
    let browser = app.browser();
    let request = browser
        .request(Method::POST, "/api/sign_in")
        .header("origin", &app.url)
        .header("accept", "text/html");
    let form = [("page", &*page), ("email", EMAIL), ("password", "wrong")];
    let refused = browser.send(with_form(request, &form)).await;
    assert_eq!(
        (refused.header("location"), policy(&refused)),
        (&*page, "unsafe-none")
    );
}

#[tokio::test]
async fn another_site_that_opens_any_other_page_is_cut_off() {
    let app = TestApp::new().await;
    let client = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let cut = "same-origin";
    let next = |next: &str| encoded(&[("next", next)]);
    let unknown = client.link(&[("client_id", "client-unknown")]);
    let elsewhere = client.link(&[("redirect_uri", "https://evil.example/")]);
    for path in [
        "/",
        "/account",
        "/account/security",
        "/sign-in",
        "/sign-up",
        "/consent",
        "/oauth2/authorize",
        "/oauth2/logout",
        "/oauth2/logout?state=x",
        "/developers",
        "/nothing",
        &unknown,
        &elsewhere,
        &format!("/consent?{}", unknown.split_once('?').unwrap().1),
        &format!("/sign-in?{}", next("/account")),
        &format!("/sign-in?{}", next("/oauth2/authorize")),
        &format!("/sign-in?{}", next(&unknown)),
        &format!("/sign-in?{}", next(&elsewhere)),
        &format!("/sign-up?{}", next(&format!("//evil.example{unknown}"))),
        &format!("/account?{}", next(&client.link(&[]))),
    ] {
        assert_policy(&browser, path, cut).await;
        assert_policy(&app.browser(), path, cut).await;
    }
    let refused = browser
        .submit("/sign-in", "sign_in", &[("email", "x"), ("password", "y")])
        .await;
    assert_eq!(policy(&refused), cut);
    // A page of another site cannot claim to be one that serves a client.
    let foreign = browser
        .request(Method::POST, "/api/sign_in")
        .header("origin", "https://evil.example")
        .header(
            "referer",
            format!("https://evil.example{}", client.link(&[])),
        );
    let refused = browser.send(with_form(foreign, &[("email", "x")])).await;
    assert_eq!((refused.status, policy(&refused)), (403, cut));
}
