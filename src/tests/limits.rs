//! Who tries too often is told to come back, and nobody else is.

use super::app::{EMAIL, PASSWORD, TestApp, with_form};
use reqwest::Method;
use tokio::task::JoinSet;

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

#[tokio::test]
async fn requests_that_verify_no_password_use_up_no_tries() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_address = 60).await;
    let owner = app.signed_up(EMAIL).await;
    let visitor = app.browser();
    let wrong = ("password", "another lamp over six stairs");
    for _ in 0..120 {
        for (function, form, expected) in [
            ("confirm_password", &[("email", EMAIL)][..], 400),
            ("confirm_password", &[("email", EMAIL), wrong], 401),
            ("change_password", &[("email", EMAIL)], 400),
            ("sign_in", &[("email", EMAIL)], 400),
            ("sign_in", &[("email", EMAIL), ("password", "")], 422),
            ("sign_in", &[("email", "ada"), wrong], 422),
        ] {
            let answer = visitor.call(function, form).await;
            assert_eq!(answer.status, expected, "{function} {form:?}");
        }
    }
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
    let answer = owner
        .call("confirm_password", &[("password", PASSWORD)])
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_session_owner_has_tries_of_their_own() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_account = 20;
        config.limits.sign_ins_per_address = 2;
        config.limits.sign_ins_per_account_and_address = 3;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    let owner = app.signed_up(EMAIL).await;
    let other = app.signed_up("bob@example.com").await;
    let wrong = "another lamp over six stairs";
    for last in 1..=23 {
        let address = format!("192.0.2.{last}");
        let expected = if last > 20 { 429 } else { 401 };
        assert_eq!(sign_in_from(&app, &address, EMAIL, wrong).await, expected);
    }
    // The owner is in the attacker's network, and at the account that is full.
    let confirm = [("password", PASSWORD)];
    let change = [("current_password", PASSWORD), ("new_password", PASSWORD)];
    for _ in 0..4 {
        for (function, form) in [
            ("confirm_password", &confirm[..]),
            ("change_password", &change),
        ] {
            let answer = owner.call_from("192.0.2.1", function, form).await;
            assert_eq!(answer.status, 200, "{function}: {}", answer.body);
        }
    }
    // A stolen session guesses no faster from many addresses.
    for last in 1..=6 {
        let address = format!("198.51.100.{last}");
        let form = [("password", wrong)];
        let answer = owner.call_from(&address, "confirm_password", &form).await;
        assert_eq!(answer.status, if last > 3 { 429 } else { 422 });
    }
    let answer = other
        .call_from("192.0.2.1", "confirm_password", &confirm)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_try_is_given_back_when_the_server_is_busy() {
    let app = TestApp::with(|config| {
        config.passwords.hashes_at_once = 1;
        config.passwords.queue = 1;
        config.limits.sign_ins_per_account_and_address = 3;
        config.limits.sign_ups_per_address = 3;
    })
    .await;
    app.signed_up(EMAIL).await;
    app.signed_up("bob@example.com").await;
    app.tamper(
        "UPDATE users SET password_hash = \
         '$argon2id$v=19$m=131072,t=16,p=1$c2FsdHNhbHRzYWx0$\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' WHERE email_key LIKE 'bob%'",
    )
    .await;
    let mut slow = JoinSet::new();
    for place in 1..=2 {
        let browser = app.browser();
        slow.spawn(async move { browser.sign_in("bob@example.com", PASSWORD).await.status });
        while app.state.hasher.in_hand() < place {
            tokio::task::yield_now().await;
        }
    }
    for _ in 0..8 {
        assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 503);
        let new = app.browser().sign_up("eve@example.com", PASSWORD).await;
        assert_eq!(new.status, 503);
    }
    slow.shutdown().await;
    while app.state.hasher.in_hand() > 0 {
        tokio::task::yield_now().await;
    }
    for expected in [401, 401, 401, 429] {
        let answer = app
            .browser()
            .sign_in(EMAIL, "another lamp over six stairs")
            .await;
        assert_eq!(answer.status, expected);
    }
    let new = app.browser().sign_up("eve@example.com", PASSWORD).await;
    assert_eq!(new.status, 200, "{}", new.body);
}

#[tokio::test]
async fn larger_networks_of_ipv6_have_larger_bounds() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_address = 2;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    // A home network has 256 of /64: together they may try four times as often as one of them.
    for home in 0..5 {
        for network in 0..10 {
            let address = format!("2001:db8:0:{home:x}{network:02x}::1");
            let expected = if home > 3 || network > 7 { 429 } else { 401 };
            let statuses = sign_ins_from(&app, &[&address]).await;
            assert_eq!(statuses, [expected], "{address}");
        }
    }
    // Sixteen times as often is the bound of a whole /48, and it ends there.
    let elsewhere = ["2001:db8:0:ff00::1", "2001:db8:1::1", "192.0.2.1"];
    assert_eq!(sign_ins_from(&app, &elsewhere).await, [429, 401, 401]);
}

#[tokio::test]
async fn a_session_that_is_out_of_tries_keeps_the_users_other_sessions_from_none() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_account = 6;
        config.limits.sign_ins_per_account_and_address = 3;
    })
    .await;
    let stolen = app.signed_up(EMAIL).await;
    let owner = app.browser();
    assert_eq!(owner.sign_in(EMAIL, PASSWORD).await.status, 200);
    let wrong = [("password", "another lamp over six stairs")];
    for count in 1..=12 {
        let answer = stolen.call("confirm_password", &wrong).await;
        assert_eq!(answer.status, if count > 3 { 429 } else { 422 });
    }
    let right = [("password", PASSWORD)];
    let answer = owner.call("confirm_password", &right).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn right_passwords_of_many_users_at_one_address_have_a_bound() {
    let app = TestApp::with(|config| {
        config.limits.sign_ins_per_address = 1;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    let mut users = Vec::new();
    for count in 0..3 {
        users.push(app.signed_up(&format!("user-{count}@example.com")).await);
    }
    let right = [("password", PASSWORD)];
    let mut statuses = Vec::new();
    for count in 0..6 {
        let user = &users[count % 3];
        let answer = user
            .call_from("192.0.2.1", "confirm_password", &right)
            .await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    // The bound is no other address's, and anonymous visitors have their own.
    let answer = users[0]
        .call_from("192.0.2.2", "confirm_password", &right)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let email = "user-1@example.com";
    assert_eq!(sign_in_from(&app, "192.0.2.1", email, PASSWORD).await, 200);
}
