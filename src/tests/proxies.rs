//! Proxies and networks as they are: connections that are kept, protocols that are offered, and
//! responses that have to fit into a proxy's buffer.

use crate::{
    app::{Answer, EMAIL, PASSWORD, TestApp, with_form},
    grants::{CALLBACK, other_app_with},
};
use reqwest::Method;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Most octets of a response's head that nginx takes with its usual buffers, and a reserve.
const HEAD_MAX: usize = 4_000;

/// Octets of the head as it travels.
fn head_of(answer: &Answer) -> usize {
    let lines = answer.headers.iter();
    let lines = lines.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    "HTTP/1.1 200 OK\r\n\r\n".len() + 20 + lines.sum::<usize>()
}

fn assert_fits(what: &str, answer: &Answer) {
    let octets = head_of(answer);
    assert!(
        octets <= HEAD_MAX,
        "{what}: {octets} octets: {:?}",
        answer.headers
    );
}

async fn ask(socket: &mut TcpStream, request: &str) -> String {
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\nok") {
        let mut buffer = [0; 4096];
        let count = socket.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "closed after {answer:?}");
        answer.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    answer
}

const LIVE: &str = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

/// Waits until the server closes the connection. Nothing else may arrive.
async fn closed(socket: &mut TcpStream) {
    let mut buffer = [0; 64];
    // A reset is an end as well.
    if let Ok(count) = socket.read(&mut buffer).await {
        assert_eq!(count, 0, "{:?}", String::from_utf8_lossy(&buffer[..count]));
    }
}

#[tokio::test]
async fn an_idle_connection_outlives_the_deadline_of_headers() {
    let app = TestApp::with(|config| {
        config.server.header_timeout_s = 1;
        config.server.keep_alive_timeout_s = 10;
    })
    .await;
    let mut kept = app.connect().await;
    ask(&mut kept, LIVE).await;
    // The deadline of headers passes on a connection that has said nothing, opened after it.
    let mut silent = app.connect().await;
    closed(&mut silent).await;
    ask(&mut kept, LIVE).await;
    // Headers that stop in the middle are closed at their own deadline, on a kept connection too,
    // and so long before the idle one: that is still open.
    let mut idle = app.connect().await;
    ask(&mut idle, LIVE).await;
    kept.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    closed(&mut kept).await;
    ask(&mut idle, LIVE).await;
    // It ends at the idle deadline.
    timeout(Duration::from_mins(1), closed(&mut idle))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_keep_alive_setting_outlasts_the_proxies() {
    let shipped = cloakroom::server::config::Config::default();
    // nginx keeps its connections for 60 s, Apache and most load balancers for as long or less.
    assert!(shipped.server.keep_alive_timeout_s >= 75);
}

#[tokio::test]
async fn an_offer_of_http_2_is_served_as_usual() {
    let app = TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec!["app.example".to_owned()];
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    for path in [
        "/",
        "/health/live",
        "/account",
        "/auth/check",
        "/api/viewer",
    ] {
        let request = browser
            .request(Method::GET, path)
            .header("connection", "Upgrade, HTTP2-Settings")
            .header("upgrade", "h2c")
            .header("http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA")
            .header("x-original-url", "https://app.example/")
            .header("accept", "*/*");
        assert_eq!(browser.send(request).await.status, 200, "{path}");
    }
    // A handshake of another site is refused however it is spelled, and beside another offer.
    for upgrade in ["websocket", "WebSocket", "h2c, websocket"] {
        let request = browser
            .request(Method::GET, "/account")
            .header("connection", "upgrade")
            .header("upgrade", upgrade)
            .header("origin", "https://evil.example");
        assert_eq!(browser.send(request).await.status, 403, "{upgrade}");
    }
}

#[tokio::test]
async fn the_head_of_every_response_fits_into_a_proxys_buffer() {
    let app = TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec!["app.example".to_owned()];
        config.session.renew_after_s = 1;
        config.session.cookie_suffix = "s".repeat(32);
    })
    .await;
    let long_back = format!("https://app.example/{}", "b".repeat(1_900));
    let client = other_app_with(&app, |said| {
        said.is_trusted = Some(true);
        said.redirect_uris = Some(vec![CALLBACK.to_owned(), long_back.clone()]);
        said.post_logout_redirect_uris = Some(vec![CALLBACK.to_owned()]);
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let stranger = app.browser();
    // One that is told, at each page, that its session is over.
    let ended = app.signed_up("grace@example.com").await;
    let cookies = app.browser();
    cookies.keep(&ended);
    ended.call("sign_out", &[]).await;

    // Addresses of any length and density.
    let many = |text: &str, octets: usize| text.repeat(octets / text.len());
    for octets in [1_000, 1_500, 2_000, 4_000, 8_000] {
        for text in ["a", "%41", "&=", "+", "%26%3D"] {
            let long = many(text, octets);
            for path in [
                format!("/account?{long}"),
                format!("/account/{}", many("a", octets)),
                format!("/account?__err={long}"),
                format!("/sign-in?next=/account?{long}"),
                format!("/sign-in?next={}", many("%2F", octets)),
                format!("/consent?{long}"),
                format!("/{}?__err=x", many("a", octets)),
                format!("/auth/return?to=https://app.example/{long}"),
                format!("/oauth2/authorize?{long}"),
                format!("/oauth2/logout?{long}"),
                client.link(&[("state", &long)]),
                client.link(&[("state", &long), ("redirect_uri", &long_back)]),
                client.link(&[
                    ("state", &long),
                    ("login_hint", &format!("{}@example.com", "é".repeat(30))),
                ]),
                client.link(&[("state", &long), ("prompt", "login")]),
                client.link(&[("state", &long), ("prompt", "none")]),
            ] {
                app.pass(2);
                ended.keep(&cookies);
                for (who, asks) in [
                    ("owner", &browser),
                    ("stranger", &stranger),
                    ("signed out", &ended),
                ] {
                    let answer = asks.open(&path).await;
                    assert_fits(&format!("{who}: {path}"), &answer);
                }
            }
            let preflight = stranger
                .request(Method::OPTIONS, "/oauth2/token")
                .header("origin", "https://app.example")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", &long);
            assert_fits("preflight", &stranger.send(preflight).await);
            let original = format!("https://app.example/?{long}");
            for query in ["", "?redirect=true"] {
                let check = stranger
                    .request(Method::GET, &format!("/auth/check{query}"))
                    .header("accept", "text/html")
                    .header("x-original-url", &original);
                assert_fits(&original, &stranger.send(check).await);
            }
            let form = [
                ("client_id", &*client.id),
                ("post_logout_redirect_uri", CALLBACK),
                ("state", &*long),
            ];
            let leave = stranger
                .request(Method::POST, "/oauth2/logout/confirmed")
                .header("origin", &app.url)
                .header("accept", "text/html");
            assert_fits("logout", &stranger.send(with_form(leave, &form)).await);
        }
    }
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_within_a_proxys_buffer() {
    let app = TestApp::with(|config| config.session.renew_after_s = 1).await;
    let client = other_app_with(&app, |_| {}).await;
    let browser = app.signed_up(EMAIL).await;
    let stranger = app.browser();
    let typed = format!("{}@{}.example.com", "a".repeat(60), "b".repeat(60));
    for octets in [100, 1_000, 1_400, 1_700] {
        let link = client.link(&[("state", &"s".repeat(octets))]);
        let sent = stranger.open(&link).await;
        let mut sign_in = sent.header("location").to_owned();
        if sign_in.is_empty() {
            // Too long to be asked at all.
            sign_in = format!("/sign-in?next=/account/{}", "n".repeat(octets));
        }
        let form = [
            ("email", &*typed),
            ("password", "a wrong password"),
            ("next", "/x"),
        ];
        let answer = stranger.submit(&sign_in, "sign_in", &form).await;
        assert_eq!(answer.header("location"), sign_in);
        assert_fits(&sign_in, &answer);
        let page = stranger.open(&sign_in).await;
        assert!(page.body.contains("do not match"), "{octets}");
        assert!(page.body.contains(&typed), "{octets}");
    }
    // A form with far more than fits keeps its short fields and its reason.
    app.pass(2);
    let scopes = "profile:read ".repeat(400);
    let form = [
        ("label", "Printer"),
        ("scopes", &*scopes),
        ("expires_in_days", "0"),
    ];
    let page = format!("/account/keys?{}", "x".repeat(2_300));
    for page in ["/account/keys", &page] {
        let answer = browser.submit(page, "create_api_key", &form).await;
        assert_fits(page, &answer);
        let to = answer.header("location").to_owned();
        assert!(to.starts_with("/account/keys"), "{to}");
        let shown = browser.open(&to).await;
        assert!(shown.body.contains("Printer"), "{page}");
    }
}

#[tokio::test]
async fn strict_transport_security_is_the_operators_to_set() {
    for (seconds, below, expected) in [
        (31_536_000, true, "max-age=31536000; includeSubDomains"),
        (600, false, "max-age=600"),
        (0, true, ""),
    ] {
        let app = TestApp::with(|config| {
            config.server.hsts_max_age_s = seconds;
            config.server.hsts_include_sub_domains = below;
        })
        .await;
        for path in ["/", "/nothing", "/health/live", "/v1/me"] {
            let answer = app.browser().open(path).await;
            assert_eq!(
                answer.header("strict-transport-security"),
                expected,
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn password_managers_find_the_page_that_changes_the_password() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let answer = browser.open("/.well-known/change-password").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/account/security")
    );
    let page = browser.open("/account/security").await;
    assert!(page.body.contains("New password"));
}

#[tokio::test]
async fn two_servers_on_ports_of_one_host_keep_their_users_apart() {
    let one = TestApp::new().await;
    let other = TestApp::with(|config| config.session.cookie_suffix = "other".to_owned()).await;
    // A browser sends the cookies of a host to each of its ports.
    let at_one = one.signed_up(EMAIL).await;
    let at_other = other.browser();
    at_other.keep(&at_one);
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let made = at_other.call("sign_up", &form).await;
    assert!(
        made.set_cookies()[0].starts_with("__Host-Http-session-other="),
        "{made:?}"
    );
    at_one.keep(&at_other);
    assert_eq!(at_one.viewer().await.as_deref(), Some(EMAIL));
    // A form that is refused at one is not shown by the other.
    let refused = at_other
        .submit("/sign-in", "sign_in", &[("email", "x"), ("password", "y")])
        .await;
    assert!(refused.set_cookies()[0].starts_with("__Host-Http-form-other="));
    assert_eq!(at_other.call("sign_out", &[]).await.status, 200);
    assert_eq!(at_other.viewer().await, None);
    at_one.keep(&at_other);
    assert_eq!(at_one.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(at_one.call("sign_out", &[]).await.status, 200);
    assert_eq!(at_one.viewer().await, None);
}

#[tokio::test]
async fn a_suffixed_cookie_is_guarded_as_the_usual_one() {
    let app = TestApp::with(|config| config.session.cookie_suffix = "other".to_owned()).await;
    let browser = app.signed_up(EMAIL).await;
    let name = "__Host-Http-session-other";
    let inspected = browser
        .send(browser.request(Method::GET, "/api/inspect_session"))
        .await;
    assert_eq!(inspected.json()["name"], name);
    // Nothing says where it comes from, and it would act for the user.
    let blind = browser.request(Method::POST, "/api/sign_out");
    assert_eq!(browser.send(with_form(blind, &[])).await.status, 403);
    let key = browser.key("profile:read").await;
    let both = browser
        .request(Method::GET, "/v1/me")
        .header("authorization", format!("Bearer {key}"));
    assert_eq!(browser.send(both).await.status, 400);
    browser.plant(name, "planted");
    assert_eq!(
        browser
            .send(browser.request(Method::GET, "/api/viewer"))
            .await
            .status,
        401
    );
}
