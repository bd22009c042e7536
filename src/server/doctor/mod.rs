//! `cloakroom doctor`: looks at a deployment from outside, as a browser and as an attacker would,
//! and says what is weak. It needs no database, no settings and no secret of the deployment; it
//! makes one throw-away account there.

mod account;
mod addresses;
mod cross_site;
mod forward_auth;
mod headers;
mod passwords;
mod report;
mod site;
mod strangers;

use super::{error::Error, random::Random};
use account::Account;
use report::{Checked, Report, Why};
use site::Site;

/// Every check, in order.
///
/// # Errors
/// If `url` is not the address of a site, or there is no randomness. What the site does wrong is
/// in the report.
pub async fn examine(url: &str, random: &Random) -> Result<Report, Error> {
    let site = Site::at(url)?;
    let mut report = Report::default();
    let is_there = ready(&site).await;
    let is_silent = is_there.is_err();
    report.record("it is reachable and ready", is_there);
    report.record("it is reached by https", site.is_private());
    if is_silent {
        return Ok(report);
    }
    headers::examine(&site, &mut report).await;
    strangers::examine(&site, random, &mut report).await?;
    forward_auth::examine(&site, &mut report).await;

    let mut account = Account::new(random)?;
    let short = account.sign_up_with_a_short_password(&site, random).await;
    report.record("short passwords are refused", short);
    let made = account.sign_up(&site).await;
    // What needs an account says why there is none.
    let missing = made.as_ref().err().map(|why| why.clone().into_text());
    report.record("an account is made and signed in", made);
    macro_rules! with_account {
        ($($name:literal: $check:expr,)*) => {
            $(
                let checked = match &missing {
                    None => $check.await,
                    Some(why) => Err(Why::Skipped(format!("there is no account: {why}"))),
                };
                report.record($name, checked);
            )*
        };
    }
    with_account! {
        "the session's cookie has a name that no sibling can set": account.cookie_name(),
        "the session's cookie is kept from scripts and other sites": account.cookie_attributes(),
        "the session's cookie is in no answer's text": account.cookie_is_not_told(&site),
        "a session ends within 30 days": account.session_ends(&site),
        "visitors are told apart by their address": account.address_is_seen(&site),
        "two session cookies in a request are refused": account.two_cookies(&site),
    }
    let who = match &missing {
        None => Ok(&mut account),
        Some(why) => Err(why.clone()),
    };
    cross_site::examine(&site, who, &mut report).await;
    with_account! {
        "signing in starts another session, and a planted one is refused":
            account.sign_in_again(&site, random),
        "a wrong password and an unknown address are told the same":
            account.unknown_and_wrong(&site, random),
        "a changed password ends what was signed in": account.change_password(&site, random),
        "signing out ends the session": account.sign_out(&site),
        "guessing a password is slowed down": account.guesses(&site, random),
    }
    if missing.is_none() {
        report.remark(format!(
            "The account {} remains: accounts cannot be deleted yet. Its password was thrown away.",
            account.email()
        ));
    }
    Ok(report)
}

async fn ready(site: &Site) -> Checked {
    let answer = site.get("/health/ready").await?;
    answer.expect_status(&[200])
}
