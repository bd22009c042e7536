//! Who calls: worked out once, in one layer, before any handler. Handlers never read cookies.

use super::{
    activity::Visitor,
    answer::refuse,
    clear_site_data::{self, Words},
    cookie::{self, Found, SetCookies, Shown},
    forwarded,
    secret::HashedSid,
    sessions::{self, RenewalNeed, Resumed, Session},
    speculation,
    state::State,
};
use crate::wire;
use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, header};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// The longest `User-Agent` that is kept, in code points.
const USER_AGENT_MAX: usize = 256;

/// The other end of the connection, as the listener saw it.
#[derive(Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Who calls, from where, and what they will be sent: the first argument of every rule.
#[derive(Clone)]
pub struct Caller {
    /// What the server holds.
    pub state: State,
    /// The live session, if the cookie names one.
    pub session: Option<Arc<Session>>,
    /// The user whom the session cookie names, if it was one of ours and its session is over.
    pub signed_out_user: Option<String>,
    /// The sid of that cookie.
    pub signed_out_sid: Option<HashedSid>,
    /// The sealed form that came with the request.
    pub form: Option<String>,
    /// Marks of the accounts that the browser has signed in to, where a function asks for them.
    pub marks: Option<String>,
    /// The cookie that named it.
    pub shown: Shown,
    /// From where, and with what.
    pub visitor: Visitor,
    /// The cookies of the response.
    pub cookies: SetCookies,
    /// Whether the cookie that was shown is to be renewed, and why.
    pub renewal: Option<RenewalNeed>,
}

/// Marks a response that renews no cookie.
#[derive(Clone, Copy)]
pub struct KeepsCookie;

/// The layer: cookie, signature, row, and a [`Caller`] for whoever comes next.
pub async fn identify(
    Extract(state): Extract<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    if let Some(refused) = speculation::refuse(headers, &state.cookie_names) {
        return refused;
    }
    // What a program shows is good at `/v1` and nowhere else: beside a cookie nobody can say who is
    // meant, and alone it is nobody (security.md AK-4).
    if request.uri().path().starts_with("/api/") && bearer(headers).is_some() {
        let has_cookie = !matches!(
            cookie::find(headers, &state.cookie_names.session),
            Found::None
        );
        return refuse(if has_cookie {
            wire::Error::BadRequest
        } else {
            wire::Error::SignInNeeded
        });
    }
    let is_foreign = is_foreign(&request);
    let words = Words::of(headers);
    let visitor = visitor(&request, state.config.server.trusted_proxy_hops);
    let mut shown = Shown::default();
    let resumed = match cookie::find(headers, &state.cookie_names.session) {
        Found::None => Resumed::default(),
        // A stranger's cookie beside the browser's own: nobody can say which is which.
        Found::Many => {
            tracing::warn!(event = "two_session_cookies", path = request.uri().path());
            return refuse(wire::Error::SignInNeeded);
        }
        Found::One(token) => match sessions::resume(&state, &token, &visitor).await {
            Ok(resumed) => {
                shown = Shown::new(&token);
                resumed
            }
            // Promise 3: no database, no session, and no guess.
            Err(error) => return refuse(error.into()),
        },
    };
    let Resumed {
        session,
        renewal,
        signed_out_user,
        signed_out_sid,
    } = resumed;
    let form = match cookie::find(headers, &state.cookie_names.form) {
        Found::One(sealed) => Some(sealed),
        _ => None,
    };
    let caller = Caller {
        signed_out_user,
        signed_out_sid,
        form,
        marks: None,
        shown,
        visitor,
        session,
        cookies: SetCookies::default(),
        renewal: renewal.as_ref().map(|renewal| renewal.need),
        state,
    };
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    let keeps_cookie = is_foreign || response.extensions().get::<KeepsCookie>().is_some();
    if let Some(renewal) = renewal.filter(|_| !keeps_cookie) {
        caller.renew(&renewal).await;
    }
    caller
        .cookies
        .write(&caller.state.cookie_names, &mut response);
    clear_site_data::write(&mut response, words);
    response
}

impl Caller {
    /// The user whom the session cookie names, also when its session is over.
    pub fn named_user(&self) -> Option<&str> {
        let live = self.session.as_ref().map(|session| &*session.user_id);
        live.or(self.signed_out_user.as_deref())
    }

    /// The user and the sid that the session cookie names, also when its session is over.
    pub fn named_session(&self) -> Option<(&str, &HashedSid)> {
        match &self.session {
            Some(session) => Some((&session.user_id, &session.hashed_sid)),
            None => Some((
                self.signed_out_user.as_deref()?,
                self.signed_out_sid.as_ref()?,
            )),
        }
    }

    /// Renews the cookie of the session, unless the handler has had its say about it.
    async fn renew(&self, renewal: &sessions::Renewal) {
        let Some(session) = &self.session else { return };
        // A form that comes back needs the room; the page that it goes to is renewed.
        if self.cookies.have_session() || self.cookies.send_a_form() {
            return;
        }
        match sessions::renew(&self.state, session, renewal).await {
            Ok(Some(cookie)) => cookie.send(self),
            Ok(None) => {}
            // The browser goes on with the cookie that it has, and the next request tries again.
            Err(error) => tracing::warn!(event = "not_renewed", %error),
        }
    }
}

/// Whether a page of another origin causes the request. It renews nothing: such a page could give the
/// request up before the answer, and three renewals that no browser receives end the session. Requests
/// of forward auth come from another origin, and their handlers decide.
fn is_foreign(request: &Request) -> bool {
    let site = request.headers().get("sec-fetch-site");
    let is_ours = site.is_none_or(|site| site == "same-origin" || site == "none");
    !is_ours && !request.uri().path().starts_with("/auth/")
}

/// The token that a program shows (RFC 6750, 2.1); none if it shows something else or nothing.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

/// From where a request comes, and with what.
pub(super) fn visitor(request: &Request, trusted_proxy_hops: u32) -> Visitor {
    Visitor {
        address: client_address(request, trusted_proxy_hops),
        user_agent: user_agent(request.headers()),
    }
}

fn user_agent(headers: &HeaderMap) -> String {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .chars()
        .take(USER_AGENT_MAX)
        .collect()
}

/// The socket's address, or what the nearest trusted proxy saw: each of the operator's proxies
/// adds one entry at the right of `X-Forwarded-For`; everything left of those is the client's
/// own invention (security.md RL-1).
pub(super) fn client_address(request: &Request, trusted_hops: u32) -> IpAddr {
    let socket = request
        .extensions()
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip())
        .to_canonical();
    forwarded::warn_once(request.headers(), trusted_hops, socket);
    let Some(hops_before) = trusted_hops.checked_sub(1) else {
        return socket;
    };
    let lines: Vec<_> = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    let forwarded: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).collect();
    let Some(entry) = forwarded.iter().rev().nth(hops_before as usize) else {
        return socket;
    };
    forwarded::read_entry(entry).unwrap_or_else(|| {
        forwarded::warn_of_entry_once(entry, socket);
        socket
    })
}
