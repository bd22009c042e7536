//! Marks of browsers that have signed in to an account before (OWASP's device cookies).
//!
//! While attackers use up the tries of anonymous visitors at an account, the browsers of its owner
//! go on. A mark is good for that count alone: it signs no browser in, and it names no account to a
//! party without the key.

use super::{
    caller::Caller,
    error::Error,
    fields::Email,
    secret::{self, Secret, fingerprint},
};

/// Accounts that one browser has marks of; one more drops the one that was used longest ago.
const MARKS_MAX: usize = 8;
/// Most octets of a mark. Longer ones are dropped, since they were not made here.
const MARK_LEN_MAX: usize = 128;
/// The longest time for which browsers keep a cookie, 400 days, in seconds.
const KEPT_FOR_S: i64 = 400 * 86_400;

/// Closes and opens marks.
pub struct Seal(secret::Seal);

impl Seal {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        secret::Seal::new(secret, "known browser").map(Self)
    }
}

/// A mark that a browser showed, of one account.
pub struct Mark {
    /// Id of the account's user.
    pub user_id: String,
    /// Names the mark among others of the account.
    pub id: String,
    sealed: String,
}

/// Finds the browser's mark of the account with this address.
pub fn find(caller: &Caller, email: &Email) -> Option<Mark> {
    let account = email.key();
    marks(caller).find_map(|sealed| {
        let user_id = caller.state.known_browsers.0.open(sealed, &account)?;
        Some(Mark {
            user_id: String::from_utf8(user_id).ok()?,
            id: fingerprint(&[sealed]),
            sealed: sealed.to_owned(),
        })
    })
}

/// Marks that a browser is to keep.
pub struct Marks(String);

impl Marks {
    /// Sends them with the response.
    pub fn send(&self, caller: &Caller) {
        caller.cookies.remember_browser(&self.0, KEPT_FOR_S);
    }
}

/// Makes the marks of a browser that signs in to the account with this address.
///
/// # Errors
/// If the mark cannot be sealed.
pub fn renew(caller: &Caller, email: &Email, user_id: &str) -> Result<Marks, Error> {
    let before = find(caller, email);
    let others: Vec<&str> = marks(caller)
        .filter(|sealed| before.as_ref().is_none_or(|mark| mark.sealed != *sealed))
        .take(MARKS_MAX - 1)
        .collect();
    let own = match &before {
        // A new mark at each sign-in would have tries of its own.
        Some(mark) if mark.user_id == user_id => {
            // One of an older secret is closed anew, or dropping that secret would forget the browser.
            let seal = &caller.state.known_browsers.0;
            let renewed = seal.renew(&mark.sealed, &email.key())?;
            renewed.unwrap_or_else(|| mark.sealed.clone())
        }
        _ => {
            let seal = &caller.state.known_browsers.0;
            seal.close(user_id.as_bytes().to_vec(), &email.key())?
        }
    };
    let all = [&[own.as_str()][..], &others[..]].concat();
    Ok(Marks(all.join(".")))
}

/// The marks that the browser showed, the one used last first. Which accounts they are of shows when
/// one is opened.
fn marks(caller: &Caller) -> impl Iterator<Item = &str> {
    let shown = caller.marks.as_deref().unwrap_or_default();
    shown
        .split('.')
        .take(MARKS_MAX)
        .filter(|sealed| (1..=MARK_LEN_MAX).contains(&sealed.len()) && is_base64url(sealed))
}

fn is_base64url(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
