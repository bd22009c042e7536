//! A browser that has signed in to an account before is counted by itself.

use crate::app::{Answer, Browser, EMAIL, PASSWORD, TestApp, with_form};
use reqwest::Method;

const MARK: &str = "__Host-Http-known-browser";
const WRONG: &str = "another lamp over six stairs";
const BOB: &str = "bob@example.com";

async fn app() -> TestApp {
    TestApp::with(|config| {
        config.limits.sign_ins_per_account = 5;
        config.limits.sign_ins_per_account_and_address = 3;
        config.server.trusted_proxy_hops = 1;
    })
    .await
}

async fn sign_in_from(browser: &Browser, address: &str, email: &str, password: &str) -> u16 {
    let request = browser
        .request(Method::POST, "/api/sign_in")
        .header("origin", browser.url())
        .header("x-forwarded-for", address);
    let form = [("email", email), ("password", password)];
    browser.send(with_form(request, &form)).await.status
}

/// Uses up the tries that visitors without a mark have at an account.
async fn flood(app: &TestApp, email: &str) {
    let visitor = app.browser();
    for last in 1..=6 {
        let address = format!("192.0.2.{last}");
        let expected = if last > 5 { 429 } else { 401 };
        let status = sign_in_from(&visitor, &address, email, WRONG).await;
        assert_eq!(status, expected, "{email} {last}");
    }
}

/// The cookie that an answer sets for the browser: its value and its attributes.
fn mark_of(answer: &Answer) -> Option<(String, String)> {
    let cookies = answer.set_cookies();
    let line = cookies.iter().find(|line| line.starts_with(MARK))?;
    let (pair, attributes) = line.split_once("; ")?;
    let (name, value) = pair.split_once('=')?;
    assert_eq!(name, MARK);
    Some((value.to_owned(), attributes.to_owned()))
}

#[tokio::test]
async fn a_known_browser_signs_in_while_strangers_flood_its_account() {
    let app = app().await;
    let known = app.signed_up(EMAIL).await;
    // It was marked at the sign-up, and the mark outlives the session.
    assert_eq!(known.call("sign_out", &[]).await.status, 200);
    flood(&app, EMAIL).await;
    let new = app.browser();
    assert_eq!(sign_in_from(&new, "192.0.2.9", EMAIL, PASSWORD).await, 429);
    // It is in the network of the attacker, and writes its address in another way.
    let other = "ADA@example.com";
    assert_eq!(
        sign_in_from(&known, "192.0.2.1", other, PASSWORD).await,
        200
    );
    assert_eq!(known.call("sign_out", &[]).await.status, 200);
    assert_eq!(
        sign_in_from(&known, "192.0.2.1", EMAIL, PASSWORD).await,
        200
    );
    // What the owner does gives strangers no more tries.
    assert_eq!(sign_in_from(&new, "192.0.2.9", EMAIL, PASSWORD).await, 429);
}

#[tokio::test]
async fn a_mark_counts_at_its_own_account_alone() {
    let app = app().await;
    app.signed_up(BOB).await;
    let known = app.signed_up(EMAIL).await;
    flood(&app, BOB).await;
    assert_eq!(sign_in_from(&known, "192.0.2.9", BOB, PASSWORD).await, 429);
    // One browser has marks of several accounts, and each sign-in keeps those of the others.
    app.pass(61);
    for email in [BOB, EMAIL, BOB] {
        assert_eq!(
            sign_in_from(&known, "192.0.2.9", email, PASSWORD).await,
            200
        );
    }
    flood(&app, BOB).await;
    flood(&app, EMAIL).await;
    for email in [BOB, EMAIL, BOB] {
        assert_eq!(
            sign_in_from(&known, "192.0.2.9", email, PASSWORD).await,
            200
        );
    }
}

#[tokio::test]
async fn a_stolen_mark_guesses_no_faster_and_signs_no_one_in() {
    let app = app().await;
    let answer = app.browser().sign_up(EMAIL, PASSWORD).await;
    let (mark, attributes) = mark_of(&answer).expect("a mark");
    for attribute in [
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Path=/",
        "Max-Age=34560000",
    ] {
        assert!(attributes.split("; ").any(|it| it == attribute));
    }
    assert!(!attributes.contains("Domain"));
    assert!(!mark.contains(EMAIL));
    let thief = app.browser();
    thief.plant(MARK, &mark);
    assert_eq!(thief.viewer().await, None);
    // It has the tries of its mark, and those of any visitor.
    for count in 1..=8 {
        let expected = if count > 6 { 429 } else { 401 };
        let status = sign_in_from(&thief, "192.0.2.1", EMAIL, WRONG).await;
        assert_eq!(status, expected, "{count}");
    }
    // The owner signs in from another browser meanwhile, and from the same one a minute later.
    assert_eq!(app.browser().sign_in(EMAIL, PASSWORD).await.status, 200);
    app.pass(61);
    assert_eq!(
        sign_in_from(&thief, "192.0.2.1", EMAIL, PASSWORD).await,
        200
    );
}

#[tokio::test]
async fn a_copied_mark_that_is_used_up_keeps_its_owner_from_no_sign_in() {
    let app = app().await;
    let owner = app.browser();
    let answer = owner.sign_up(EMAIL, PASSWORD).await;
    let (mark, _) = mark_of(&answer).expect("a mark");
    assert_eq!(owner.call("sign_out", &[]).await.status, 200);
    let attacker = app.browser();
    attacker.plant(MARK, &mark);
    let mut statuses = Vec::new();
    while statuses.last() != Some(&429) {
        statuses.push(sign_in_from(&attacker, "192.0.2.1", EMAIL, WRONG).await);
        assert!(statuses.len() < 10, "{statuses:?}");
    }
    let status = sign_in_from(&owner, "198.51.100.1", EMAIL, PASSWORD).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn marks_of_a_former_knower_keep_the_owners_browser_from_no_sign_in() {
    let app = app().await;
    let owner = app.signed_up(EMAIL).await;
    assert_eq!(owner.call("sign_out", &[]).await.status, 200);
    // The attacker knew the password once, and made marks.
    let mut marked = Vec::new();
    for _ in 0..2 {
        let browser = app.browser();
        assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
        assert_eq!(browser.call("sign_out", &[]).await.status, 200);
        marked.push(browser);
    }
    for browser in &marked {
        let mut last = 401;
        for _ in 0..10 {
            last = sign_in_from(browser, "192.0.2.1", EMAIL, WRONG).await;
        }
        assert_eq!(last, 429);
    }
    let status = sign_in_from(&owner, "198.51.100.1", EMAIL, PASSWORD).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_mark_that_was_not_handed_out_here_counts_for_nothing() {
    let app = app().await;
    let answer = app.browser().sign_up(EMAIL, PASSWORD).await;
    let (mark, _) = mark_of(&answer).expect("a mark");
    let other = TestApp::new().await;
    let answer_there = other.browser().sign_up(EMAIL, PASSWORD).await;
    let (foreign, _) = mark_of(&answer_there).expect("a mark");
    flood(&app, EMAIL).await;
    let session = answer.set_cookies()[0]
        .split(['=', ';'])
        .nth(1)
        .unwrap()
        .to_owned();
    let (start, end) = mark.split_at(mark.len() / 2);
    let changed = if end.starts_with('A') { 'B' } else { 'A' };
    for forged in [
        "",
        "known",
        &foreign,
        &session,
        &format!("{start}{changed}{}", &end[1..]),
        &format!("{mark}="),
        &vec!["A".repeat(67); 50].join("."),
    ] {
        let attacker = app.browser();
        attacker.plant(MARK, forged);
        let status = sign_in_from(&attacker, "192.0.2.9", EMAIL, PASSWORD).await;
        assert_eq!(status, 429, "{forged}");
    }
    // Two cookies of the name: neither counts.
    let planted = app.browser();
    planted.plant(MARK, &mark);
    planted.plant(MARK, &foreign);
    let status = sign_in_from(&planted, "192.0.2.9", EMAIL, PASSWORD).await;
    assert_eq!(status, 429);
}
