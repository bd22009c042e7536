//! Return addresses: where a user was going when they were asked to sign in, sign up or confirm the
//! password comes back octet for octet, whatever is in it.

use crate::{
    app::{Answer, Browser, EMAIL, PASSWORD, TestApp},
    grants::{OtherApp, other_app_with, param},
};
use reqwest::Method;

const CASES: usize = 250;

/// Random text from a fixed start, so that a case that fails fails again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn text(&mut self, most: usize, from: &[&str]) -> String {
        let length = 1 + self.below(most);
        (0..length).map(|_| self.pick(from)).collect()
    }

    /// What may stand in a segment of a path (RFC 3986, 3.3), plain and percent-encoded.
    fn segment(&mut self) -> String {
        let name = self.text(
            9,
            &[
                "a",
                "Z",
                "0",
                "-",
                "_",
                "~",
                "!",
                "$",
                "&",
                "'",
                "(",
                ")",
                "*",
                "+",
                ",",
                ";",
                "=",
                ":",
                "@",
                "%20",
                "%2B",
                "%2b",
                "%26",
                "%3D",
                "%23",
                "%3F",
                "%25",
                "%C3%A9",
                "%F0%9F%A7%A5",
                "%22",
            ],
        );
        // No dots of a path, which browsers resolve.
        format!("x{name}")
    }

    /// What may stand in a query (RFC 3986, 3.4).
    fn query(&mut self) -> String {
        let name = ["a", "q", "%C3%A9", "x%20y", "next", "email"];
        let value = [
            "a", "1", "+", "%2B", "%20", "%26", "%3D", "%25", "%2525", "%C3%A9", "%23", "/", "?",
            ":", "@", "=", "%", "&b=", "&c", "&", "*", "%0A", "%00", "%FF", "%5C", "%2F",
        ];
        format!("{}={}", self.pick(&name), self.text(12, &value))
    }

    fn path_and_query(&mut self, below: &str) -> String {
        let mut path = below.to_owned();
        for _ in 0..=self.below(2) {
            path = format!("{path}/{}", self.segment());
        }
        match self.below(5) {
            0 => path,
            _ => format!("{path}?{}", self.query()),
        }
    }

    /// What an OAuth client may give as `state`: any text.
    fn state(&mut self) -> String {
        self.text(
            20,
            &[
                "n", "B", "7", "+", "/", "=", "==", "&", "%", "%2B", "%26", " ", "é", "🧥", "\"",
                "<", "{", "}", "#", "?", "\\", "\n", "\u{0}",
            ],
        )
    }
}

/// Value of an attribute that follows this text in a page.
fn value_after(page: &Answer, before: &str) -> String {
    let (_, rest) = page
        .body
        .split_once(before)
        .unwrap_or_else(|| panic!("{before} is not in {}", page.body));
    let (value, _) = rest.split_once('"').unwrap();
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(value.to_owned(), |text, (escaped, plain)| {
        text.replace(escaped, plain)
    })
}

fn link_to(page: &Answer, path: &str) -> String {
    format!("{path}{}", value_after(page, &format!("href=\"{path}")))
}

fn hidden_next(page: &Answer) -> String {
    value_after(page, "name=\"next\" value=\"")
}

async fn app() -> TestApp {
    TestApp::with(|config| {
        config.limits.sign_ups_per_address = 100_000;
        config.limits.sign_ins_per_address = 100_000;
        config.limits.sign_ins_per_account = 100_000;
        config.limits.sign_ins_per_account_and_address = 100_000;
        config.forward_auth.allowed_hosts = vec!["app.example".to_owned()];
        "https://accounts.example".clone_into(&mut config.oidc.issuer);
    })
    .await
}

/// Signs in on a page that a browser was sent to; where it goes on to.
async fn sign_in_at(app: &TestApp, browser: &Browser, sign_in: &str) -> String {
    // One session more than a user may have ends the one unused for longest.
    app.pass(1);
    let page = browser.open(sign_in).await;
    let next = hidden_next(&page);
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", &*next)];
    let answer = browser.submit(sign_in, "sign_in", &form).await;
    assert_eq!(answer.status, 303, "{sign_in}: {}", answer.body);
    answer.header("location").to_owned()
}

#[tokio::test]
async fn a_private_page_is_found_again_after_signing_in() {
    let app = app().await;
    app.signed_up(EMAIL).await;
    let mut dice = Dice(0x5EED_0001);
    for _ in 0..CASES {
        let address = dice.path_and_query("/account");
        let browser = app.browser();
        let sent = browser.open(&address).await;
        assert_eq!(sent.status, 303, "{address}");
        let sign_in = sent.header("location").to_owned();
        assert_eq!(sign_in_at(&app, &browser, &sign_in).await, address);
        // In another tab, where the user is signed in by now.
        let again = browser.open(&sign_in).await;
        assert_eq!(again.header("location"), address);
    }
}

#[tokio::test]
async fn a_private_page_is_found_again_after_creating_an_account() {
    let app = app().await;
    let mut dice = Dice(0x5EED_0002);
    for case in 0..CASES {
        let address = dice.path_and_query("/account");
        let browser = app.browser();
        let sign_in = browser.open(&address).await.header("location").to_owned();
        let page = browser.open(&sign_in).await;
        let sign_up = link_to(&page, "/sign-up");
        let page = browser.open(&sign_up).await;
        let next = hidden_next(&page);
        // And back again; a page of its own, so that not every case pays for it.
        if case % 10 == 0 {
            let back = link_to(&page, "/sign-in");
            assert_eq!(hidden_next(&browser.open(&back).await), address);
        }
        let email = format!("ada-{case}@example.com");
        let form = [("email", &*email), ("password", PASSWORD), ("next", &*next)];
        let answer = browser.submit(&sign_up, "sign_up", &form).await;
        assert_eq!(answer.header("location"), address, "{}", answer.body);
    }
}

async fn trusted(app: &TestApp) -> OtherApp<'_> {
    other_app_with(app, |said| said.is_trusted = Some(true)).await
}

#[tokio::test]
async fn a_clients_state_is_found_again_after_signing_in_and_confirming_the_password() {
    let app = app().await;
    app.signed_up(EMAIL).await;
    let client = trusted(&app).await;
    let mut dice = Dice(0x5EED_0003);
    for _ in 0..CASES {
        let state = dice.state();
        let link = client.link(&[("state", &state), ("scope", "openid email")]);
        // Clients write a space in either way.
        let link = match dice.below(2) {
            0 => link.replace('+', "%20"),
            _ => link,
        };
        let browser = app.browser();
        let sign_in = browser.open(&link).await.header("location").to_owned();
        let next = sign_in_at(&app, &browser, &sign_in).await;
        assert_eq!(next, link);
        let answer = browser.open(&next).await;
        let to = answer.header("location");
        assert_eq!(param(to, "state"), Some(state), "{link}");

        let state = dice.state();
        let link = client.link(&[("state", &state), ("prompt", "login")]);
        let consent = browser.open(&link).await.header("location").to_owned();
        let next = hidden_next(&browser.open(&consent).await);
        let form = [("password", PASSWORD), ("next", &*next)];
        let confirmed = browser.submit(&consent, "confirm_password", &form).await;
        assert_eq!(confirmed.header("location"), next, "{}", confirmed.body);
        let answer = browser.open(&next).await;
        let to = answer.header("location");
        assert_eq!(param(to, "state"), Some(state), "{link}");
    }
}

#[tokio::test]
async fn an_app_behind_forward_auth_is_found_again() {
    let app = app().await;
    app.signed_up(EMAIL).await;
    let mut dice = Dice(0x5EED_0004);
    for _ in 0..CASES {
        let address = format!("https://app.example{}", dice.path_and_query(""));
        let browser = app.browser();
        let check = browser
            .request(Method::GET, "/auth/check")
            .header("x-original-url", &address);
        let asked = browser.send(check).await;
        let sign_in = asked.header("x-sign-in");
        let sign_in = sign_in.strip_prefix("https://accounts.example").unwrap();
        let back = sign_in_at(&app, &browser, sign_in).await;
        let answer = browser.open(&back).await;
        assert_eq!(answer.header("location"), address, "{back}");
    }
}

#[tokio::test]
async fn an_address_of_another_site_is_not_carried_along() {
    let app = app().await;
    let browser = app.browser();
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%0d%0aX: y",
        "javascript:alert(1)",
    ] {
        let address = format!("/sign-in?{}", crate::app::encoded(&[("next", next)]));
        let page = browser.open(&address).await;
        // The form names the page that it stands on.
        let elsewhere = page.body.replace(&address, "");
        assert!(!elsewhere.contains("evil"), "{next}");
        let form = [
            ("email", "ada@example.com"),
            ("password", PASSWORD),
            ("next", next),
        ];
        let answer = browser.submit("/sign-up", "sign_up", &form).await;
        let to = answer.header("location");
        assert!(
            to.starts_with("/account") || to == "/sign-up",
            "{next}: {to}"
        );
    }
}
