//! A throw-away account, and what must hold for its sessions.

use super::{
    passwords::fresh,
    report::{Checked, Why, fail},
    site::{Answer, Site, Ticket, send, with},
};
use crate::server::{error::Error, random::Random};
use http::{Method, header};

/// The longest session at level AAL1 (NIST SP 800-63B-4, 2.1.3), in seconds.
const LONGEST_S: i64 = 30 * 86_400;

/// Somebody who does not exist, at a domain that cannot.
pub struct Account {
    pub(super) email: String,
    pub(super) password: String,
    made: Option<Answer>,
    pub(super) ticket: Option<Ticket>,
}

impl Account {
    pub fn new(random: &Random) -> Result<Self, Error> {
        Ok(Self {
            email: format!("doctor-{}@cloakroom.example", random.id()?.to_lowercase()),
            password: random.id()?,
            made: None,
            ticket: None,
        })
    }

    pub fn email(&self) -> &str {
        &self.email
    }

    /// The cookie of the session that it has now.
    pub fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    pub async fn sign_up(&mut self, site: &Site) -> Checked {
        if self.ticket.is_some() {
            return Ok(());
        }
        let form = [("email", &*self.email), ("password", &*self.password)];
        let answer = site.call("sign_up", &form, None).await?;
        match answer.status {
            200 => {}
            429 => {
                return Err(Why::Skipped(
                    "sign-ups are limited; wait a minute".to_owned(),
                ));
            }
            status => {
                return Err(Why::Skipped(format!(
                    "signing up was answered with {status}"
                )));
            }
        }
        self.keep(answer);
        match self.ticket {
            Some(_) => Ok(()),
            None => fail("signing up was answered without a cookie"),
        }
    }

    pub(super) fn keep(&mut self, answer: Answer) {
        self.ticket = answer.ticket();
        self.made = Some(answer);
    }

    /// Signs in, in place of what it was signed in with.
    pub async fn sign_in(&mut self, site: &Site) -> Checked {
        let form = [("email", &*self.email), ("password", &*self.password)];
        let answer = site.call("sign_in", &form, self.ticket.as_ref()).await?;
        answer.expect_status(&[200])?;
        self.ticket = answer.ticket();
        Ok(())
    }

    pub(super) fn session(&self) -> Result<&Ticket, Why> {
        let none = || Why::Skipped("it is signed out".to_owned());
        self.ticket.as_ref().ok_or_else(none)
    }

    pub async fn cookie_name(&self) -> Checked {
        let name = &self.session()?.name;
        if name.starts_with("__Host-") {
            return Ok(());
        }
        fail(format!("it is {name}, expected __Host-… in front"))
    }

    pub async fn cookie_attributes(&self) -> Checked {
        let line = self.made.as_ref().and_then(Answer::cookie);
        let line = line.unwrap_or_default().to_ascii_lowercase();
        let attributes: Vec<&str> = line.split(';').skip(1).map(str::trim).collect();
        for (names, expected) in [
            (&["httponly"][..], "HttpOnly"),
            (&["secure"], "Secure"),
            (
                &["samesite=lax", "samesite=strict"],
                "SameSite=Lax or Strict",
            ),
            (&["path=/"], "Path=/"),
        ] {
            if !attributes.iter().any(|it| names.contains(it)) {
                return fail(format!("it lacks {expected}"));
            }
        }
        match attributes.iter().find(|it| it.starts_with("domain")) {
            Some(domain) => fail(format!("it has {domain}, expected no Domain")),
            None => Ok(()),
        }
    }

    pub async fn cookie_is_not_told(&self, site: &Site) -> Checked {
        let ticket = self.session()?;
        let mut answers = Vec::new();
        for path in [
            "/account",
            "/account/sessions",
            "/api/viewer",
            "/api/list_sessions",
        ] {
            let request = with(site.request(Method::GET, path), Some(ticket));
            answers.push((path, send(request).await?));
        }
        let made = self.made.iter().map(|answer| ("/api/sign_up", answer));
        let answers = answers.iter().map(|(path, answer)| (*path, answer));
        // The signature alone is enough to look for.
        let secret = ticket.value.rsplit('.').next().unwrap_or(&ticket.value);
        for (path, answer) in made.chain(answers) {
            if answer.body.contains(secret) {
                return fail(format!("{path} tells it to the page's scripts"));
            }
        }
        Ok(())
    }

    /// Both kinds of session: with "Keep me signed in" and without.
    pub async fn session_ends(&mut self, site: &Site) -> Checked {
        self.ends_in_time(site).await?;
        let form = [
            ("email", &*self.email),
            ("password", &*self.password),
            ("keep_me_signed_in", "true"),
        ];
        let answer = site.call("sign_in", &form, self.ticket.as_ref()).await?;
        answer.expect_status(&[200])?;
        self.ticket = answer.ticket().or(self.ticket.take());
        self.ends_in_time(site).await
    }

    async fn ends_in_time(&self, site: &Site) -> Checked {
        let request = with(
            site.request(Method::GET, "/api/viewer"),
            Some(self.session()?),
        );
        let answer = send(request).await?;
        answer.expect_status(&[200])?;
        let viewer: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let (now, session) = (viewer["now"].as_i64(), &viewer["session"]);
        let (ends_at, idle_s) = (
            session["ends_at"].as_i64(),
            session["idle_timeout_s"].as_i64(),
        );
        let (Some(now), Some(ends_at), Some(idle_s)) = (now, ends_at, idle_s) else {
            return fail("/api/viewer does not say when the session ends");
        };
        let lasts_s = ends_at - now;
        if lasts_s > LONGEST_S || idle_s > LONGEST_S {
            return fail(format!(
                "it lasts {} days, {} without use, expected 30 at most (NIST SP 800-63B-4, AAL1)",
                lasts_s / 86_400,
                idle_s / 86_400
            ));
        }
        Ok(())
    }

    /// Row 12: nobody can say which of the two is the browser's own.
    pub async fn two_cookies(&self, site: &Site) -> Checked {
        let ticket = self.session()?;
        let own = format!("{}={}", ticket.name, ticket.value);
        let planted = format!("{}=planted", ticket.name);
        let request = || site.request(Method::GET, "/api/list_sessions");
        for (place, request) in [
            (
                "in one header",
                request().header(header::COOKIE, format!("{own}; {planted}")),
            ),
            (
                "in one header",
                request().header(header::COOKIE, format!("{planted}; {own}")),
            ),
            (
                "in two headers",
                request()
                    .header(header::COOKIE, &own)
                    .header(header::COOKIE, &planted),
            ),
        ] {
            let status = send(request).await?.status;
            if status != 401 {
                return fail(format!("{place}: {status}, expected 401"));
            }
        }
        Ok(())
    }

    /// Row 11: whoever knew the cookie before knows nothing after.
    pub async fn sign_in_again(&mut self, site: &Site, random: &Random) -> Checked {
        let before = self.session()?.clone();
        let planted = Ticket {
            name: before.name.clone(),
            value: fresh(random)?,
        };
        for given in [planted, before] {
            let form = [("email", &*self.email), ("password", &*self.password)];
            let answer = site.call("sign_in", &form, Some(&given)).await?;
            answer.expect_status(&[200])?;
            let Some(new) = answer.ticket() else {
                return fail("signing in was answered without a cookie");
            };
            self.ticket = Some(new.clone());
            if new.value == given.value {
                return fail("the session goes on under the cookie that was there before");
            }
            if site.is_signed_in(&given).await? {
                return fail("the cookie that was there before still signs in");
            }
        }
        Ok(())
    }

    /// Row 10, and the end of all that was started here.
    pub async fn sign_out(&mut self, site: &Site) -> Checked {
        let before = self.session()?.clone();
        site.call("end_other_sessions", &[], Some(&before)).await?;
        let answer = site.call("sign_out", &[], Some(&before)).await?;
        answer.expect_status(&[200])?;
        if site.is_signed_in(&before).await? {
            return fail("a copy of its cookie still signs in");
        }
        self.ticket = None;
        Ok(())
    }
}
