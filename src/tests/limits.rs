//! Who tries too often is told to come back, and nobody else is.

use super::app::{EMAIL, PASSWORD, TestApp, with_form};
use reqwest::Method;

#[tokio::test]
async fn tries_are_limited_by_address_and_by_account() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_account_and_address = 3;
        config.limits.sign_ins_per_address = 5;
    })
    .await;
    app.signed_up(EMAIL).await;
    for (email, expected) in [
        (EMAIL, 401),
        (EMAIL, 401),
        (EMAIL, 401),
        (EMAIL, 429),
        ("other@example.com", 401),
        ("third@example.com", 429),
    ] {
        let browser = app.browser();
        // The address is the socket's: what a client says of itself does not make another of it.
        browser.plant("x", "y");
        let answer = browser.sign_in(email, "another lamp over six stairs").await;
        assert_eq!(answer.status, expected, "{email}");
        if expected == 429 {
            let wait: i64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait));
        }
    }
    app.pass(61);
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_no_address_waiting() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_address = 2).await;
    app.signed_up(EMAIL).await;
    let wrong = "another lamp over six stairs";
    assert_eq!(app.browser().sign_in(EMAIL, wrong).await.status, 401);
    app.set_clock(-3_600);
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
    // Nor does a clock that is set forward give tries back.
    app.set_clock(7_200);
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 429);
    app.pass(61);
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
}

/// The status of a sign-in that claims to come from an address.
async fn sign_in_from(app: &TestApp, address: &str, email: &str, password: &str) -> u16 {
    let browser = app.browser();
    let request = browser
        .request(Method::POST, "/api/sign_in")
        .header("origin", &app.url)
        .header("x-forwarded-for", address);
    let form = [("email", email), ("password", password)];
    browser.send(with_form(request, &form)).await.status
}

/// The statuses of sign-ins to as many accounts, each from one of these addresses.
async fn sign_ins_from(app: &TestApp, addresses: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (count, address) in addresses.iter().enumerate() {
        let email = format!("nobody-{count}@example.com");
        statuses.push(sign_in_from(app, address, &email, PASSWORD).await);
    }
    statuses
}

#[tokio::test]
async fn what_a_client_says_of_its_address_is_not_believed() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_address = 2).await;
    let claimed = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    assert_eq!(sign_ins_from(&app, &claimed).await, [401, 401, 429]);
}

#[tokio::test]
async fn behind_a_proxy_the_address_that_it_saw_counts() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_address = 1;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    // The proxy adds on the right; what stands before it came from the client.
    let forwarded = [
        "192.0.2.1",
        "203.0.113.9, 192.0.2.2",
        "192.0.2.1",
        "198.51.100.7, 192.0.2.2",
        "192.0.2.3",
        "192.0.2.3:4711",
        "[2001:db8::1]:4711",
    ];
    assert_eq!(
        sign_ins_from(&app, &forwarded).await,
        [401, 401, 429, 429, 401, 429, 401]
    );
}

#[tokio::test]
async fn one_network_of_ipv6_counts_as_one_address() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_address = 1;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    let forwarded = [
        "2001:db8:0:1::1",
        "2001:db8:0:1:ffff::2",
        "2001:db8:0:2::1",
        "::ffff:192.0.2.1",
        "192.0.2.1",
    ];
    assert_eq!(
        sign_ins_from(&app, &forwarded).await,
        [401, 429, 401, 401, 429]
    );
}

#[tokio::test]
async fn who_guesses_from_elsewhere_does_not_keep_the_owner_out() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_account_and_address = 2;
        config.limits.sign_ins_per_account = 5;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    app.signed_up(EMAIL).await;
    let wrong = "another lamp over six stairs";
    for expected in [401, 401, 429, 429] {
        assert_eq!(
            sign_in_from(&app, "192.0.2.1", EMAIL, wrong).await,
            expected
        );
    }
    assert_eq!(sign_in_from(&app, "192.0.2.2", EMAIL, PASSWORD).await, 200);
    // From many addresses together there is a bound as well.
    let mut statuses = Vec::new();
    for last in 10..18 {
        let address = format!("192.0.2.{last}");
        statuses.push(sign_in_from(&app, &address, EMAIL, wrong).await);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
}
