//! Server functions, called by a program or by a plain form.
//!
//! The framework answers a plain form by putting the error into the URL of the page that the
//! `Referer` names. That would show text from a URL, lose what was typed and follow a foreign
//! `Referer`, so a form's `Accept` is hidden from it, and what follows is ours: back to the page
//! by 303, with the error and what was typed sealed in a short-lived cookie (never a password).

mod fields;
mod returned;
mod sign_in;

pub use fields::form_page;
pub(super) use fields::{came_from, is_form_encoded, read};
pub use returned::{Seal, take_returned};
pub(super) use sign_in::IN_QUERY;
pub use sign_in::{is_carried, query_for, to_sign_in, to_sign_in_as};

use super::{
    answer::{refuse, wants_html},
    caller::Caller,
    cookie::{self, Found},
    doors::page_of,
    headers::KeepsOpener,
    opener, page_account,
    state::State,
};
use crate::wire::{
    self,
    sessions::Ended,
    users::{GoOn, ReturnedForm, Revoked},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use fields::{Fields, is_text, join, value_of};
use http::{HeaderValue, Method, header, response};
use returned::send;
use sign_in::to_sign_in_with;

/// What may come back into a form. A password is not on this list.
const RETURNED: [&str; 13] = [
    "email",
    "expires_in_days",
    "id",
    "keep_me_signed_in",
    "keep_others",
    "label",
    "next",
    // Before the ids that were listed: if there is no room for both, ticks are worth more.
    "revoke",
    "revoke_others",
    "listed",
    "scopes",
    "text",
    "then",
];
/// Names of which several boxes may be ticked.
const BOXES: [&str; 2] = ["scopes", "revoke"];
/// Functions that mark a browser as known, and that a mark counts for.
const MARKS_ITS_BROWSER: [&str; 2] = ["sign_in", "sign_up"];
/// What goes on by itself once the password has been confirmed.
const GOES_ON: [&str; 3] = ["create_api_key", "end_session", "end_other_sessions"];

/// The layer that reads a form before its session is looked at: a user who is signed in when the first
/// octet arrives may not be when the last one does.
pub async fn read_whole(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    if parts.method == Method::POST && !is_form_encoded(&parts.headers) {
        return refuse(wire::Error::WrongContentType);
    }
    match read(body, &state).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(error) => refuse(error),
    }
}

/// The layer around server functions.
pub async fn around_functions(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    let is_form = wants_html(request.headers());
    let (mut parts, body) = request.into_parts();
    // It is here already.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return refuse(wire::Error::BadRequest);
    };
    let mut fields: Fields<'_> = form_urlencoded::parse(&body).collect();
    let Some(mut caller) = parts.extensions.get::<Caller>().cloned() else {
        return refuse(wire::Error::Unexpected { id: String::new() });
    };
    let joined = BOXES.map(|name| join(&mut fields, name));
    let body = match joined.into_iter().flatten().last() {
        Some(joined) => Bytes::from(joined),
        None => body.clone(),
    };
    parts
        .headers
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let function = parts.uri.path().trim_start_matches("/api/").to_owned();
    let came_from = value_of(&fields, "page")
        .and_then(form_page)
        .map(str::to_owned)
        .or_else(|| came_from(&parts.headers));
    let account = value_of(&fields, "account");
    if let Err(error) = page_account::check(&caller, &parts.headers, account, &function) {
        return refuse(error);
    }
    // A popup that a client opened stays one, whatever becomes of the form.
    let keeps_opener = match &came_from {
        Some(page) if is_form => opener::serves_client(&state, page).await,
        _ => false,
    };
    if MARKS_ITS_BROWSER.contains(&&*function)
        && let Found::One(marks) = cookie::find(&parts.headers, &state.cookie_names.known_browser)
    {
        caller.marks = Some(marks);
        parts.extensions.insert(caller.clone());
    }
    let readable = is_text(&body).then_some(()).ok_or(wire::Error::BadRequest);
    let answered = match readable {
        Ok(()) => ask(next, Request::from_parts(parts, Body::from(body))).await,
        Err(error) => Err(error),
    };
    let form = Form {
        caller,
        function,
        fields,
    };
    let came_from = match (&answered, came_from) {
        // There is a page to sign in for, whatever the form says.
        (Err(wire::Error::SignInNeeded), None) => page_of(&form.function).map(str::to_owned),
        (_, came_from) => came_from,
    };
    let mut response = match (answered, is_form, came_from) {
        (Err(error), true, Some(page)) => form.come_back(&page, error).await,
        (Err(error), ..) => refuse(error),
        (Ok((parts, answer)), true, came_from) if parts.status.is_success() => {
            form.go_on(&answer, came_from)
        }
        (Ok((parts, answer)), ..) => Response::from_parts(parts, Body::from(answer)),
    };
    if keeps_opener {
        response.extensions_mut().insert(KeepsOpener);
    }
    response
}

/// A form without JavaScript, on its way back.
struct Form<'a> {
    caller: Caller,
    function: String,
    fields: Fields<'a>,
}

impl Form<'_> {
    /// It was not done: back to its page, with the reason and what was typed.
    async fn come_back(self, page: &str, error: wire::Error) -> Response {
        // A user who was signed out meanwhile would not get as far as the page.
        if error.needs_sign_in() && self.function != "sign_in" {
            return self.wait(page).await;
        }
        let typed = self.typed();
        self.send(page, Err(error), Revoked::default(), typed)
    }

    /// Its session has ended: it waits while its user signs in again.
    async fn wait(self, page: &str) -> Response {
        // Signing in confirms the password as well.
        let function = match value_of(&self.fields, "then").filter(|it| GOES_ON.contains(it)) {
            Some(then) if self.function == "confirm_password" => then.to_owned(),
            _ => self.function.clone(),
        };
        let form = ReturnedForm {
            function,
            outcome: Err(wire::Error::NotSent),
            revoked: Revoked::default(),
            typed: self.typed(),
        };
        to_sign_in_with(&self.caller, page, form).await
    }

    /// What may come back into it.
    fn typed(&self) -> Vec<(String, String)> {
        RETURNED
            .into_iter()
            .filter_map(|name| value_of(&self.fields, name).map(|value| (name, value)))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// It was done: on to the next page, which says what was done.
    fn go_on(self, answer: &[u8], came_from: Option<String>) -> Response {
        if self.function == "confirm_password"
            && let Some(then) = value_of(&self.fields, "then").filter(|it| GOES_ON.contains(it))
        {
            // The same form once more, to what it was confirmed for (RFC 9110, 15.4.8).
            return Redirect::temporary(&format!("/api/{then}")).into_response();
        }
        if let Ok(Ended { count, next }) = serde_json::from_slice(answer) {
            let revoked = serde_json::from_slice(answer).unwrap_or_default();
            return self.send(&next, Ok(count), revoked, Vec::new());
        }
        let next = serde_json::from_slice::<GoOn>(answer).ok();
        let next = next.map_or_else(|| came_from.unwrap_or("/".to_owned()), |go| go.next);
        Redirect::to(&next).into_response()
    }

    fn send(
        self,
        page: &str,
        outcome: Result<u32, wire::Error>,
        revoked: Revoked,
        typed: Vec<(String, String)>,
    ) -> Response {
        let returned = ReturnedForm {
            function: self.function,
            outcome,
            revoked,
            typed,
        };
        send(&self.caller, page, returned)
    }
}

/// Calls the function. The framework marks an error of a function with a header, and says 500
/// whatever it is.
async fn ask(next: Next, request: Request) -> Result<(response::Parts, Bytes), wire::Error> {
    let broken = || wire::Error::Unexpected { id: String::new() };
    let (mut parts, answer) = next.run(request).await.into_parts();
    let answer = to_bytes(answer, 1 << 20).await.map_err(|_| broken())?;
    match parts.headers.remove("serverfnerror") {
        Some(_) => Err(serde_json::from_slice(&answer).unwrap_or_else(|_| broken())),
        None => Ok((parts, answer)),
    }
}
