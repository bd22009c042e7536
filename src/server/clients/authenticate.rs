//! How a client shows who it is (RFC 6749, 2.3): in exactly one way, the one that its
//! registration names.

use super::{Authentication, Client, assertion::Assertion, find};
use crate::server::{
    oidc::{error::OauthError, form::Asked},
    secret::PlainClientSecret,
    state::State,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use std::{borrow::Cow, sync::Arc};

/// The one kind of assertion (RFC 7523, 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What is shown.
enum Shown<'a> {
    Nothing(&'a str),
    Secret(Cow<'a, str>, PlainClientSecret),
    Assertion(Box<Assertion<'a>>),
}

/// The client that asks. A public one names itself and shows nothing.
///
/// # Errors
/// `invalid_client` for whoever is unknown, disabled, or shows the wrong thing, alike;
/// `invalid_request` for whoever shows two things.
pub async fn authenticate(state: &State, asked: &Asked) -> Result<Arc<Client>, OauthError> {
    let shown = read(asked)?;
    let Some(client) = verify(state, shown).await? else {
        // The secrets cannot be guessed; what is bounded is how much work a stranger makes.
        state.limits.client_failed(asked.address)?;
        tracing::info!(event = "client_refused", address = %asked.address);
        return Err(OauthError::INVALID_CLIENT);
    };
    // Said twice, it is the same client.
    match asked.form.get("client_id") {
        Some(id) if id != client.id => {
            let why = "client_id is not the client whose credentials were shown";
            Err(OauthError::INVALID_REQUEST.because(why))
        }
        _ => Ok(client),
    }
}

async fn verify(state: &State, shown: Shown<'_>) -> Result<Option<Arc<Client>>, OauthError> {
    let id = match &shown {
        Shown::Nothing(id) => id,
        Shown::Secret(id, _) => &**id,
        Shown::Assertion(assertion) => assertion.client_id(),
    };
    let Some(client) = find(state, id).await? else {
        return Ok(None);
    };
    let is_right = match (&client.authentication, &shown) {
        (Authentication::None, Shown::Nothing(_)) => true,
        (Authentication::ClientSecret(hashed), Shown::Secret(_, secret)) => hashed.is_of(secret),
        (Authentication::PrivateKeyJwt(keys), Shown::Assertion(assertion)) => {
            assertion.verify(state, &client, keys).await?
        }
        _ => false,
    };
    Ok(is_right.then_some(client))
}

fn read(asked: &Asked) -> Result<Shown<'_>, OauthError> {
    let form = &asked.form;
    let basic = asked.headers.contains_key(header::AUTHORIZATION);
    let assertion = form.get("client_assertion");
    let secret = form.get("client_secret");
    match (basic, secret, assertion) {
        (true, None, None) => read_basic(&asked.headers).ok_or(OauthError::INVALID_CLIENT),
        (false, Some(secret), None) => {
            let id = form.get("client_id").ok_or(OauthError::INVALID_CLIENT)?;
            Ok(Shown::Secret(
                Cow::Borrowed(id),
                PlainClientSecret::shown(secret),
            ))
        }
        (false, None, Some(assertion)) => {
            if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                let why = "client_assertion_type is missing or unknown";
                return Err(OauthError::INVALID_REQUEST.because(why));
            }
            let assertion = Assertion::read(assertion).ok_or(OauthError::INVALID_CLIENT)?;
            Ok(Shown::Assertion(Box::new(assertion)))
        }
        (false, None, None) => {
            let id = form.get("client_id").ok_or(OauthError::INVALID_CLIENT)?;
            Ok(Shown::Nothing(id))
        }
        // Two ways at once: nobody can say which one counts.
        _ => {
            let why = "the client showed credentials in two ways at once";
            Err(OauthError::INVALID_REQUEST.because(why))
        }
    }
}

/// Id and secret are form-encoded before they are joined (RFC 6749, 2.3.1).
fn read_basic(headers: &HeaderMap) -> Option<Shown<'static>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let secret = PlainClientSecret::shown(&form_decoded(secret)?);
    Some(Shown::Secret(Cow::Owned(form_decoded(id)?), secret))
}

fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    let (name, _) = form_urlencoded::parse(text.as_bytes()).next()?;
    Some(name.into_owned())
}
