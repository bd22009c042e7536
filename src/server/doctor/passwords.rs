//! What must hold for the passwords of a throw-away account.

use super::{
    account::Account,
    report::{Checked, Why, fail},
    site::{Site, send, with_form},
};
use crate::server::random::Random;
use http::{Method, header};

/// One less than NIST SP 800-63B-4 asks of a password that is all that is asked for. A shorter one
/// might be refused for being guessable.
const SHORT: usize = 14;
/// Wrong passwords in a row that nobody types who is only forgetful.
const GUESSES: u32 = 30;

impl Account {
    pub async fn sign_up_with_a_short_password(&mut self, site: &Site, random: &Random) -> Checked {
        let short: String = fresh(random)?.chars().take(SHORT).collect();
        let form = [("email", &*self.email), ("password", &*short)];
        let answer = site.call("sign_up", &form, None).await?;
        match answer.status {
            422 => Ok(()),
            429 => Err(Why::Skipped(
                "sign-ups are limited; wait a minute".to_owned(),
            )),
            403 | 404 => Err(Why::Skipped(format!(
                "nobody may sign up ({})",
                answer.status
            ))),
            200 => {
                // Then this is the account.
                self.password = short;
                self.keep(answer);
                fail(format!(
                    "passwords of {SHORT} characters are taken, expected 15 at least where nothing \
                     else is asked for (NIST SP 800-63B-4)"
                ))
            }
            status => fail(format!("{status}, expected 422")),
        }
    }

    /// Row 33: nobody can learn who has an account.
    pub async fn unknown_and_wrong(&self, site: &Site, random: &Random) -> Checked {
        let wrong = fresh(random)?;
        let nobody = format!("doctor-{}@cloakroom.example", fresh(random)?.to_lowercase());
        let mut told = Vec::new();
        for email in [&*self.email, &*nobody] {
            let form = [("email", email), ("password", &*wrong)];
            let answer = site.call("sign_in", &form, None).await?;
            answer.expect_status(&[401])?;
            let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            told.push((answer.status, names, answer.body));
        }
        if told[0] == told[1] {
            return Ok(());
        }
        fail("the two answers differ, so that anybody can learn who has an account")
    }

    /// Row 10.
    pub async fn change_password(&mut self, site: &Site, random: &Random) -> Checked {
        let before = self.session()?.clone();
        let form = [("email", &*self.email), ("password", &*self.password)];
        let elsewhere = site.call("sign_in", &form, None).await?.ticket();
        let new = fresh(random)?;
        let form = [
            ("current_password", &*self.password),
            ("new_password", &*new),
        ];
        let answer = site.call("change_password", &form, Some(&before)).await?;
        answer.expect_status(&[200])?;
        self.password = new;
        self.ticket = answer.ticket().or(self.ticket.take());
        for (which, old) in [
            ("this browser's", Some(before)),
            ("another browser's", elsewhere),
        ] {
            if let Some(old) = old
                && site.is_signed_in(&old).await?
            {
                return fail(format!("{which} cookie of before still signs in"));
            }
        }
        if site.is_signed_in(self.session()?).await? {
            return Ok(());
        }
        fail("whoever changed it was signed out")
    }

    /// Row 34: wrong passwords at its own account alone, each with another invented address. The
    /// next minute nobody signs in to it from here; nobody would.
    pub async fn guesses(&self, site: &Site, random: &Random) -> Checked {
        for guess in 0..GUESSES {
            let wrong = fresh(random)?;
            let request = site
                .request(Method::POST, "/api/sign_in")
                .header(header::ORIGIN, &site.origin)
                .header("sec-fetch-site", "same-origin")
                .header("x-forwarded-for", format!("203.0.113.{guess}"));
            let form = [("email", &*self.email), ("password", &*wrong)];
            let answer = send(with_form(request, &form)).await?;
            match answer.status {
                401 => {}
                429 if answer.header("retry-after").is_empty() => {
                    return fail("429 does not say when to come back (Retry-After)");
                }
                429 => return Ok(()),
                status => return fail(format!("{status}, expected 401 or 429")),
            }
        }
        fail(format!(
            "{GUESSES} wrong passwords in a row were all looked at, each with another \
             X-Forwarded-For; expected 429"
        ))
    }
}

/// Something that nobody has seen before.
pub fn fresh(random: &Random) -> Result<String, Why> {
    random.id().map_err(|error| Why::Skipped(error.to_string()))
}
