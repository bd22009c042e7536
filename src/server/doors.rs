//! Who may come in. Every server function opens with one of these lines, and pages under
//! `/account` are behind the guard at the end (promise 2: closed unless opened).

use super::{caller::Caller, sessions::Session, state::State};
use crate::wire;
use axum::{
    extract::Request,
    response::{IntoResponse, Redirect, Response},
};
use http::request::Parts;
use leptos::prelude::use_context;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Open to everybody, signed in or not.
///
/// # Errors
/// If it is called outside a request.
pub fn anyone() -> Result<Caller, wire::Error> {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Caller>().cloned())
        .ok_or(wire::Error::SignInNeeded)
}

/// Open to whoever has a live session.
///
/// # Errors
/// [`wire::Error::SignInNeeded`] for everybody else.
pub fn signed_in() -> Result<(Caller, Session), wire::Error> {
    let caller = anyone()?;
    let session = caller.session.clone().ok_or(wire::Error::SignInNeeded)?;
    Ok((caller, session))
}

/// Pages: signed-out visitors of `/account` are sent to sign in before anything is rendered, and
/// signed-in ones have nothing to do at sign-in and sign-up.
///
/// # Errors
/// The redirect.
pub fn guard_pages(request: Request) -> Result<Request, Box<Response>> {
    // The app's router reads `/%61ccount` as `/account`, so the guard does as well.
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
    let is_signed_in = request
        .extensions()
        .get::<Caller>()
        .is_some_and(|caller| caller.session.is_some());
    // A form that came back has an error to show, whoever is signed in.
    let is_returned = request
        .extensions()
        .get::<wire::users::ReturnedForm>()
        .is_some();
    let is_private = path == "/account" || path.starts_with("/account/");
    let elsewhere = if is_private && !is_signed_in {
        let asked = request.uri().path_and_query().map_or("", |it| it.as_str());
        format!("/sign-in?next={}", utf8_percent_encode(asked, IN_QUERY))
    } else if is_signed_in && !is_returned && matches!(&*path, "/sign-in" | "/sign-up") {
        "/account".to_owned()
    } else {
        return Ok(request);
    };
    Err(Box::new(Redirect::to(&elsewhere).into_response()))
}

/// What would end the value of a query's parameter, or be read as something else in it.
const IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>');

/// What a page needs to know of the server, put into Leptos's context for pages and server
/// functions alike.
pub fn provide(state: &State) {
    use leptos::{nonce::Nonce, prelude::provide_context};
    provide_context(wire::users::PasswordPolicy {
        min_length: state.config.passwords.min_length,
    });
    if let Some(parts) = use_context::<Parts>() {
        if let Some(nonce) = parts.extensions.get::<super::headers::CspNonce>() {
            provide_context(Nonce::from_value(nonce.0.as_str()));
        }
        if let Some(returned) = parts.extensions.get::<wire::users::ReturnedForm>() {
            provide_context(returned.clone());
        }
    }
}
