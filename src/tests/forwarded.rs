//! The log's word on a proxy that `server.trusted_proxy_hops` does not count.

use crate::place::Place;
use reqwest::Method;

/// The lines of a server with this setting, after three requests with this header.
async fn logged(hops: &str, header: Option<(&str, &str)>) -> Vec<String> {
    let mut place = Place::new().with("CLOAKROOM_SERVER_TRUSTED_PROXY_HOPS", hops);
    let browser = place.serve("info");
    for _ in 0..3 {
        let mut request = browser.request(Method::GET, "/sign-in");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        assert_eq!(browser.send(request).await.status, 200);
    }
    let log = place.kill();
    let lines = log.lines();
    let found = lines.filter(|line| line.contains("event=\"forwarded_address_not_used\""));
    found.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_client_address_that_is_not_used_is_logged_once() {
    for (hops, name, value) in [
        ("0", "x-forwarded-for", "203.0.113.1"),
        ("0", "forwarded", "for=203.0.113.1"),
        ("0", "x-real-ip", "203.0.113.1"),
        ("2", "x-forwarded-for", "203.0.113.1"),
        ("1", "forwarded", "for=203.0.113.1"),
    ] {
        let lines = logged(hops, Some((name, value))).await;
        assert_eq!(lines.len(), 1, "{hops} {name}: {lines:?}");
        for field in [
            format!("header=\"{name}\""),
            format!("trusted_proxy_hops={hops}"),
            "peer=127.0.0.1".to_owned(),
            "Set server.trusted_proxy_hops".to_owned(),
        ] {
            assert!(lines[0].contains(&field), "{field}: {}", lines[0]);
        }
    }
}

#[tokio::test]
async fn a_client_address_that_is_used_is_not_logged() {
    for (hops, header) in [
        ("0", None),
        ("1", None),
        ("1", Some(("x-forwarded-for", "203.0.113.1"))),
        ("2", Some(("x-forwarded-for", "203.0.113.1, 203.0.113.2"))),
    ] {
        assert_eq!(logged(hops, header).await, [""; 0], "{hops}");
    }
}
