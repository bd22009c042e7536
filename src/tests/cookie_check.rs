//! A browser that does not keep the cookie of a new session: its user reads why, and no session is
//! left behind.

use crate::{
    app::{Answer, Browser, COOKIE, EMAIL, PASSWORD, TestApp, with_form},
    grants::other_app,
};
use reqwest::{Method, RequestBuilder, header};

const FORM: [(&str, &str); 2] = [("email", EMAIL), ("password", PASSWORD)];
const LIVE: &str = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL";

/// Signs in by a plain form; where the browser is sent.
async fn sign_in(browser: &Browser, next: &str) -> String {
    let form = [FORM[0], FORM[1], ("next", next)];
    let answer = browser.submit_and_stop("/sign-in", "sign_in", &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let to = answer.header("location").to_owned();
    assert!(to.starts_with("/signed-in?"), "{to}");
    to
}

/// The next request of a navigation that began on a page here.
fn follow(browser: &Browser, path: &str) -> RequestBuilder {
    browser
        .request(Method::GET, path)
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
}

#[tokio::test]
async fn a_sign_in_whose_cookie_is_not_kept_says_why_and_leaves_no_session() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    for (round, function) in ["sign_in", "sign_up", "sign_in"].into_iter().enumerate() {
        let browser = app.browser();
        let address = format!("eve-{round}@example.com");
        let email = if function == "sign_in" {
            EMAIL
        } else {
            &address
        };
        let next = "/account/sessions?q=%2B+1";
        let form = [("email", email), ("password", PASSWORD), ("next", next)];
        // With a script and without.
        let check = if round == 0 {
            let answer = browser.call(function, &form).await;
            answer.json()["next"].as_str().unwrap().to_owned()
        } else {
            let answer = browser.submit_and_stop("/", function, &form).await;
            answer.header("location").to_owned()
        };
        assert_eq!(app.count(LIVE).await, 2, "{function}");
        browser.forget_cookies();
        let told = browser.send(follow(&browser, &check)).await;
        assert_eq!(told.status, 400, "{}", told.body);
        assert!(told.body.contains("You are not signed in"), "{}", told.body);
        assert!(told.body.contains("allow cookies for this site"));
        assert_eq!(app.count(LIVE).await, 1, "{function}");
        // A reload says the same.
        let again = browser.send(follow(&browser, &check)).await;
        assert_eq!((again.status, again.body), (400, told.body));
        assert_eq!(app.count(LIVE).await, 1);
    }
    let recorded = "SELECT COUNT(*) FROM activity WHERE kind = 'signed_out'";
    assert_eq!(app.count(recorded).await, 3);
}

#[tokio::test]
async fn a_kept_cookie_leads_on_octet_for_octet() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    for next in [
        "/account",
        "/account/keys?a=%2B%20+&b='c'#part",
        "/oauth2/authorize?state=%F0%9F%A7%A5&x=%",
    ] {
        let browser = app.browser();
        let check = sign_in(&browser, next).await;
        let answer = browser.send(follow(&browser, &check)).await;
        assert_eq!((answer.status, answer.header("location")), (303, next));
        assert!(answer.set_cookies().is_empty());
        // A browser that has shown a session before is not led this way.
        let form = [FORM[0], FORM[1], ("next", next)];
        let again = browser.submit_and_stop("/sign-in", "sign_in", &form).await;
        assert_eq!(again.header("location"), next);
    }
}

#[tokio::test]
async fn the_address_of_the_check_signs_no_browser_in_and_ends_only_its_own_session() {
    let app = TestApp::new().await;
    let others = app.signed_up("mallory@example.com").await;
    let owner = app.signed_up(EMAIL).await;
    let browser = app.browser();
    let check = sign_in(&browser, "/account").await;
    // A browser with a session of its own goes on in that one.
    let answer = others.send(follow(&others, &check)).await;
    assert_eq!(answer.header("location"), "/account");
    // One with a cookie that is no longer good has cookies.
    let stale = app.browser();
    stale.plant(COOKIE, "a.b.c");
    let answer = stale.send(follow(&stale, &check)).await;
    assert_eq!(answer.header("location"), "/sign-in?next=/account");
    // Neither another site's page, a typed address, a prefetch nor HEAD is the next request of a
    // sign-in.
    let stranger = app.browser();
    let plain = || stranger.request(Method::GET, &check);
    for request in [
        plain().header("sec-fetch-site", "cross-site"),
        plain().header("sec-fetch-site", "none"),
        plain().header("sec-purpose", "prefetch"),
        stranger.request(Method::HEAD, &check),
    ] {
        let answer = stranger.send(request).await;
        assert_eq!(answer.header("location"), "/sign-in?next=/account");
    }
    // A value that is changed, that is moved to another address, or that is missing.
    let (_, sealed) = check.split_once("session=").unwrap();
    let turned: String = sealed.chars().rev().collect();
    for (path, to) in [
        (check.replace(sealed, &turned), "/sign-in?next=/account"),
        (
            check.replace("next=/account", "next=/account/keys"),
            "/sign-in?next=/account/keys",
        ),
        ("/signed-in".to_owned(), "/sign-in?next=/account"),
    ] {
        let answer = stranger.send(follow(&stranger, &path)).await;
        assert_eq!((answer.status, answer.header("location")), (303, to));
    }
    assert_eq!(app.count(LIVE).await, 3);
    assert!(stranger.session().is_none());
    // After a minute it ends nothing.
    app.pass(60);
    stranger.send(follow(&stranger, &check)).await;
    assert_eq!(app.count(LIVE).await, 3);
    for signed_in in [&others, &owner, &browser] {
        assert!(signed_in.viewer().await.is_some());
    }
}

/// A scanner of links, or a proxy that looks at what browsers ask for.
#[tokio::test]
async fn another_client_that_follows_the_check_ends_no_session() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    let browser = app.browser();
    let check = sign_in(&browser, "/account").await;
    let scanner = app.browser();
    let request = follow(&scanner, &check).header(header::USER_AGENT, "a scanner of links");
    scanner.send(request).await;
    assert_eq!(app.count(LIVE).await, 2);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn an_address_of_another_site_is_not_led_on_to_by_the_check() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    for next in ["//evil.example", "https://evil.example/", "/\\evil.example"] {
        let path = format!("/signed-in?{}", crate::app::encoded(&[("next", next)]));
        let answer = browser.open(&path).await;
        assert_eq!(answer.header("location"), "/account", "{next}");
    }
}

/// What a browser that keeps no cookie reads, at this address and on a page of this scheme.
async fn told_at(app: &TestApp, host: &str, scheme: &str, says_site: bool) -> Answer {
    let browser = app.browser();
    let origin = format!("{scheme}://{host}");
    let from_here = |method, path: &str| {
        let request = browser
            .request(method, path)
            .header("host", host)
            .header("accept", "text/html")
            .header("referer", format!("{origin}/sign-in"));
        if says_site {
            request.header("sec-fetch-site", "same-origin")
        } else {
            request
        }
    };
    let post = from_here(Method::POST, "/api/sign_in").header("origin", &origin);
    let answer = browser.send(with_form(post, &FORM)).await;
    let check = answer.header("location").to_owned();
    browser.forget_cookies();
    browser.send(from_here(Method::GET, &check)).await
}

#[tokio::test]
async fn the_reason_and_the_way_out_fit_the_address_of_the_page() {
    const CONFIGURED: &str = "https://accounts.example";
    let app = TestApp::with(|config| CONFIGURED.clone_into(&mut config.oidc.issuer)).await;
    let unconfigured = TestApp::new().await;
    for app in [&app, &unconfigured] {
        app.signed_up(EMAIL).await;
    }
    let link = format!("href=\"{CONFIGURED}/sign-in?next=/account\"");
    let here = "href=\"/sign-in?next=/account\"".to_owned();
    let local = "href=\"http://localhost:3000/sign-in?next=/account\"".to_owned();
    for (app, host, scheme, words, link) in [
        (&app, "nas.lan:3000", "http", "encrypted address", &link),
        (&app, "accounts.example", "http", "encrypted address", &link),
        (&app, "nas.lan", "https", "usual address", &link),
        (&app, "accounts.example", "https", "blocks cookies", &here),
        (&unconfigured, "nas.lan", "http", "begins with https", &here),
        (&unconfigured, "nas.lan", "https", "blocks cookies", &here),
        (
            &unconfigured,
            "localhost:3000",
            "http",
            "blocks cookies",
            &here,
        ),
        (
            &unconfigured,
            "127.0.0.1:3000",
            "http",
            "usual address",
            &local,
        ),
    ] {
        let told = told_at(app, host, scheme, scheme == "https").await;
        assert_eq!(told.status, 400, "{scheme}://{host}");
        assert!(
            told.body.contains(words),
            "{scheme}://{host}: {}",
            told.body
        );
        assert!(
            told.body.contains(&**link),
            "{scheme}://{host}: {}",
            told.body
        );
    }
}

#[tokio::test]
async fn the_longest_address_that_is_led_on_to_has_room_in_a_head_of_a_page() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    for length in [2_000, 2_236, 2_243, 2_244, 2_300, 2_399, 2_400] {
        let next = format!("/account/{}", "x".repeat(length - 9));
        let form = crate::app::encoded(&[FORM[0], FORM[1], ("next", &next)]);
        let head = format!(
            "POST /api/sign_in HTTP/1.1\r\nhost: x\r\norigin: http://x\r\naccept: text/html\r\n\
             referer: http://x/sign-in\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{form}",
            form.len()
        );
        let answer = app.raw(head).await;
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 303"), "{head}");
        assert!(head.len() + 4 <= 4_000, "{length}: {}", head.len());
        assert!(head.contains(&next), "{length}: {head}");
    }
}

#[tokio::test]
async fn a_clients_popup_keeps_its_opener_through_the_check() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    let client = other_app(&app).await;
    for (next, kept) in [
        (client.link(&[]), "unsafe-none"),
        ("/account".to_owned(), "same-origin"),
    ] {
        let browser = app.browser();
        let check = sign_in(&browser, &next).await;
        let answer = browser.send(follow(&browser, &check)).await;
        assert_eq!(answer.header("location"), next);
        assert_eq!(answer.header("cross-origin-opener-policy"), kept);
        assert_eq!(
            answer.header(header::CACHE_CONTROL.as_str()),
            "no-store, no-transform"
        );
    }
}
