//! The way to the sign-in page and back.

use super::returned::{send, send_waiting};
use crate::{
    server::{caller::Caller, clear_site_data::Forget, sessions},
    wire::{
        self,
        fields::local_path,
        users::{ReturnedForm, Revoked},
    },
};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Sends a browser to the sign-in page, which leads back to this one. A user whose session has ended
/// is told so.
pub async fn to_sign_in(caller: &Caller, page: &str) -> Response {
    to_sign_in_as(caller, page, None).await
}

/// Sends a browser to the sign-in page, with an address that an OAuth client knows the user by.
pub async fn to_sign_in_as(caller: &Caller, page: &str, email: Option<&str>) -> Response {
    let is_carried = is_carried(page);
    let mut sign_in = sign_in_for(page);
    if let Some(email) = email {
        let separator = if is_carried { '&' } else { '?' };
        let email = format!("{separator}email={}", utf8_percent_encode(email, IN_QUERY));
        if sign_in.len() + email.len() <= CARRIED_MAX + 100 {
            sign_in.push_str(&email);
        }
    }
    if caller.signed_out_user.is_none() {
        return Redirect::to(&sign_in).into_response();
    }
    forgetting(send(caller, &sign_in, told(caller).await))
}

/// Sends a browser to the sign-in page with a form that its page shows again after signing in.
pub(super) async fn to_sign_in_with(caller: &Caller, page: &str, form: ReturnedForm) -> Response {
    let sign_in = sign_in_for(page);
    if caller.named_user().is_none() {
        // Nothing says whose it is.
        return Redirect::to(&sign_in).into_response();
    }
    let told = told(caller).await;
    // It may have been done by the same form, sent before.
    let may_be_done =
        form.function == "change_password" && told.outcome == Err(wire::Error::PasswordChanged);
    forgetting(if may_be_done {
        send(caller, &sign_in, told)
    } else {
        send_waiting(caller, &sign_in, told, page, form)
    })
}

/// Address of a sign-in page that leads back. A page whose address is too long for the head of a
/// response only loses the way back.
fn sign_in_for(page: &str) -> String {
    if is_carried(page) {
        format!("/sign-in{}", query_for(page))
    } else {
        "/sign-in".to_owned()
    }
}

/// What the sign-in page says to a user whose session has ended.
async fn told(caller: &Caller) -> ReturnedForm {
    // Without the database the reason is not known, and the end is.
    let why = sessions::why_over(caller).await;
    let why = why.unwrap_or(wire::Error::SignInNeeded);
    ReturnedForm {
        function: "sign_in".to_owned(),
        outcome: Err(why),
        revoked: Revoked::default(),
        typed: Vec::new(),
    }
}

/// The session ended elsewhere, or by its times: this browser learns it now.
fn forgetting(mut response: Response) -> Response {
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
