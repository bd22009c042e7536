//! Failed sign-ins in the activity: an entry is true of each try that it counts.

use crate::app::{Answer, Browser, EMAIL, Program, TestApp, with_form};
use reqwest::Method;
use serde_json::Value;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const OWNERS: &str = "198.51.100.7";
const TOGETHER: &str = "Several devices and addresses, counted together";

async fn app_behind_proxy() -> TestApp {
    TestApp::with(|config| {
        config.server.trusted_proxy_hops = 1;
        config.limits.sign_ins_per_account = 1000;
        config.limits.sign_ins_per_account_and_address = 1000;
    })
    .await
}

/// One wrong password, from this address and browser.
async fn fail(app: &TestApp, address: &str, user_agent: &str) {
    let browser = app.browser();
    let request = browser
        .request(Method::POST, "/api/sign_in")
        .header("origin", &app.url)
        .header("x-forwarded-for", address)
        .header("user-agent", user_agent);
    let form = [("email", EMAIL), ("password", "not this one at all")];
    let answer: Answer = browser.send(with_form(request, &form)).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
}

/// Failed sign-ins as the owner sees them: address, browser and count.
async fn failures(owner: &Browser) -> Vec<(String, String, i64)> {
    let request = owner.request(Method::GET, "/api/list_activity");
    let list = owner.send(request).await.json();
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let entries = list["entries"].as_array().unwrap().iter();
    entries
        .filter(|entry| entry["kind"] == "sign_in_failed")
        .map(|entry| {
            let (address, browser) = (&entry["address"], &entry["device"]["browser"]);
            let count = entry["how_many"].as_i64().unwrap();
            (text(address), text(browser), count)
        })
        .collect()
}

fn own(failures: &[(String, String, i64)]) -> Vec<(&str, i64)> {
    let of_owner = failures.iter().filter(|(address, ..)| address == OWNERS);
    of_owner
        .map(|(_, browser, count)| (&**browser, *count))
        .collect()
}

#[tokio::test]
async fn failures_of_strangers_are_not_counted_on_the_entry_of_the_owner() {
    for is_written_at_once in [false, true] {
        let app = app_behind_proxy().await;
        let owner = app.signed_up(EMAIL).await;
        fail(&app, OWNERS, FIREFOX).await;
        for guess in 0..60 {
            fail(&app, &format!("203.0.113.{guess}"), "curl/8").await;
            if is_written_at_once {
                app.state.later.flush(&app.state).await.unwrap();
            }
        }
        let seen = failures(&owner).await;
        assert_eq!(own(&seen), [("Firefox", 1)], "{seen:?}");
        assert_eq!(seen.iter().map(|it| it.2).sum::<i64>(), 61);
        // Five with an address, and one for all others, which names no device.
        assert_eq!(seen.len(), 6, "{seen:?}");
        let others = ("none".to_owned(), "none".to_owned(), 56);
        assert!(seen.contains(&others), "{seen:?}");
        let page = owner.open("/account/activity").await.body;
        assert!(page.contains("A wrong password was entered 56 times"));
        assert!(page.contains(TOGETHER), "{page}");
        let program = Program::new(&app.url, &owner.key("activity:read").await);
        let list = program.get("/v1/activity").await.json();
        let entries = list["entries"].as_array().unwrap();
        let others = entries.iter().find(|entry| entry["how_many"] == 56);
        assert_eq!(others.unwrap()["address"], Value::Null);
    }
}

#[tokio::test]
async fn one_attacker_with_many_browsers_leaves_room_for_the_owners_failure() {
    let app = app_behind_proxy().await;
    let owner = app.signed_up(EMAIL).await;
    for browser in ["Edg", "OPR/", "Firefox", "CriOS", "Chrome", "Safari"] {
        for system in ["Android", "iPhone", "Windows", "Linux"] {
            // An attacker has all addresses of a network of IPv6.
            let address = format!("2001:db8::{:x}", browser.len() * system.len());
            fail(&app, &address, &format!("{browser} {system}")).await;
        }
    }
    app.state.later.flush(&app.state).await.unwrap();
    fail(&app, OWNERS, FIREFOX).await;
    fail(&app, OWNERS, FIREFOX).await;
    let seen = failures(&owner).await;
    assert_eq!(own(&seen), [("Firefox", 2)], "{seen:?}");
    assert_eq!((seen.len(), seen.iter().map(|it| it.2).sum()), (4, 26));
}

#[tokio::test]
async fn another_browser_at_the_address_of_the_owner_has_an_entry_of_its_own() {
    let app = app_behind_proxy().await;
    let owner = app.signed_up(EMAIL).await;
    fail(&app, OWNERS, FIREFOX).await;
    for _ in 0..3 {
        fail(&app, OWNERS, "curl/8").await;
    }
    let seen = failures(&owner).await;
    let mut own = own(&seen);
    own.sort_unstable();
    assert_eq!(own, [("Firefox", 1), ("curl", 3)]);
}

#[tokio::test]
async fn neighbours_in_one_network_are_not_counted_under_one_address() {
    let app = app_behind_proxy().await;
    let owner = app.signed_up(EMAIL).await;
    fail(&app, "2001:db8::1", FIREFOX).await;
    fail(&app, "2001:db8::2", FIREFOX).await;
    let mut seen = failures(&owner).await;
    seen.sort_unstable();
    let entry = |address: &str| (address.to_owned(), "Firefox".to_owned(), 1);
    assert_eq!(seen, [entry("2001:db8::1"), entry("2001:db8::2")]);
}
