//! The address of the original request: which headers name it, and which way it leads back.

use super::{APP, by_hand, check, serving, way_back};
use crate::{
    app::{COOKIE, EMAIL, TestApp, encoded},
    place::Place,
};
use std::hash::{BuildHasher, RandomState};

const HOST: &str = "example.com:8443";

fn forwarded<'a>(scheme: &'a str, host: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("x-forwarded-proto", scheme),
        ("x-forwarded-host", host),
        ("x-forwarded-uri", "/wiki"),
    ]
}

#[tokio::test]
async fn no_header_of_a_visitor_stands_in_for_the_proxys() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    let evil = "https://evil.example/";
    // The proxy names another host, by either way; the visitor adds an allowed one by the other.
    for headers in [
        [
            &forwarded("https", "evil.example")[..],
            &[("x-original-url", APP)],
        ]
        .concat(),
        [&forwarded("https", HOST)[..], &[("x-original-url", evil)]].concat(),
        vec![("x-original-url", evil), ("x-forwarded-host", HOST)],
        vec![("x-original-url", evil), ("x-original-url", APP)],
        vec![("x-original-url", APP), ("x-original-url", evil)],
        vec![("x-original-url", APP), ("x-forwarded-proto", "http")],
        vec![("x-original-url", APP), ("x-forwarded-host", "")],
    ] {
        let answer = check(&browser, "", &headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert_eq!(answer.header("remote-user"), "", "{headers:?}");
    }
    let agreeing = [&forwarded("https", HOST)[..], &[("x-original-url", APP)]].concat();
    assert_eq!(check(&browser, "", &agreeing).await.status, 200);
}

#[tokio::test]
async fn an_odd_path_loses_at_most_the_way_back() {
    let app = serving().await;
    let session = app.signed_up(EMAIL).await.session().unwrap();
    let at = app.url.strip_prefix("http://").unwrap().parse().unwrap();
    for (path, back) in [
        (&b"/a\\b"[..], "/a%5Cb"),
        (b"/a?q=\\", "/a?q=%5C"),
        (b"/\\evil.example/", "/%5Cevil.example/"),
        (b"/caf\xc3\xa9?q=\xc3\xa9", "/caf%C3%A9?q=%C3%A9"),
        (b"/caf\xe9", "/caf%E9"),
        (b"/a b", "/a%20b"),
        (b"/a\tb", "/a%09b"),
        (b"/\"a\"`<b>'", "/%22a%22%60%3Cb%3E'"),
        (b"/a?filter={\"a\":[1|2^3]}", "/a?filter={%22a%22:[1|2^3]}"),
        (b"/a%", "/a%"),
        (b"/%zz", "/%zz"),
        (b"//a", "//a"),
        (b"/a#b", "/a"),
        (b"*", "/"),
        (b".evil.example/", "/"),
        (b"@evil.example/", "/"),
        (b"", "/"),
    ] {
        let mut ways = vec![[
            b"x-forwarded-proto: https\r\nx-forwarded-host: example.com:8443\r\nx-forwarded-uri: ",
            path,
        ]
        .concat()];
        if path.starts_with(b"/") {
            ways.push([b"x-original-url: https://example.com:8443", path].concat());
        }
        for way in ways {
            let shown = String::from_utf8_lossy(&way).into_owned();
            let start = b"GET /auth/check HTTP/1.1\r\nhost: x\r\n";
            let cookie = format!("\r\ncookie: {COOKIE}={session}\r\n");
            let answer = by_hand(at, [start, &way[..], cookie.as_bytes()].concat()).await;
            assert_eq!(answer.status, 200, "{shown}");
            assert_eq!(answer.header("remote-email"), EMAIL, "{shown}");
            let answer = by_hand(at, [start, &way[..], b"\r\n"].concat()).await;
            assert_eq!(answer.status, 401, "{shown}");
            let found = way_back(answer.header("x-sign-in"));
            assert_eq!(found, format!("https://{HOST}{back}"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_list_names_what_the_outermost_trusted_proxy_saw() {
    for (hops, scheme, host, status) in [
        (0, "http, https", "evil.example, example.com:8443", 200),
        (1, "http, https", "evil.example,example.com:8443", 200),
        (1, "https, http", HOST, 403),
        (1, "https", "example.com:8443, evil.example", 403),
        (2, "https, http", HOST, 200),
        (
            2,
            "http, https, http",
            "evil.example, example.com:8443, inner",
            200,
        ),
        (2, "https, http, http", HOST, 403),
        (3, "https, http", HOST, 200),
        (1, "", HOST, 403),
        (1, "https, ", HOST, 403),
    ] {
        let app = TestApp::with(|config| {
            config.server.trusted_proxy_hops = hops;
            config.forward_auth.allowed_hosts = vec![HOST.to_owned()];
            "https://example.com".clone_into(&mut config.oidc.issuer);
        })
        .await;
        let browser = app.signed_up(EMAIL).await;
        let answer = check(&browser, "", &forwarded(scheme, host)).await;
        assert_eq!(answer.status, status, "{hops} {scheme} {host}");
    }
}

#[tokio::test]
async fn a_websocket_handshake_is_a_request_of_http() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    for (scheme, status) in [
        ("wss", 200),
        ("WSS", 200),
        ("HTTPS", 200),
        ("ws", 403),
        ("http", 403),
        ("ftp", 403),
        ("https:", 403),
    ] {
        let answer = check(&browser, "", &forwarded(scheme, HOST)).await;
        assert_eq!(answer.status, status, "{scheme}");
        let url = format!("{scheme}://{HOST}/live");
        let answer = check(&browser, "", &[("x-original-url", &url)]).await;
        assert_eq!(answer.status, status, "{url}");
    }
}

#[tokio::test]
async fn any_path_comes_back_octet_for_octet() {
    let app = serving().await;
    let (anonymous, browser) = (app.browser(), app.signed_up(EMAIL).await);
    let parts = [
        "a", "Z", "0", "/", "?", "&", "=", "+", "%20", "%2B", "%26", "%3D", "%25", "%C3%A9", "%00",
        "%", ";", ":", "@", "!", "$", "'", "(", ")", "*", ",", "-", ".", "_", "~", "[", "]", "{",
        "}", "|", "^",
    ];
    let random = RandomState::new();
    for round in 0_usize..1_000 {
        let length = random.hash_one(round) % 60;
        let path: String = (0..length)
            .map(|at| random.hash_one((round, at)))
            .map(|number| parts[usize::try_from(number % parts.len() as u64).unwrap()])
            .collect();
        let url = format!("https://{HOST}/{path}");
        let refused = check(&anonymous, "", &[("x-original-url", &url)]).await;
        let sign_in = refused.header("x-sign-in");
        assert_eq!(way_back(sign_in), url);
        let (_, query) = sign_in.split_once('?').unwrap();
        let next: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        // An anonymous browser is sent to sign in from there as well.
        let early = anonymous.open(&next[0].1).await;
        assert_eq!(way_back(early.header("location")), url);
        let back = browser.open(&next[0].1).await;
        assert_eq!((back.status, back.header("location")), (303, &*url));
    }
}

#[tokio::test]
async fn an_address_that_grows_too_long_when_encoded_leads_to_the_front_page() {
    let app = serving().await;
    for path in ["&".repeat(600), "a".repeat(2_000), "%C3".repeat(300)] {
        let url = format!("https://{HOST}/?{path}");
        let answer = check(&app.browser(), "", &[("x-original-url", &url)]).await;
        let sign_in = answer.header("x-sign-in");
        assert_eq!(way_back(sign_in), format!("https://{HOST}/"));
        let all: usize = answer
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        assert!(all < 4_000, "{all}");
    }
    let url = format!("https://{HOST}/?{}", "a".repeat(700));
    let answer = check(&app.browser(), "", &[("x-original-url", &url)]).await;
    assert_eq!(way_back(answer.header("x-sign-in")), url);
}

#[tokio::test]
async fn a_refused_address_is_logged_with_its_header_and_without_its_path() {
    let mut place = Place::new()
        .with(
            "CLOAKROOM_FORWARD_AUTH_ALLOWED_HOSTS",
            "[\"example.com:8443\"]",
        )
        .with("CLOAKROOM_OIDC_ISSUER", "https://example.com");
    let browser = place.serve("info");
    let lengthy = format!("https://{}/", "long.".repeat(200));
    for headers in [
        &[("x-original-url", "https://evil.example/path?token=secret")][..],
        &[(
            "x-original-url",
            "http://example.com:8443/path?token=secret",
        )],
        &[("x-original-url", &lengthy)],
        &[("x-original-url", "https://a\tb/path?token=secret")],
        &forwarded("gopher", HOST),
        &[
            ("x-original-url", APP),
            ("x-forwarded-host", "elsewhere.example"),
        ],
        &[],
    ] {
        let answer = check(&browser, "", headers).await;
        assert_eq!((answer.status, &*answer.body), (403, ""));
    }
    let log = place.stop();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("event=\"forward_auth_host_refused\""))
        .collect();
    let expected: [&[&str]; 7] = [
        &[
            "X-Original-URL",
            "https://evil.example\"",
            "forward_auth.allowed_hosts",
        ],
        &["X-Original-URL", "http://example.com:8443\"", "oidc.issuer"],
        &["long.long."],
        &["https://a?b"],
        &[
            "X-Forwarded-Proto, X-Forwarded-Host",
            "gopher://example.com:8443",
        ],
        &[
            "https://example.com:8443|elsewhere.example",
            "X-Forwarded-Host",
            "remove",
        ],
        &["let the proxy set X-Original-URL"],
    ];
    assert_eq!(lines.len(), expected.len(), "{log}");
    for (line, expected) in lines.iter().zip(expected) {
        for part in expected {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(line.len() < 600, "{line}");
    }
    assert!(!log.contains("cross_site"), "{log}");
    assert!(!log.contains("secret") && !log.contains("/path"), "{log}");
}

#[tokio::test]
async fn a_way_back_that_is_not_ours_is_refused() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    for to in [
        "https://example.com:8443\\@evil.example/",
        "https://example.com:8443%2F@evil.example/",
        "https://example.com:8443/\u{e9}",
        "wss://example.com:8443/",
        "https:///example.com:8443/",
    ] {
        let to = encoded(&[("to", to)]);
        let answer = browser.open(&format!("/auth/return?{to}")).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (404, ""),
            "{to}"
        );
    }
}
