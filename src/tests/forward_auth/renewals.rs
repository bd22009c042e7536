//! Renewals where a proxy asks: one that hands `Set-Cookie` on, and one that does not.

use super::{APP, check, serving};
use crate::app::{Answer, Browser, COOKIE, EMAIL, PASSWORD, TestApp};

/// Asks as a proxy that keeps `Set-Cookie` from the browser.
async fn dropped(app: &TestApp, browser: &Browser, headers: &[(&str, &str)]) -> Answer {
    let proxied = app.browser();
    proxied.plant(COOKIE, &browser.session().unwrap());
    let asked: Vec<(&str, &str)> = [("x-original-url", APP)]
        .into_iter()
        .chain(headers.iter().copied())
        .collect();
    check(&proxied, "?redirect=true", &asked).await
}

const NAVIGATES: (&str, &str) = ("sec-fetch-mode", "navigate");
const FETCHES: (&str, &str) = ("sec-fetch-mode", "cors");
/// A form that is sent.
const SENDS: [(&str, &str); 2] = [NAVIGATES, ("origin", "https://example.com:8443")];

/// A user writes for ten minutes in a page of the app, after one of its responses was lost.
#[tokio::test]
async fn a_form_of_the_app_is_sent_however_long_ago_a_renewal_was_lost() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(300);
    for _ in 0..3 {
        assert_eq!(dropped(&app, &browser, &SENDS).await.status, 200);
        app.pass(600);
    }
    // Scripts are refused meanwhile, until a page is loaded.
    assert_eq!(dropped(&app, &browser, &[FETCHES]).await.status, 401);
    assert_eq!(dropped(&app, &browser, &[NAVIGATES]).await.status, 303);
}

/// The database takes no writes: `/auth/return` leads back with the cookie that came.
#[tokio::test]
async fn a_browser_is_sent_away_once_where_no_cookie_can_be_renewed() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(300);
    for _ in 0..2 {
        assert_eq!(dropped(&app, &browser, &[FETCHES]).await.status, 200);
        app.pass(61);
    }
    assert_eq!(dropped(&app, &browser, &[NAVIGATES]).await.status, 303);
    assert_eq!(dropped(&app, &browser, &[NAVIGATES]).await.status, 200);
}

#[tokio::test]
async fn a_check_renews_by_its_own_answer() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    for _ in 0..4 {
        app.pass(300);
        let before = browser.session();
        let answer = check(&browser, "", &[("x-original-url", APP)]).await;
        assert_eq!(answer.status, 200);
        assert_ne!(browser.session(), before);
        let answer = check(&browser, "", &[("x-original-url", APP), NAVIGATES]).await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn a_page_load_renews_by_way_of_cloakroom_where_the_proxy_drops_set_cookie() {
    let app = serving().await;
    let browser = app.signed_up(EMAIL).await;
    for _ in 0..12 {
        app.pass(300);
        for _ in 0..2 {
            assert_eq!(dropped(&app, &browser, &[FETCHES]).await.status, 200);
            app.pass(61);
        }
        // A script goes on, neither a form that is sent nor a frame loses anything, and a page load
        // leads through.
        assert_eq!(dropped(&app, &browser, &[FETCHES]).await.status, 200);
        for headers in [SENDS, [NAVIGATES, ("sec-fetch-dest", "iframe")]] {
            assert_eq!(dropped(&app, &browser, &headers).await.status, 200);
        }
        let answer = dropped(&app, &browser, &[NAVIGATES]).await;
        assert_eq!(answer.status, 303);
        assert!(answer.set_cookies().is_empty(), "the proxy would drop it");
        let path = answer
            .header("location")
            .strip_prefix("https://example.com");
        let before = browser.session();
        let answer = browser.open(path.unwrap()).await;
        assert_eq!(answer.header("location"), APP);
        assert_ne!(browser.session(), before);
        assert_eq!(dropped(&app, &browser, &[NAVIGATES]).await.status, 200);
        app.pass(61);
    }
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
}

#[tokio::test]
async fn checks_cannot_take_the_renewals_of_another_holder() {
    let app = serving().await;
    let owner = app.signed_up(EMAIL).await;
    let attacker = app.browser();
    attacker.plant(COOKIE, &owner.session().unwrap());
    app.pass(300);
    let mut seconds = 0;
    loop {
        let answer = dropped(&app, &attacker, &[FETCHES]).await;
        let is_owner_served = owner.viewer().await.is_some();
        if answer.status != 200 || !is_owner_served {
            break;
        }
        app.pass(20);
        seconds += 20;
        assert!(seconds < 300, "both are served");
    }
    app.pass(61);
    assert_ne!(dropped(&app, &attacker, &[FETCHES]).await.status, 200);
}

#[tokio::test]
async fn a_proxy_that_drops_set_cookie_is_noticed_and_signs_no_user_out() {
    let app = serving().await;
    let browsers = [
        app.signed_up("a@example.com").await,
        app.signed_up("b@example.com").await,
        app.signed_up("c@example.com").await,
    ];
    app.pass(300);
    for browser in &browsers {
        assert_eq!(dropped(&app, browser, &[FETCHES]).await.status, 200);
    }
    app.pass(61);
    for browser in &browsers {
        assert_eq!(dropped(&app, browser, &[FETCHES]).await.status, 200);
    }
    // From now on scripts alone go on for as long as the session may be idle.
    for _ in 0..40 {
        app.pass(60);
        for browser in &browsers {
            assert_eq!(dropped(&app, browser, &[FETCHES]).await.status, 200);
        }
    }
    // A session that starts now is handed nothing.
    let late = app.browser();
    late.sign_in("a@example.com", PASSWORD).await;
    app.pass(300);
    let answer = dropped(&app, &late, &[FETCHES]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(dropped(&app, &late, &[NAVIGATES]).await.status, 303);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_checks_from_renewing_for_longer() {
    let app = serving().await;
    let mut browsers = Vec::new();
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        browsers.push(app.signed_up(email).await);
    }
    // Each loses a renewal, so that checks hand out nothing for an hour.
    for seconds in [300, 61] {
        app.pass(seconds);
        for browser in &browsers {
            assert_eq!(dropped(&app, browser, &[FETCHES]).await.status, 200);
        }
    }
    app.set_clock(-36_000);
    app.pass(3_600);
    let late = app.signed_up("d@example.com").await;
    app.pass(300);
    let answer = check(&late, "", &[("x-original-url", APP)]).await;
    assert_eq!(answer.set_cookies().len(), 1);
}
