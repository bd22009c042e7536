//! The way to the sign-in page and back.

use super::returned::send;
use crate::{
    server::{caller::Caller, clear_site_data::Forget},
    wire::{self, fields::local_path, users::ReturnedForm},
};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Sends a browser to the sign-in page, which leads back to this one. A user whose session has ended
/// is told so.
pub fn to_sign_in(caller: &Caller, page: &str) -> Response {
    to_sign_in_as(caller, page, None)
}

/// Sends a browser to the sign-in page, with an address that an OAuth client knows the user by.
pub fn to_sign_in_as(caller: &Caller, page: &str, email: Option<&str>) -> Response {
    // An address that is too long for the head of a response only loses the way back.
    let is_carried = is_carried(page);
    let mut sign_in = if is_carried {
        format!("/sign-in{}", query_for(page))
    } else {
        "/sign-in".to_owned()
    };
    if let Some(email) = email {
        let separator = if is_carried { '&' } else { '?' };
        let email = format!("{separator}email={}", utf8_percent_encode(email, IN_QUERY));
        if sign_in.len() + email.len() <= CARRIED_MAX + 100 {
            sign_in.push_str(&email);
        }
    }
    if !caller.was_signed_out {
        return Redirect::to(&sign_in).into_response();
    }
    let told = ReturnedForm {
        function: "sign_in".to_owned(),
        outcome: Err(wire::Error::SignInNeeded),
        typed: Vec::new(),
    };
    let mut response = send(caller, &sign_in, told);
    // It ended elsewhere, or by its times: this browser learns it now.
    response.extensions_mut().insert(Forget::Pages);
    response
}

/// Most octets of the query that leads on: the address has to fit into the head of a response.
const CARRIED_MAX: usize = 2_250;

/// Whether a sign-in page can lead on to this path.
pub fn is_carried(next: &str) -> bool {
    local_path(next).is_some() && query_for(next).len() <= CARRIED_MAX
}

/// Query of a sign-in or sign-up page that leads on to this path of ours.
pub fn query_for(next: &str) -> String {
    format!("?next={}", utf8_percent_encode(next, IN_QUERY))
}

/// What would end the value of a query's parameter, or be read as something else in it.
pub(in crate::server) const IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>');
