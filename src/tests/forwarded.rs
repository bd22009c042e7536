//! The log's word on a proxy that `server.trusted_proxy_hops` does not count.

use crate::{
    app::{EMAIL, PASSWORD, TestApp},
    place::Place,
};
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
    let log = place.stop();
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

#[tokio::test]
async fn an_entry_is_read_as_proxies_write_it() {
    let app = TestApp::with(|config| config.server.trusted_proxy_hops = 1).await;
    app.signed_up(EMAIL).await;
    for (entry, address) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:5678", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("\"[2001:db8::1]:443\"", "2001:db8::1"),
        ("\"203.0.113.7\"", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ("198.51.100.1, [2001:db8::2]", "2001:db8::2"),
        // No addresses: the address of the connection counts.
        ("unknown", "127.0.0.1"),
        ("[203.0.113.7]", "127.0.0.1"),
        ("\"203.0.113.7", "127.0.0.1"),
        ("203.0.113.7,", "127.0.0.1"),
        ("2001:db8::1:443:x", "127.0.0.1"),
    ] {
        let browser = app.browser();
        let form = [("email", EMAIL), ("password", PASSWORD)];
        let answer = browser.call_from(entry, "sign_in", &form).await;
        assert_eq!(answer.status, 200, "{entry}: {}", answer.body);
        let list = browser.list_sessions().await;
        assert_eq!(list["sessions"][0]["address"], address, "{entry}");
    }
}

#[tokio::test]
async fn an_entry_that_is_no_address_is_logged_once() {
    let mut place = Place::new().with("CLOAKROOM_SERVER_TRUSTED_PROXY_HOPS", "1");
    let browser = place.serve("info");
    for entry in ["203.0.113.1", "_hidden\" event=\"signed_in", "unknown"] {
        let request = browser.request(Method::GET, "/sign-in");
        let request = request.header("x-forwarded-for", entry);
        assert_eq!(browser.send(request).await.status, 200);
    }
    let log = place.stop();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("event=\"forwarded_address_not_understood\""))
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    for field in [r#"entry="_hidden\" event=\"signed_in""#, "peer=127.0.0.1"] {
        assert!(lines[0].contains(field), "{field}: {}", lines[0]);
    }
}
