//! `cloakroom doctor` through a real nginx.

use super::{Found, examine};
use crate::{
    place::Place,
    proxy::{free_address, nginx},
};

const SOFTWARE: &str = "no answer names the software that serves it";
const ADDRESSES: &str = "visitors are told apart by their address";

/// What it finds at a server with these settings behind an nginx with these lines.
async fn examine_behind(lines: &str, settings: &[(&str, &str)]) -> Found {
    let mut place = settings
        .iter()
        .fold(Place::new(), |place, (name, value)| place.with(name, value));
    let url = place.serve("info").url().to_owned();
    let at = free_address().await;
    let server = format!("server {{ listen {at};\nlocation / {{ proxy_pass {url};\n{lines} }} }}");
    let _nginx = nginx(at, &server).await;
    examine(&format!("http://{at}")).await
}

/// What a person would write who knows what Cloakroom needs.
const CAREFUL: &str = "proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
const HOPS: &str = "CLOAKROOM_SERVER_TRUSTED_PROXY_HOPS";

#[tokio::test]
async fn behind_a_stock_nginx_it_passes_with_notes() {
    let found = examine_behind("", &[]).await;
    assert!(found.is_success, "{}", found.said);
    assert_eq!(
        found.noted,
        [
            SOFTWARE,
            ADDRESSES,
            "browsers without Sec-Fetch-Site can send the site's own forms",
            "a socket for nobody in particular is refused",
        ],
        "{}",
        found.said
    );
    let sum = found.said.lines().last().unwrap();
    assert!(sum.contains(" 0 failed, 4 noted, "), "{sum}");
    assert!(found.said.contains("set server.trusted_proxy_hops"));
}

#[tokio::test]
async fn behind_an_nginx_that_is_counted_only_its_name_is_noted() {
    let found = examine_behind(CAREFUL, &[(HOPS, "1")]).await;
    assert!(found.is_success, "{}", found.said);
    assert_eq!(found.noted, [SOFTWARE], "{}", found.said);
}

#[tokio::test]
async fn a_proxy_that_is_not_counted_is_noted() {
    let found = examine_behind(CAREFUL, &[]).await;
    assert!(found.is_success, "{}", found.said);
    assert_eq!(found.noted, [SOFTWARE, ADDRESSES], "{}", found.said);
    assert!(
        found
            .said
            .contains("the server saw 127.0.0.1, and this came from 127.0.0.2")
    );
}

#[tokio::test]
async fn more_proxies_counted_than_there_are_is_noted_and_fails() {
    let found = examine_behind(CAREFUL, &[(HOPS, "2")]).await;
    assert!(!found.is_success, "{}", found.said);
    assert_eq!(found.failed, ["guessing a password is slowed down"]);
    assert_eq!(found.noted, [SOFTWARE, ADDRESSES], "{}", found.said);
    assert!(found.said.contains("lower server.trusted_proxy_hops"));
}

#[tokio::test]
async fn what_is_weak_fails_behind_a_stock_nginx_too() {
    for (variable, value, finding) in [
        (
            "CLOAKROOM_PASSWORDS_MIN_LENGTH",
            "8",
            "short passwords are refused",
        ),
        (
            "CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT_AND_ADDRESS",
            "1000",
            "guessing a password is slowed down",
        ),
    ] {
        let found = examine_behind("", &[(variable, value)]).await;
        assert!(!found.is_success, "{}", found.said);
        assert_eq!(found.failed, [finding], "{}", found.said);
    }
}
