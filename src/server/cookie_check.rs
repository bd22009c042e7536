//! `/signed-in`: finds out whether the browser kept the cookie of a new session.
//!
//! A browser that showed no session cookie when its user signed in is led here first. Where cookies
//! are blocked, or the address is plain http, it shows none here either: the session ends, and the
//! user reads why. Otherwise the sign-in page would come back without a reason, and each try would
//! leave a live session behind.

use super::{
    activity::Visitor,
    answer::refuse,
    caller::Caller,
    documents, doors,
    error::Error,
    forms,
    secret::{self, Secret},
    sessions, speculation,
    state::State,
};
use crate::wire::documents::{Document, NotKept};
use axum::{
    extract::{Extension, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority};

/// Path of the check.
pub const PATH: &str = "/signed-in";
/// The check ends no session that was started longer ago, in seconds.
const VALID_FOR_S: i64 = 60;
/// Parameter that names the session, sealed.
const SESSION: &str = "session";

/// Closes and opens the name of the session that the check may end. It signs no browser in.
pub struct Seal(secret::Seal);

impl Seal {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        secret::Seal::new(secret, "cookie check").map(Self)
    }
}

/// Address that a user goes on to after signing in: `next`, by way of the check where the browser
/// showed no session cookie.
///
/// # Errors
/// If the session's name cannot be sealed.
pub fn on_the_way_to(
    next: &str,
    caller: &Caller,
    session_id: &str,
    user_id: &str,
) -> Result<String, Error> {
    // An address without room for the check in the head of a response is gone to directly.
    if caller.shown.is_some() || !forms::is_carried(next) {
        return Ok(next.to_owned());
    }
    let state = &caller.state;
    let until = state.clock.now_s() + VALID_FOR_S;
    let named = format!("{until} {session_id} {user_id}");
    // Sealed together with `next`, so that neither can be exchanged.
    let sealed = state.cookie_check.0.close(named.into_bytes(), next)?;
    let query = forms::query_for(next);
    Ok(format!("{PATH}{query}&{SESSION}={sealed}"))
}

/// Leads on to `next` if the browser shows a session; ends the session and says why if it shows no
/// cookie.
pub async fn check(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let next = doors::sign_in_query(query).next;
    let next = next.as_deref().unwrap_or("/account");
    if caller.session.is_some() {
        return Redirect::to(next).into_response();
    }
    let may_end = method == Method::GET && !caller.shown.is_some() && follows_a_sign_in(&headers);
    let named = may_end.then(|| open(&state, query, next)).flatten();
    let Some((session_id, user_id)) = named else {
        return forms::to_sign_in(&caller, next).await;
    };
    match end(&state, &caller.visitor, &session_id, &user_id).await {
        Ok(()) => tell(&state, &headers, next),
        Err(error) => refuse(error.into()),
    }
}

/// Ids of the session and its user, if they were sealed with this address less than a minute ago.
fn open(state: &State, query: &str, next: &str) -> Option<(String, String)> {
    let sealed = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == SESSION)?;
    let named = state.cookie_check.0.open(&sealed.1, next)?;
    let named = String::from_utf8(named).ok()?;
    let (until, ids) = named.split_once(' ')?;
    let (session_id, user_id) = ids.split_once(' ')?;
    let is_fresh = state.clock.now_s() < until.parse().ok()?;
    is_fresh.then(|| (session_id.to_owned(), user_id.to_owned()))
}

/// Whether the request continues one of a page here. A page of another site, a typed address and a
/// speculative request end no session. Over plain http browsers do not say.
fn follows_a_sign_in(headers: &HeaderMap) -> bool {
    let site = text(headers, "sec-fetch-site");
    !speculation::is_speculative(headers) && site.is_none_or(|site| site == "same-origin")
}

async fn end(
    state: &State,
    visitor: &Visitor,
    session_id: &str,
    user_id: &str,
) -> Result<(), Error> {
    sessions::end_without_cookie(state, visitor, session_id, user_id).await?;
    tracing::warn!(
        event = "cookie_not_kept",
        session = session_id,
        user = user_id,
        "a browser did not keep the session cookie"
    );
    Ok(())
}

fn tell(state: &State, headers: &HeaderMap, next: &str) -> Response {
    let host = text(headers, "host").unwrap_or_default();
    let is_here = is_this_machine(host);
    let issuer = &state.config.oidc.issuer;
    // The address of this machine is of no use to a browser on another.
    let configured = (issuer.starts_with("https://") || is_here).then_some(issuer);
    let is_other = configured.is_some_and(|it| !it.ends_with(&format!("://{host}")));
    let why = if is_plain_http(headers) && !is_here {
        NotKept::PlainHttp
    } else if is_other {
        NotKept::OtherAddress
    } else {
        NotKept::Blocked
    };
    let site = configured.filter(|_| why != NotKept::Blocked).cloned();
    let origin = site.as_deref().unwrap_or_default();
    let sign_in = format!("{origin}/sign-in{}", forms::query_for(next));
    documents::show(
        StatusCode::BAD_REQUEST,
        Document::CookieNotKept { why, site, sign_in },
    )
}

/// The page before names its scheme. Without its address, browsers leave `Sec-Fetch-Site` out at
/// addresses that they do not trust.
fn is_plain_http(headers: &HeaderMap) -> bool {
    match text(headers, header::REFERER.as_str()) {
        Some(page) => page.starts_with("http://"),
        None => !headers.contains_key("sec-fetch-site"),
    }
}

/// Browsers keep `Secure` cookies of these hosts over plain http as well.
fn is_this_machine(host: &str) -> bool {
    let host = host.parse::<Authority>().ok();
    let host = host.as_ref().map_or("", Authority::host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
