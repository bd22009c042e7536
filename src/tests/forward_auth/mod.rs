//! Forward auth: the answers to a proxy. `nginx.rs` and `caddy.rs` ask by real ones.

mod addresses;
mod behind;
mod caddy;
mod envoy;
mod nginx;
mod preflights;
mod proxies;
mod renewals;
mod requests;
mod traefik;

use crate::{
    app::{Answer, Browser, EMAIL, PASSWORD, TestApp, encoded},
    place::Place,
};
use http::{HeaderMap, HeaderName};
use reqwest::Method;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const APP: &str = "https://example.com:8443/wiki?page=1&of=2";

async fn serving() -> TestApp {
    TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec!["example.com:8443".to_owned()];
        "https://example.com".clone_into(&mut config.oidc.issuer);
    })
    .await
}

async fn check(browser: &Browser, query: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = browser.request(Method::GET, &format!("/auth/check{query}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request).await
}

/// Sends a request octet for octet, without a client's library in between. `head` is the request
/// line and the lines of headers, each with CR LF at its end.
async fn by_hand(at: SocketAddr, head: impl AsRef<[u8]>) -> Answer {
    let mut socket = TcpStream::connect(at).await.unwrap();
    socket.write_all(head.as_ref()).await.unwrap();
    socket
        .write_all(b"connection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let (status, lines) = head.split_once("\r\n").unwrap();
    let mut headers = HeaderMap::new();
    for line in lines.split("\r\n") {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    Answer {
        status: status[9..12].parse().unwrap(),
        headers,
        body: body.to_owned(),
    }
}

/// The address that a sign-in page of Cloakroom leads back to.
fn way_back(sign_in: &str) -> String {
    let read = |address: &str, name: &str| {
        let (_, query) = address.split_once('?').unwrap();
        let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).unwrap()
    };
    let next = read(sign_in, "next");
    assert!(next.starts_with("/auth/return?"), "{sign_in}");
    read(&next, "to")
}

#[test]
fn the_environment_names_the_hosts() {
    let place = Place::new()
        .with(
            "CLOAKROOM_FORWARD_AUTH_ALLOWED_HOSTS",
            "[\"example.com:8443\"]",
        )
        .with("CLOAKROOM_OIDC_ISSUER", "https://example.com");
    let said = place.said(&["config"], "");
    assert!(said.contains("forward_auth.allowed_hosts = [\"example.com:8443\"]"));
    let wrong = Place::new().with("CLOAKROOM_FORWARD_AUTH_ALLOWED_HOSTS", "[\"a/b\"]");
    let complaint = wrong.complaint(&["config"], "");
    assert!(complaint.contains("CLOAKROOM_FORWARD_AUTH_ALLOWED_HOSTS"));
}

#[tokio::test]
async fn nobody_may_ask_unless_a_host_is_allowed() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let answer = check(&browser, "", &[("x-original-url", APP)]).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("remote-user"), "");
}

#[tokio::test]
async fn another_host_is_refused_however_it_is_written() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    for url in [
        "",
        "/wiki",
        "https://evil.example/",
        "https://example.com/",
        "https://example.com:8444/",
        "https://example.com:8443@evil.example/",
        "https://user@example.com:8443/",
        "https://evil.example/https://example.com:8443/",
        "https://example.com:8443.evil.example/",
        "https://example.com:8443\\.evil.example/",
        "http://example.com:8443/",
        "javascript://example.com:8443/%0aalert(1)",
        "//example.com:8443/",
    ] {
        for browser in [&browser, &app.browser()] {
            let answer = check(browser, "", &[("x-original-url", url)]).await;
            assert_eq!(answer.status, 403, "{url}");
            assert_eq!(answer.header("remote-user"), "", "{url}");
            assert_eq!(answer.header("x-sign-in"), "", "{url}");
        }
    }
    for headers in [
        &[][..],
        &[
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "example.com:8443"),
        ],
        &[
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "example.com:8443"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-uri", "/"),
        ],
    ] {
        assert_eq!(check(&browser, "", headers).await.status, 403);
    }
}

#[tokio::test]
async fn whoever_is_signed_in_is_named_in_headers() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    let forwarded = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "EXAMPLE.com:8443"),
        ("x-forwarded-uri", "/wiki"),
    ];
    for headers in [&[("x-original-url", APP)][..], &forwarded] {
        let answer = check(&browser, "", headers).await;
        assert_eq!((answer.status, &*answer.body), (200, ""));
        assert_eq!(answer.header("remote-email"), EMAIL);
        let id = &browser.list_sessions().await["sessions"][0]["id"];
        assert_eq!(answer.header("remote-session"), id.as_str().unwrap());
        assert!(!answer.header("remote-user").is_empty());
        assert_eq!(answer.header("cache-control"), "no-store, no-transform");
    }
}

#[tokio::test]
async fn the_renewed_cookie_passes_through() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    let asked = [("x-original-url", APP)];
    assert!(check(&browser, "", &asked).await.set_cookies().is_empty());
    app.pass(300);
    let before = browser.session();
    let answer = check(&browser, "", &asked).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.set_cookies().len(), 1);
    assert_ne!(browser.session(), before);
    assert_eq!(check(&browser, "", &asked).await.status, 200);
}

#[tokio::test]
async fn a_session_that_has_ended_is_refused_at_the_next_request() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    let thief = app.browser();
    thief.keep(&browser);
    let asked = [("x-original-url", APP)];
    assert_eq!(check(&thief, "", &asked).await.status, 200);
    browser.call("sign_out", &[]).await;
    let answer = check(&thief, "", &asked).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("remote-user"), "");
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_where_to_and_comes_back() {
    let app = serving().await;
    let browser = app.browser();
    let answer = check(&browser, "", &[("x-original-url", APP)]).await;
    assert_eq!(answer.status, 401);
    let sign_in = answer.header("x-sign-in").to_owned();
    // A program gets its 401; a browser that navigates through Caddy or Traefik goes there.
    let navigates = [("x-original-url", APP), ("accept", "text/html")];
    let program = check(&browser, "?redirect=true", &navigates[..1]).await;
    assert_eq!(program.status, 401);
    let sent = check(&browser, "?redirect=true", &navigates).await;
    assert_eq!((sent.status, sent.header("location")), (303, &*sign_in));

    app.signed_up(EMAIL).await;
    let page = sign_in.strip_prefix("https://example.com").unwrap();
    assert_eq!(browser.open(page).await.status, 200);
    let next: String = form_urlencoded::parse(page.split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == "next")
        .map(|(_, next)| next.into_owned())
        .unwrap();
    // Nobody goes back who has not signed in.
    let early = browser.open(&next).await;
    assert!(early.header("location").starts_with("/sign-in?next=/auth"));
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", &next)];
    let signed_in = browser.submit(page, "sign_in", &form).await;
    assert_eq!(signed_in.status, 303);
    let back = browser.open(signed_in.header("location")).await;
    assert_eq!((back.status, back.header("location")), (303, APP));
    // A browser says that the redirects began at a form of ours, and goes on by a page.
    let request = browser
        .request(Method::GET, signed_in.header("location"))
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin");
    let page = browser.send(request).await;
    assert_eq!((page.status, page.header("location")), (200, ""));
    let address = APP.replace('&', "&amp;");
    assert!(
        page.body.contains(&format!("url={address}")),
        "{}",
        page.body
    );
    assert!(page.body.contains(&format!("href=\"{address}\"")));
    assert!(page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn nobody_is_sent_to_another_host() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    for to in [
        "https://evil.example/",
        "//evil.example/",
        "/account",
        "javascript:alert(1)",
        "http://example.com:8443/",
        "https://example.com:8443@evil.example/",
        "https://example.com:8443/%0d%0a\r\nset-cookie: a=b",
        "",
    ] {
        let to = encoded(&[("to", to)]);
        let answer = browser.open(&format!("/auth/return?{to}")).await;
        assert_eq!(answer.status, 404, "{to}");
        assert_eq!(answer.header("location"), "");
    }
}

#[tokio::test]
async fn a_long_address_leads_back_to_the_front_page() {
    let app = serving().await;
    let long = format!("https://example.com:8443/?{}", "a".repeat(2000));
    let answer = check(&app.browser(), "", &[("x-original-url", &long)]).await;
    let sign_in = answer.header("x-sign-in");
    assert!(
        sign_in.ends_with("to%3Dhttps://example.com:8443/"),
        "{sign_in}"
    );
}
