//! Behaviour of every documented proxy, tried through a real connection.

use super::{by_hand, proxies::variable};
use crate::app::{Answer, Browser, COOKIE, EMAIL, TestApp};
use reqwest::Method;
use std::{any::Any, collections::BTreeSet, net::SocketAddr};

/// An app and Cloakroom behind a proxy.
pub struct Behind {
    pub(super) at: SocketAddr,
    pub(super) app: TestApp,
    _proxy: Box<dyn Any + Send + Sync>,
}

/// The tests of a proxy that runs as its documentation says.
macro_rules! holds_behind {
    ($start:ident) => {
        #[tokio::test]
        async fn no_visitor_chooses_a_user() {
            $start().await.lets_no_visitor_choose_a_user("-_.~").await;
        }

        #[tokio::test]
        async fn no_visitor_names_the_host() {
            $start().await.lets_no_visitor_name_the_host().await;
        }

        #[tokio::test]
        async fn an_anonymous_browser_is_sent_to_sign_in_and_comes_back() {
            $start().await.sends_browsers_to_sign_in().await;
        }

        #[tokio::test]
        async fn a_script_gets_a_401() {
            $start().await.answers_scripts_with_401().await;
        }

        #[tokio::test]
        async fn an_odd_path_reaches_the_app() {
            $start().await.lets_odd_paths_through().await;
        }

        #[tokio::test]
        async fn websockets_reach_the_app_and_other_upgrades_do_not() {
            $start().await.upgrades_to_websockets_alone().await;
        }

        #[tokio::test]
        async fn a_second_upgrade_beside_a_websocket_does_not_reach_the_app() {
            let behind = $start().await;
            behind.hands_on_no_other_upgrade_beside_a_websocket().await;
        }

        #[tokio::test]
        async fn the_app_gets_its_own_cookies_and_no_session() {
            $start().await.keeps_sessions_from_the_app().await;
        }

        #[tokio::test]
        async fn a_renewed_cookie_reaches_the_browser_and_no_cache() {
            $start().await.hands_renewed_cookies_on().await;
        }

        #[tokio::test]
        async fn an_ended_session_is_refused_at_the_next_request() {
            $start().await.refuses_ended_sessions().await;
        }

        #[tokio::test]
        async fn preflights_alone_reach_the_app_without_a_session() {
            $start().await.lets_preflights_through().await;
        }
    };
}
pub(super) use holds_behind;

impl Behind {
    pub fn new(at: SocketAddr, app: TestApp, proxy: impl Any + Send + Sync) -> Self {
        Self {
            at,
            app,
            _proxy: Box::new(proxy),
        }
    }

    /// A browser that opens the app's pages.
    pub(super) fn browser(&self) -> Browser {
        Browser::at(format!("http://{}", self.at))
    }

    /// The same, of a user who has signed in.
    pub(super) async fn signed_in(&self) -> Browser {
        let browser = self.browser();
        browser.keep(&self.app.signed_up(EMAIL).await);
        browser
    }

    /// Sends lines of headers that each end with CR LF, as a signed-in user.
    pub(super) async fn ask(&self, browser: &Browser, target: &[u8], headers: &str) -> Answer {
        let session = browser.session().unwrap();
        let rest = format!(
            " HTTP/1.1\r\nhost: {}\r\ncookie: {COOKIE}={session}\r\n{headers}",
            self.at
        );
        by_hand(self.at, [b"GET ", target, rest.as_bytes()].concat()).await
    }

    /// Asks forty times as a signed-in user who claims to be another, in every spelling at once,
    /// and then in each alone. The app has one value of each variable, and it is Cloakroom's.
    pub async fn lets_no_visitor_choose_a_user(&self, signs: &str) {
        let browser = self.signed_in().await;
        let each: Vec<String> = spellings(signs)
            .iter()
            .map(|name| format!("{name}: admin\r\n"))
            .collect();
        let claims = std::iter::repeat_n(each.concat(), 40).chain(each);
        let mut users = BTreeSet::new();
        for claim in claims {
            let answer = self.ask(&browser, b"/", &claim).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert!(!answer.body.contains("admin"), "{claim}: {}", answer.body);
            assert_eq!(variable(&answer, "HTTP_REMOTE_EMAIL"), [EMAIL]);
            assert_eq!(variable(&answer, "HTTP_REMOTE_SESSION").len(), 1);
            users.extend(variable(&answer, "HTTP_REMOTE_USER"));
        }
        assert_eq!(users.len(), 1, "{users:?}");
    }

    pub async fn lets_no_visitor_name_the_host(&self) {
        let browser = self.signed_in().await;
        let session = browser.session().unwrap();
        let allowed = self.at;
        let claims = |host: &str| {
            let original = format!("x-original-url: http://{host}/\r\n");
            let forwarded = format!(
                "x-forwarded-proto: http\r\nx-forwarded-host: {host}\r\nx-forwarded-uri: /\r\n"
            );
            [original.clone(), forwarded.clone(), original + &forwarded]
        };
        // The app's other name is not among the allowed hosts, whatever the visitor says.
        for claim in claims(&allowed.to_string()) {
            let head = format!(
                "GET / HTTP/1.1\r\nhost: other.test:{}\r\ncookie: {COOKIE}={session}\r\n{claim}",
                allowed.port()
            );
            let answer = by_hand(allowed, head).await;
            assert_eq!(answer.status, 403, "{claim}: {}", answer.body);
        }
        // And the allowed name leads back to no other.
        for claim in claims("evil.example") {
            let head = format!("GET / HTTP/1.1\r\nhost: {allowed}\r\naccept: text/html\r\n{claim}");
            let answer = by_hand(allowed, head).await;
            assert!([303, 403].contains(&answer.status), "{claim}");
            assert!(!answer.header("location").contains("evil"), "{claim}");
        }
    }

    pub async fn keeps_sessions_from_the_app(&self) {
        let browser = self.signed_in().await;
        let session = browser.session().unwrap();
        let mark = browser.cookie("__Host-Http-known-browser").unwrap();
        for (name, value) in [
            ("theme", "dark"),
            ("__Host-Http-session-other", "of-another"),
            ("__Host-Http-known-browser-other", "of-another"),
            ("lang", "en"),
        ] {
            browser.plant(name, value);
        }
        let request = browser.request(Method::POST, "/anything").body("a body");
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["method"], "POST");
        assert_eq!(answer.json()["body"], "a body");
        let cookies = variable(&answer, "HTTP_COOKIE").join("; ");
        assert!(!answer.body.contains(&session), "{}", answer.body);
        assert!(!answer.body.contains(&mark), "{}", answer.body);
        assert!(!answer.body.contains("of-another"), "{}", answer.body);
        assert!(
            cookies.contains("theme=dark") && cookies.contains("lang=en"),
            "{cookies}"
        );

        // A third session: none of them reaches the app.
        browser.plant("__Host-Http-session-third", "of-a-third");
        let answer = browser.open("/").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!answer.body.contains("of-a"), "{}", answer.body);
        assert!(!answer.body.contains(&session), "{}", answer.body);
    }

    pub async fn gives_the_app_no_cookie(&self) {
        let answer = self.signed_in().await.open("/").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(
            variable(&answer, "HTTP_COOKIE").is_empty(),
            "{}",
            answer.body
        );
    }

    pub async fn hands_renewed_cookies_on(&self) {
        let browser = self.signed_in().await;
        let answer = browser.open("/").await;
        assert_eq!(
            (answer.set_cookies().len(), answer.header("cache-control")),
            (0, "")
        );
        self.app.pass(300);
        let answer = browser.open("/").await;
        assert_eq!((answer.status, answer.set_cookies().len()), (200, 1));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(variable(&answer, "HTTP_REMOTE_EMAIL"), [EMAIL]);
        assert_eq!(browser.open("/").await.status, 200);
    }
}

/// Names that a CGI-like app reads as `Remote-User` and the others, with these signs between.
fn spellings(signs: &str) -> Vec<String> {
    let words = [
        ("Remote", "User"),
        ("remote", "user"),
        ("REMOTE", "USER"),
        ("rEMOTE", "uSER"),
        ("Remote", "Email"),
        ("remote", "EMAIL"),
        ("Remote", "Session"),
        ("REMOTE", "session"),
    ];
    let spell = |(first, second)| {
        signs
            .chars()
            .map(move |sign| format!("{first}{sign}{second}"))
    };
    words.into_iter().flat_map(spell).collect()
}
