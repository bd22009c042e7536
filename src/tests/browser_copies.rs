//! Copies of private pages in browsers: forgotten when the session is over, and never made by a
//! speculative request.

use crate::{
    app::{Answer, Browser, EMAIL, TestApp, encoded},
    grants::{other_app, other_app_with, text},
};
use reqwest::Method;

/// What Chromium sends along, and other browsers do not.
const BRANDS: (&str, &str) = (
    "sec-ch-ua",
    r#""Chromium";v="148", "Google Chrome";v="148", "Not/A)Brand";v="99""#,
);
const LOGGED_OUT: &str = "https://app.example/bye";

/// How browsers mark a request that no click has caused.
const SPECULATIVE: [(&str, &str); 6] = [
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "prerender"),
    ("sec-purpose", "prefetch;prerender"),
    ("sec-purpose", "prefetch;anonymous-client-ip"),
    ("purpose", "prefetch"),
    ("x-moz", "prefetch"),
];

/// Opens a page, with these headers as well.
async fn open_with(browser: &Browser, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = browser
        .request(Method::GET, path)
        .header("accept", "text/html");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request).await
}

/// Signs out as a form does.
async fn sign_out_with(browser: &Browser, headers: &[(&str, &str)]) -> Answer {
    let mut request = browser
        .request(Method::POST, "/api/sign_out")
        .header("origin", browser.url())
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request).await
}

#[tokio::test]
async fn signing_out_does_not_make_chromium_walk_through_its_cache() {
    let app = TestApp::new().await;
    for html in [&[BRANDS][..], &[BRANDS, ("accept", "text/html")]] {
        let browser = app
            .signed_up(&format!("ada{}@example.com", html.len()))
            .await;
        let answer = sign_out_with(&browser, html).await;
        assert!([200, 303].contains(&answer.status), "{}", answer.body);
        assert_eq!(
            answer.header("clear-site-data"),
            r#""prefetchCache", "prerenderCache", "storage""#
        );
    }
}

#[tokio::test]
async fn signing_out_empties_the_cache_of_browsers_without_a_finer_word() {
    let app = TestApp::new().await;
    for brands in [
        None,
        Some(r#""Not/A)Brand";v="99", "Other";v="1""#),
        // Before it had these words.
        Some(r#""Chromium";v="137", "Not/A)Brand";v="8""#),
    ] {
        let browser = app
            .signed_up(&format!("ada{}@example.com", brands.map_or(0, str::len)))
            .await;
        let headers: Vec<_> = brands.map(|it| ("sec-ch-ua", it)).into_iter().collect();
        let answer = sign_out_with(&browser, &headers).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("clear-site-data"), r#""cache", "storage""#);
    }
}

#[tokio::test]
async fn an_app_that_signs_a_person_out_and_takes_them_back_leaves_no_pages_here() {
    let app = TestApp::new().await;
    let other = other_app_with(&app, |said| {
        said.post_logout_redirect_uris = Some(vec![LOGGED_OUT.to_owned()]);
    })
    .await;
    for (headers, word) in [(&[][..], "\"cache\""), (&[BRANDS], "\"prefetchCache\"")] {
        let browser = app.signed_up(&format!("{}@a.example", word.len())).await;
        let tokens = other.tokens(&browser, &[]).await;
        let query = encoded(&[
            ("id_token_hint", text(&tokens, "id_token")),
            ("post_logout_redirect_uri", LOGGED_OUT),
        ]);
        let answer = open_with(&browser, &format!("/oauth2/logout?{query}"), headers).await;
        assert_eq!(answer.header("location"), LOGGED_OUT);
        let forgets = answer.header("clear-site-data");
        assert!(forgets.contains(word), "{forgets}");
    }
}

#[tokio::test]
async fn a_browser_that_learns_of_its_sessions_end_forgets_pages_and_keeps_its_storage() {
    let app = TestApp::new().await;
    let elsewhere = app.signed_up(EMAIL).await;
    for (headers, expected) in [
        (&[][..], r#""cache""#),
        (&[BRANDS], r#""prefetchCache", "prerenderCache""#),
    ] {
        let browser = app.browser();
        browser.sign_in(EMAIL, crate::app::PASSWORD).await;
        let page = open_with(&browser, "/account", headers).await;
        assert_eq!((page.status, page.header("clear-site-data")), (200, ""));
        elsewhere.call("end_other_sessions", &[]).await;
        let page = open_with(&browser, "/account", headers).await;
        assert_eq!(page.status, 303);
        assert_eq!(page.header("clear-site-data"), expected);
    }
    // An anonymous visitor has nothing to forget.
    let page = app.browser().open("/account").await;
    assert_eq!((page.status, page.header("clear-site-data")), (303, ""));
}

#[tokio::test]
async fn a_speculative_request_with_a_session_gets_nothing_and_renews_nothing() {
    let app = TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec!["wiki.example".to_owned()];
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(400);
    let before = browser.session();
    let paths = [
        "/",
        "/account",
        "/account/sessions",
        "/sign-in",
        "/nothing-here",
        "/api/viewer",
        "/api/list_sessions",
        "/auth/return?to=https%3A%2F%2Fwiki.example%2F",
        "/auth/check",
    ];
    for path in paths {
        for purpose in SPECULATIVE {
            // A page of a sibling host can cause one: Chromium says that no page did.
            let site = if path.starts_with("/api/") {
                "same-origin"
            } else {
                "none"
            };
            let headers = [
                purpose,
                ("sec-fetch-site", site),
                ("x-original-url", "https://wiki.example/"),
            ];
            let answer = open_with(&browser, path, &headers).await;
            assert_eq!(answer.status, 403, "{path} {purpose:?}");
            assert_eq!(answer.body, "", "{path}");
            assert_eq!(answer.header("remote-user"), "", "{path}");
            assert!(answer.set_cookies().is_empty(), "{path} {purpose:?}");
        }
    }
    assert_eq!(browser.session(), before);
    // It was due.
    assert_eq!(browser.open("/account").await.set_cookies().len(), 1);
}

#[tokio::test]
async fn a_speculative_request_does_not_use_up_what_is_shown_once() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let form = [
        ("label", "a script"),
        ("scopes", "profile:read"),
        ("expires_in_days", "1"),
    ];
    let made = browser
        .submit("/account/keys", "create_api_key", &form)
        .await;
    assert_eq!(made.status, 303);
    for purpose in SPECULATIVE {
        let answer = open_with(&browser, "/account/keys", &[purpose]).await;
        assert!(answer.set_cookies().is_empty());
    }
    let page = browser.open(made.header("location")).await;
    assert!(page.body.contains("Your new key"), "{}", page.body);

    // Without a session as well: what an anonymous visitor typed waits for the click.
    let visitor = app.browser();
    visitor
        .submit(
            "/sign-up",
            "sign_up",
            &[("email", "ada@"), ("password", "")],
        )
        .await;
    open_with(&visitor, "/sign-up", &[SPECULATIVE[0]]).await;
    assert!(visitor.open("/sign-up").await.body.contains("ada@"));
}

#[tokio::test]
async fn a_speculative_request_gives_no_code_and_signs_no_one_out() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    let codes = "SELECT COUNT(*) FROM authorization_codes";
    let before = app.count(codes).await;
    let hint = encoded(&[("id_token_hint", text(&tokens, "id_token"))]);
    for purpose in SPECULATIVE {
        for path in [other.link(&[]), format!("/oauth2/logout?{hint}")] {
            let answer = open_with(&browser, &path, &[purpose]).await;
            assert_eq!((answer.status, answer.header("location")), (403, ""));
        }
    }
    assert_eq!(app.count(codes).await, before);
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    // Each of the two does it at the click.
    assert_eq!(browser.open(&other.link(&[])).await.status, 303);
    assert_eq!(app.count(codes).await, before + 1);
    browser.open(&format!("/oauth2/logout?{hint}")).await;
    assert_eq!(browser.viewer().await, None);
}

#[tokio::test]
async fn an_anonymous_visitor_may_prefetch_public_pages() {
    let app = TestApp::new().await;
    for path in ["/", "/sign-in", "/sign-up", "/developers", "/favicon.svg"] {
        let plain = app.browser().open(path).await.status;
        for purpose in SPECULATIVE {
            let answer = open_with(&app.browser(), path, &[purpose]).await;
            assert_eq!(answer.status, plain, "{path}");
        }
    }
    // What is the same for all visitors is so with a session, too.
    let browser = app.signed_up(EMAIL).await;
    let answer = open_with(&browser, "/developers", &[SPECULATIVE[0]]).await;
    assert_eq!(answer.status, 200);
}
