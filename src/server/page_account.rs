//! Keeps a page to the account that it was made for.
//!
//! A page stays open while another tab of its browser signs in to another account: the cookie is then
//! that account's, and the page would show its lists and act on it. So a page names its account in
//! each call, by a tag that is no secret, and a call for another account is refused: in a header, or
//! in a field of a form without JavaScript. A client that sends no tag, such as curl, is not affected.

use super::{
    caller::Caller,
    error::Error,
    fields::shown,
    secret::{DerivedKey, Secret},
    sessions::Session,
    state::State,
};
use crate::wire::{self, page_account::PageAccount};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};

/// Header of a call in which the page names its account.
pub const HEADER: &str = "x-page-account";
/// Functions that a page may call when its session has ended.
const WITHOUT_A_SESSION: [&str; 3] = ["sign_in", "sign_out", "sign_up"];
/// Functions that a page may call with the cookie that the same form, sent before, has replaced.
const REPEATED: [&str; 2] = ["change_password", "confirm_password"];
/// Octets of the HMAC that a tag keeps. Two accounts share none by chance.
const TAG_LEN: usize = 16;

/// Makes and compares tags.
pub struct Tags(Vec<hmac::Key>);

impl Tags {
    /// Keys for tags alone, from the deployment's secret, newest first.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        let key = |DerivedKey { bytes, .. }| hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let keys = secret.derive("page account")?;
        Ok(Self(keys.into_iter().map(key).collect()))
    }

    /// Tags of a user, one for each key. A page may be older than the newest key.
    fn of(&self, user_id: &str) -> impl Iterator<Item = String> {
        self.0.iter().map(|key| {
            let signed = hmac::sign(key, user_id.as_bytes());
            BASE64_URL_SAFE_NO_PAD.encode(&signed.as_ref()[..TAG_LEN])
        })
    }
}

/// Describes the account of a session to a page of it.
pub fn describe(state: &State, session: &Session) -> PageAccount {
    let seen = session.seen_by_owner();
    PageAccount {
        tag: state
            .page_accounts
            .of(&session.user_id)
            .next()
            .unwrap_or_default(),
        email: shown(&session.email),
        number: seen.number,
        idle_timeout_s: seen.idle_timeout_s,
        left_s: seen.ends_at - state.clock.now_s(),
    }
}

/// Compares the account that a page names with the one that its browser is signed in to.
///
/// # Errors
/// [`wire::Error::AnotherAccount`] if they differ; [`wire::Error::SignInNeeded`] if the browser is
/// signed in to none, also from a function that is open to anonymous visitors: the page expects an
/// answer about its account.
pub fn check(
    caller: &Caller,
    headers: &HeaderMap,
    field: Option<&str>,
    function: &str,
) -> Result<(), wire::Error> {
    let mut named = headers.get_all(HEADER).iter();
    let header = named.next().map(HeaderValue::as_bytes);
    // A form without JavaScript whose session has ended waits until its user has signed in again.
    let is_waiting = header.is_none() && caller.session.is_none();
    let field = field.filter(|tag| !tag.is_empty()).map(str::as_bytes);
    let Some(tag) = header.or(field).filter(|_| !is_waiting) else {
        return Ok(());
    };
    let user_id = match &caller.session {
        None if WITHOUT_A_SESSION.contains(&function) => return Ok(()),
        None if REPEATED.contains(&function) => caller.named_user(),
        None => None,
        Some(session) => Some(&*session.user_id),
    };
    let user_id = user_id.ok_or(wire::Error::SignInNeeded)?;
    let mut tags = caller.state.page_accounts.of(user_id);
    let is_same = named.next().is_none() && tags.any(|own| tag == own.as_bytes());
    is_same.then_some(()).ok_or(wire::Error::AnotherAccount)
}
