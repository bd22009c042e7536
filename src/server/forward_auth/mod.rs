//! Forward auth: a reverse proxy asks, before each request for another app, which user is signed in.
//!
//! The cookie comes in; the user's identity goes out, in headers for the app alone. The proxy must
//! remove these headers from its own clients' requests: `docs/forward-auth.md` has it so.

pub mod health;
mod original;
mod renewals;

pub use renewals::CheckRenewals;

use super::{
    answer::{InItsOwnWords, refuse, wants_html},
    caller::{self, Caller, KeepsCookie},
    documents,
    forms::{IN_QUERY, to_sign_in},
    sessions::{
        RenewalNeed, Session,
        generations::{UNSHOWN_MAX, is_past},
    },
    state::State,
};
use crate::wire;
use axum::{
    Router,
    extract::{Extension, Query, Request, State as Extract},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use original::Original;
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

/// The header of a refusal with the address of the sign-in page.
pub const SIGN_IN: &str = "x-sign-in";
/// The header of an answer that lets a preflight through, which a proxy can tell from any other 200.
const PREFLIGHT: &str = "x-preflight";
/// A longer address of the sign-in page leads back to the app's front page: headers stay small
/// enough for any proxy. In octets.
const SIGN_IN_MAX: usize = 1_500;

/// The way back to the app. The layer that knows the caller goes around it.
pub fn routes() -> Router<State> {
    Router::new().route("/auth/return", get(go_back))
}

/// The check, with the layer that knows the caller.
///
/// It stands outside the layers that judge a request's path, method and site: these are another
/// app's. A check only reads. A cookie that it renews belongs to the browser that sent the old one.
pub fn checks(state: &State) -> Router<State> {
    Router::new()
        .route("/auth/check", any(check))
        .route("/auth/check/", any(check))
        .route("/auth/check/{*original}", any(check))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            caller::identify,
        ))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            let_preflights_through,
        ))
}

/// 200 with the user's identity; 401 with the address of the sign-in page; 403 for a host that is
/// not allowed.
async fn check(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if state.config.forward_auth.allowed_hosts.is_empty() {
        tracing::warn!(
            event = "forward_auth_is_off",
            "forward_auth.allowed_hosts is empty"
        );
        return refuse(wire::Error::NotFound);
    }
    let original = match original::read(&state, &uri, &headers) {
        Ok(original) => original,
        Err(refusal) => {
            tracing::warn!(
                event = "forward_auth_host_refused",
                named_by = refusal.named_by,
                seen = refusal.seen,
                "/auth/check refused a request: {}",
                refusal.why
            );
            // Without a body: the words of a refusal are about Cloakroom's own pages.
            let refused = (Extension(InItsOwnWords), Extension(KeepsCookie));
            return (StatusCode::FORBIDDEN, refused).into_response();
        }
    };
    let by_redirect = may_redirect(&uri) && navigates(&headers);
    let Some(session) = &caller.session else {
        return send_to_sign_in(&state, &original, by_redirect);
    };
    let renewal = renewal(&caller, session, &original);
    let keeping = |response| (Extension(KeepsCookie), response).into_response();
    match renewal {
        Renewal::ByCheck => allow(session),
        Renewal::ByOwnPage { is_overdue } => {
            let address = return_address(&state, &original.address());
            let renewals = &state.check_renewals;
            if is_page_load(&headers)
                && address.len() <= SIGN_IN_MAX
                && renewals.may_send_away(session, state.clock.elapsed_s())
            {
                keeping(send_to(address, by_redirect))
            } else if is_overdue && !navigates(&headers) {
                keeping(send_to_sign_in(&state, &original, by_redirect))
            } else {
                keeping(allow(session))
            }
        }
    }
}

/// How the cookie of a request is renewed.
enum Renewal {
    /// By the answer of the check, if it is due.
    ByCheck,
    /// By a page of Cloakroom's own host, when the browser loads a page next.
    ByOwnPage {
        /// A renewal has been lost for so long that scripts are refused until then. Otherwise two
        /// holders of one cookie could go on for ever where no page is loaded.
        is_overdue: bool,
    },
}

fn renewal(caller: &Caller, session: &Session, original: &Original) -> Renewal {
    let state = &caller.state;
    let (renewals, elapsed) = (&state.check_renewals, state.clock.elapsed_s());
    match caller.renewal {
        None => {
            if session.is_newest_seen() {
                renewals.note_received(session);
            }
            Renewal::ByCheck
        }
        Some(RenewalNeed::Due) if renewals.are_handed_out(elapsed) => {
            renewals.note_handed_out(session);
            Renewal::ByCheck
        }
        Some(RenewalNeed::Due) => Renewal::ByOwnPage { is_overdue: false },
        Some(RenewalNeed::Lost) => {
            if renewals.note_lost(session, elapsed) {
                tracing::warn!(
                    event = "forward_auth_cookies_dropped",
                    host = original.host(),
                    "renewed cookies of several users were not received; let the proxy hand the \
                     cookies of /auth/check on to the browser. Until then, sessions are renewed by way \
                     of /auth/return"
                );
            }
            let grace_s = i64::from(state.config.session.renewal_grace_s);
            let overdue_s = UNSHOWN_MAX * grace_s;
            let is_overdue = is_past(session.renewed_at(), overdue_s, state.clock.now_s());
            let are_handed_out = renewals.are_handed_out(elapsed);
            // A single response may be lost anywhere. The last renewal is not for a check to take.
            if are_handed_out && session.unshown() < UNSHOWN_MAX - 1 {
                renewals.note_handed_out(session);
                return Renewal::ByCheck;
            }
            Renewal::ByOwnPage {
                is_overdue: is_overdue && are_handed_out,
            }
        }
    }
}

/// Answers the preflights of `forward_auth.preflight_hosts`, which browsers send without cookies.
/// No session is looked at, and the answer names no user.
async fn let_preflights_through(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    let is_let_through = original::is_preflight(request.method(), uri, headers)
        && original::read(&state, uri, headers)
            .is_ok_and(|original| original.is_for(&state.config.forward_auth.preflight_hosts));
    if is_let_through {
        return (StatusCode::OK, [(PREFLIGHT, "allowed")]).into_response();
    }
    next.run(request).await
}

/// Whether the proxy passes a redirect on to the browser: Envoy always does, others say so with
/// `?redirect=true`. nginx needs a 401.
fn may_redirect(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    original::is_below(uri)
        || form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| name == "redirect" && value == "true")
}

/// Whether a browser shows the answer to its user. A script's `fetch` cannot follow a redirect to
/// another origin, and needs the 401. Old browsers do not send `Sec-Fetch-Mode`.
fn navigates(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-mode")
        .map_or_else(|| wants_html(headers), |mode| mode == "navigate")
}

/// Whether a browser loads a page of its own, so that a redirect loses nothing. A form that is sent has
/// an `Origin`, and Cloakroom's pages are in no frame.
fn is_page_load(headers: &HeaderMap) -> bool {
    let destination = headers.get("sec-fetch-dest");
    navigates(headers)
        && !headers.contains_key(header::ORIGIN)
        && destination.is_none_or(|it| it == "document")
}

fn allow(session: &Session) -> Response {
    let mut response = StatusCode::OK.into_response();
    for (name, value) in [
        ("remote-user", &session.user_id),
        ("remote-email", &session.email),
        ("remote-session", &session.id),
    ] {
        // Without a value of Cloakroom's the app would believe the visitor's.
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
            return refuse(wire::Error::Unexpected { id: String::new() });
        };
        response.headers_mut().insert(name, value);
    }
    response
}

fn send_to_sign_in(state: &State, original: &Original, by_redirect: bool) -> Response {
    let mut sign_in = sign_in_address(state, &original.address());
    if sign_in.len() > SIGN_IN_MAX {
        sign_in = sign_in_address(state, &original.front_page());
    }
    send_to(sign_in, by_redirect)
}

/// Sends a browser to an address of Cloakroom's, by the proxy or by the answer itself.
fn send_to(address: String, by_redirect: bool) -> Response {
    if by_redirect {
        return Redirect::to(&address).into_response();
    }
    let mut response = refuse(wire::Error::SignInNeeded);
    if let Ok(address) = HeaderValue::try_from(address) {
        response.headers_mut().insert(SIGN_IN, address);
    }
    response
}

fn sign_in_address(state: &State, back: &str) -> String {
    let next = return_path(back);
    format!(
        "{}/sign-in?next={}",
        state.config.oidc.issuer,
        utf8_percent_encode(&next, IN_QUERY)
    )
}

/// Address of the page that renews the session's cookie and leads back to the app.
fn return_address(state: &State, back: &str) -> String {
    format!("{}{}", state.config.oidc.issuer, return_path(back))
}

fn return_path(back: &str) -> String {
    format!("/auth/return?to={}", utf8_percent_encode(back, IN_QUERY))
}

/// The address that a user goes back to.
#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    to: String,
}

/// After signing in: back to the app, if it is one of ours.
async fn go_back(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Query(back): Query<Back>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !is_way_back(&state, &back.to) {
        let refused = refuse(wire::Error::NotFound);
        return (Extension(KeepsCookie), refused).into_response();
    }
    if caller.session.is_none() {
        let asked = uri.path_and_query().map_or("", |it| it.as_str());
        return to_sign_in(&caller, asked).await;
    }
    documents::leave(&headers, &back.to)
}

/// An address of an allowed host that a browser can go back to, and that every URL parser reads
/// alike. None that the check has written is longer.
fn is_way_back(state: &State, text: &str) -> bool {
    let is_plain =
        text.len() <= SIGN_IN_MAX && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let Some(uri) = text.parse::<Uri>().ok().filter(|_| is_plain) else {
        return false;
    };
    let is_https = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return false,
    };
    let host = uri.authority().map_or("", |it| it.as_str());
    original::is_safe(state, is_https)
        && original::is_listed(&state.config.forward_auth.allowed_hosts, host)
}
