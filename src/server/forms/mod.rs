//! Server functions, called by a program or by a plain form.
//!
//! The framework answers a plain form by putting the error into the URL of the page that the
//! `Referer` names. That would show text from a URL, lose what was typed and follow a foreign
//! `Referer`, so a form's `Accept` is hidden from it, and what follows is ours: back to the page
//! by 303, with the error and what was typed sealed in a short-lived cookie (never a password).

use super::{
    answer::{refuse, wants_html},
    caller::Caller,
    clear_site_data::Forget,
    cookie::{self, Found},
    error::Error,
    headers::{HEAD_MAX, USUAL_MAX},
    secret::{self, Secret},
    state::State,
};
use crate::wire::{
    self,
    api_keys::NewApiKey,
    fields::local_path,
    sessions::Ended,
    users::{GoOn, ReturnedForm},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, Method, header, response};
use http_body_util::LengthLimitError;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::{borrow::Cow, error::Error as Source, time::Duration};

/// What may come back into a form. A password is not on this list.
const RETURNED: [&str; 10] = [
    "email",
    "expires_in_days",
    "id",
    "keep_me_signed_in",
    "keep_others",
    "label",
    "next",
    "scopes",
    "text",
    "then",
];
/// What goes on by itself once the password has been confirmed.
const GOES_ON: [&str; 3] = ["create_api_key", "end_session", "end_other_sessions"];
/// Most octets of the line that sets a session's cookie in the same response.
const SESSION_LINE_MAX: usize = 420;
/// Most octets of the line of a form's cookie without its name and value.
const FORM_LINE_MAX: usize = 70;

/// A key that was just made is shown for so long, in seconds: as long as a browser keeps the cookie.
const SHOWN_FOR_S: i64 = 60;

/// A form as it was sent, names and values.
type Fields<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The layer that reads a form before anybody asks who sends it: whoever is signed in when the
/// first byte arrives may not be when the last one does.
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
    // The framework's decoder reads nested names such as `[email]`; ours have none, and what two
    // readers of one form understand differently is a way around the first.
    let mut fields: Fields<'_> = form_urlencoded::parse(&body).collect();
    if !fields.iter().all(|(name, _)| is_plain_name(name)) {
        return refuse(wire::Error::BadRequest);
    }
    let Some(caller) = parts.extensions.get::<Caller>().cloned() else {
        return refuse(wire::Error::Unexpected { id: String::new() });
    };
    let body = match join(&mut fields, "scopes") {
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
    let admitted = if parts.method == Method::POST {
        let typed = value_of(&fields, "email");
        let email = match &caller.session {
            Some(session) if function != "sign_in" => Some(session.email.as_str()),
            _ => typed,
        };
        state.limits.admit(&function, caller.visitor.address, email)
    } else {
        Ok(())
    };
    let answered = match admitted {
        Ok(()) => ask(next, Request::from_parts(parts, Body::from(body))).await,
        Err(error) => Err(error),
    };
    let form = Form {
        caller,
        function,
        fields,
    };
    match (answered, is_form, came_from) {
        (Err(error), true, Some(page)) => form.come_back(&page, error),
        (Err(error), ..) => refuse(error),
        (Ok((parts, answer)), true, came_from) if parts.status.is_success() => {
            form.go_on(&answer, came_from)
        }
        (Ok((parts, answer)), ..) => Response::from_parts(parts, Body::from(answer)),
    }
}

/// A form without JavaScript, on its way back.
struct Form<'a> {
    caller: Caller,
    function: String,
    fields: Fields<'a>,
}

impl Form<'_> {
    /// It was not done: back to its page, with the reason and what was typed.
    fn come_back(self, page: &str, error: wire::Error) -> Response {
        // Whoever was signed out meanwhile would not get as far as the page.
        if error == wire::Error::SignInNeeded && self.function != "sign_in" {
            return to_sign_in(&self.caller, page);
        }
        let typed = RETURNED
            .into_iter()
            .filter_map(|name| value_of(&self.fields, name).map(|value| (name, value)))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        self.send(page, Err(error), typed)
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
            return self.send(&next, Ok(count), Vec::new());
        }
        // Shown once, on the page that the browser goes on to: sealed until then, as what was typed
        // would be.
        if let Ok(NewApiKey { key, next, .. }) = serde_json::from_slice(answer) {
            return self.send(&next, Ok(1), vec![("key".to_owned(), key)]);
        }
        let next = serde_json::from_slice::<GoOn>(answer).ok();
        let next = next.map_or_else(|| came_from.unwrap_or("/".to_owned()), |go| go.next);
        Redirect::to(&next).into_response()
    }

    fn send(
        self,
        page: &str,
        outcome: Result<u32, wire::Error>,
        typed: Vec<(String, String)>,
    ) -> Response {
        let returned = ReturnedForm {
            function: self.function,
            outcome,
            typed,
        };
        send(&self.caller, page, returned)
    }
}

/// Sends a browser to a page with a form that came back. Where both do not fit into the head of a
/// response, the page loses its query, and then the form the fields that have no room.
fn send(caller: &Caller, page: &str, mut returned: ReturnedForm) -> Response {
    let mut taken = USUAL_MAX + FORM_LINE_MAX + caller.state.cookie_names.form.len();
    if caller.cookies.have_session() {
        taken += SESSION_LINE_MAX;
    }
    let room = |page: &str| HEAD_MAX.saturating_sub(taken + page.len());
    let typed = std::mem::take(&mut returned.typed);
    let page = if fits(&returned, room(page)) {
        page
    } else {
        page.split('?').next().unwrap_or("/")
    };
    for field in typed {
        returned.typed.push(field);
        if !fits(&returned, room(page)) {
            returned.typed.pop();
        }
    }
    match caller.state.seal.close(&returned) {
        Ok(sealed) => caller.cookies.send_form(&sealed),
        Err(error) => return refuse(error.into()),
    }
    Redirect::to(page).into_response()
}

/// Whether a form has room in so many octets, once it is sealed and in base64url.
fn fits(returned: &ReturnedForm, room: usize) -> bool {
    let json = serde_json::to_string(returned).map_or(usize::MAX / 4, |json| json.len());
    (json + secret::SEAL_OVERHEAD) * 4 / 3 + 2 <= room
}

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
pub(super) const IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>');

/// The body, if it is not too long and does not take too long.
pub(super) async fn read(body: Body, state: &State) -> Result<Bytes, wire::Error> {
    let limit = state.config.server.body_limit_bytes as usize;
    let deadline = Duration::from_secs(u64::from(state.config.server.body_timeout_s));
    match tokio::time::timeout(deadline, to_bytes(body, limit)).await {
        Err(_) => Err(wire::Error::TooSlow),
        Ok(Err(error))
            if error
                .source()
                .is_some_and(<dyn Source>::is::<LengthLimitError>) =>
        {
            Err(wire::Error::TooLarge)
        }
        Ok(Err(_)) => Err(wire::Error::BadRequest),
        Ok(Ok(body)) => Ok(body),
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

/// What was typed in the first field of this name.
fn value_of<'a>(fields: &'a Fields<'_>, name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(other, _)| other == name);
    found.map(|(_, value)| &**value)
}

/// Boxes of one name that are ticked come as fields of one name, which the framework refuses: as
/// one field, with spaces between, they are what a program sends. The form with them, if there was
/// more than one.
fn join(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let ticked: Vec<&str> = fields
        .iter()
        .filter(|(other, _)| other == name)
        .map(|(_, value)| &**value)
        .collect();
    if ticked.len() < 2 {
        return None;
    }
    let joined = ticked.join(" ");
    fields.retain(|(other, _)| other != name);
    fields.push((name.to_owned().into(), joined.into()));
    let mut form = form_urlencoded::Serializer::new(String::new());
    Some(form.extend_pairs(fields.iter()).finish())
}

fn is_plain_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Whether it says that it is a form, as browsers and OAuth clients write them.
pub(super) fn is_form_encoded(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}

/// The page of ours that the form stood on: its path and query, without the word of an earlier
/// success. Another site's page is none.
pub(super) fn came_from(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let (_, rest) = referer.split_once("://")?;
    let path = rest.strip_prefix(host)?;
    let path = path.split('#').next()?;
    let path = if path.is_empty() { "/" } else { path };
    form_page(path).map(str::to_owned)
}

/// The page that a form leads back to, if it is one of ours, without the `?done=` of an earlier
/// success.
pub fn form_page(page: &str) -> Option<&str> {
    let page = page.split_once("?done=").map_or(page, |(page, _)| page);
    local_path(page)
}

/// Before a page is rendered: opens a form that came back, and takes its cookie away.
///
/// # Errors
/// A redirect to the same page without what a stranger's link would have it say.
pub fn take_returned(state: &State, mut request: Request) -> Result<Request, Box<Response>> {
    // The framework would show, as a form's error, what the link says here.
    let query = request.uri().query().unwrap_or_default();
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "__err") {
        let path = local_path(request.uri().path()).unwrap_or("/");
        return Err(Box::new(Redirect::to(path).into_response()));
    }
    if let Found::One(sealed) = cookie::find(request.headers(), &state.cookie_names.form) {
        let caller = request.extensions().get::<Caller>();
        if let Some(caller) = caller {
            caller.cookies.clear_form();
        }
        let returned = state.seal.open(&sealed);
        let returned = returned.filter(|form| caller.is_some_and(|caller| is_for(caller, form)));
        if let Some(returned) = returned {
            request.extensions_mut().insert(returned);
        }
    }
    Ok(request)
}

/// A key that was just made is for its owner, and not for long: whoever uses the same browser next,
/// or has a copy of the cookie, does not see it.
fn is_for(caller: &Caller, returned: &ReturnedForm) -> bool {
    let Caller { state, session, .. } = caller;
    returned.typed("key").is_none_or(|key| {
        session.as_ref().is_some_and(|session| {
            let now = state.clock.now_s();
            state
                .api_keys
                .is_new(&key, &session.user_id, SHOWN_FOR_S, now)
        })
    })
}

/// Closes and opens forms on their way: an address that somebody typed is nobody else's to read,
/// and nobody else can make one.
pub struct Seal(secret::Seal);

impl Seal {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        secret::Seal::new(secret, "returned form").map(Self)
    }

    fn close(&self, form: &ReturnedForm) -> Result<String, Error> {
        let text = serde_json::to_vec(form).map_err(|_| Error::Crypto("seal"))?;
        self.0.close(text, "")
    }

    fn open(&self, sealed: &str) -> Option<ReturnedForm> {
        serde_json::from_slice(&self.0.open(sealed, "")?).ok()
    }
}
