//! Who may come in. Every server function opens with one of these lines, and
//! private pages are behind the guard at the end (promise 2: closed unless opened).

use super::{
    answer::refuse,
    caller::Caller,
    fields::shown,
    forms::{form_page, query_for, to_sign_in},
    page_account,
    sessions::Session,
    state::State,
};
use crate::wire::{self, fields::local_path, users::SignInQuery};
use axum::{
    extract::Request,
    response::{IntoResponse, Redirect, Response},
};
use http::request::Parts;
use leptos::prelude::{use_context, with_context};
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// Open to everybody, signed in or not.
///
/// # Errors
/// If it is called outside a request.
pub fn anyone() -> Result<Caller, wire::Error> {
    with_context(|parts: &Parts| parts.extensions.get::<Caller>().cloned())
        .flatten()
        .ok_or(wire::Error::SignInNeeded)
}

/// Open to whoever has a live session.
///
/// # Errors
/// [`wire::Error::SignInNeeded`] for everybody else.
pub fn signed_in() -> Result<(Caller, Arc<Session>), wire::Error> {
    let caller = anyone()?;
    let session = caller.session.clone().ok_or(wire::Error::SignInNeeded)?;
    Ok((caller, session))
}

/// Open to a live session, and to the cookie of one that is over: the rule of the form finds out
/// whether the same form, sent a moment before, replaced that cookie.
///
/// # Errors
/// [`wire::Error::SignInNeeded`] for anonymous visitors.
pub fn signed_in_or_repeating() -> Result<Caller, wire::Error> {
    let caller = anyone()?;
    let is_named = caller.named_session().is_some();
    is_named.then_some(caller).ok_or(wire::Error::SignInNeeded)
}

/// Open to whoever has shown who they are within the last minutes (ASVS 7.5.2): whoever finds a
/// browser open, or has a copy of its cookie, does not come in here.
///
/// # Errors
/// [`wire::Error::RecentSignInNeeded`] for those who are signed in for longer: the page asks for
/// the password, and carries on.
pub fn recently_signed_in() -> Result<(Caller, Arc<Session>), wire::Error> {
    let (caller, session) = signed_in()?;
    if session.is_recent(&caller.state) {
        Ok((caller, session))
    } else {
        Err(wire::Error::RecentSignInNeeded)
    }
}

/// Pages that nobody sees who is not signed in, and all that is below them.
const PRIVATE: &[&str] = &[
    "/account",
    "/consent",
    #[cfg(feature = "lab")]
    "/notes",
];

/// The page that has the form, or shows the answer, of each server function. An app's request is gone
/// with the address that it came with, so that its functions belong to the page of connected apps.
const PAGES: &[(&str, &[&str])] = &[
    ("/", &["sign_out", "viewer"]),
    ("/sign-in", &["sign_in"]),
    ("/sign-up", &["sign_up"]),
    ("/proof", &["inspect_session"]),
    ("/account/activity", &["list_activity"]),
    (
        "/account/apps",
        &[
            "decide_authorization",
            "describe_authorization",
            "list_apps",
            "revoke_app",
        ],
    ),
    (
        "/account/keys",
        &[
            "acknowledge_api_key",
            "create_api_key",
            "list_api_keys",
            "revoke_api_key",
        ],
    ),
    (
        "/account/security",
        &["change_password", "confirm_password", "list_revocable"],
    ),
    (
        "/account/sessions",
        &["end_other_sessions", "end_session", "list_sessions"],
    ),
    #[cfg(feature = "lab")]
    ("/notes", &["list_notes", "write_note"]),
];

/// Finds the page that a server function belongs to.
pub fn page_of(function: &str) -> Option<&'static str> {
    let mut pages = PAGES.iter();
    pages
        .find(|(_, functions)| functions.contains(&function))
        .map(|(page, _)| *page)
}

/// Pages: signed-out visitors of private ones are sent to sign in before anything is rendered, and
/// signed-in ones have nothing to do at sign-in and sign-up.
///
/// # Errors
/// The redirect.
pub async fn guard_pages(request: Request) -> Result<Request, Box<Response>> {
    // The app's router reads `/%61ccount` as `/account`, so the guard does as well.
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
    let caller = request.extensions().get::<Caller>();
    let is_signed_in = caller.is_some_and(|caller| caller.session.is_some());
    // A form that came back has an error to show, whoever is signed in.
    let is_returned = request
        .extensions()
        .get::<wire::users::ReturnedForm>()
        .is_some();
    let is_private = PRIVATE.iter().any(|private| {
        path.strip_prefix(private)
            .is_some_and(|below| below.is_empty() || below.starts_with('/'))
    });
    let elsewhere = match caller {
        Some(caller) if is_private && !is_signed_in => {
            let asked = request.uri().path_and_query().map_or("", |it| it.as_str());
            to_sign_in(caller, asked).await
        }
        Some(_) if is_signed_in && !is_returned && matches!(&*path, "/sign-in" | "/sign-up") => {
            // Where they were going when they were sent here: in another tab they got there.
            let next = sign_in_query(request.uri().query().unwrap_or_default()).next;
            Redirect::to(next.as_deref().unwrap_or("/account")).into_response()
        }
        Some(_) => return Ok(request),
        None => refuse(wire::Error::Unexpected { id: String::new() }),
    };
    Err(Box::new(elsewhere))
}

/// Parameters that a sign-in or sign-up page was opened with. An address of another site is dropped.
pub fn sign_in_query(query: &str) -> SignInQuery {
    let value_of = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let next = value_of("next").filter(|next| local_path(next).is_some());
    SignInQuery {
        carried: next.as_deref().map(query_for).unwrap_or_default(),
        next,
        email: value_of("email").map(|email| shown(&email)),
    }
}

/// What a page needs to know of the server, put into Leptos's context for pages and server
/// functions alike.
pub fn provide(state: &State) {
    use leptos::{nonce::Nonce, prelude::provide_context};
    provide_context(wire::users::PasswordPolicy {
        min_length: state.config.passwords.min_length,
    });
    if let Some(parts) = use_context::<Parts>() {
        provide_context(sign_in_query(parts.uri.query().unwrap_or_default()));
        let page = parts
            .uri
            .path_and_query()
            .and_then(|it| form_page(it.as_str()));
        if let Some(page) = page {
            provide_context(wire::users::FormPage(page.to_owned()));
        }
        if let Some(session) = parts
            .extensions
            .get::<Caller>()
            .and_then(|caller| caller.session.as_ref())
        {
            provide_context(session.seen_by_owner());
            if !parts.uri.path().starts_with("/api/") {
                provide_context(page_account::describe(state, session));
            }
        }
        if let Some(nonce) = parts.extensions.get::<super::headers::CspNonce>() {
            provide_context(Nonce::from_value(nonce.0.as_str()));
        }
        if let Some(returned) = parts.extensions.get::<wire::users::ReturnedForm>() {
            provide_context(returned.clone());
        }
    }
}
