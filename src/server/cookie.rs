//! The one place that reads our cookies and writes `Set-Cookie`.

use super::{
    clear_site_data::Forget,
    headers::{HEAD_MAX, USUAL_MAX},
};
use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Response, header};
use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

/// `__Host-`: browsers take it only with `Secure`, `Path=/` and without `Domain`. `__Host-Http-`:
/// those that know it also refuse to let a script plant one.
const SESSION: &str = "__Host-Http-session";
const FORM: &str = "__Host-Http-form";
const KNOWN_BROWSER: &str = "__Host-Http-known-browser";

/// Names of our cookies. Browsers do not tell the ports of a host apart when they send cookies, so
/// two servers on one host need names of their own.
#[derive(Debug)]
pub struct Names {
    /// Cookie of the session.
    pub session: String,
    /// Cookie of a form that came back, sealed, on its way to the page it came from.
    pub form: String,
    /// Cookie of the accounts that the browser has signed in to, sealed.
    pub known_browser: String,
}

impl Names {
    /// Names that end with `suffix`, if there is one.
    pub fn new(suffix: &str) -> Self {
        let named = |name: &str| match suffix {
            "" => name.to_owned(),
            suffix => format!("{name}-{suffix}"),
        };
        Self {
            session: named(SESSION),
            form: named(FORM),
            known_browser: named(KNOWN_BROWSER),
        }
    }

    fn of(&self, kind: Kind) -> &str {
        match kind {
            Kind::Session => &self.session,
            Kind::Form => &self.form,
            Kind::KnownBrowser => &self.known_browser,
        }
    }
}

/// What a request holds under one of our names.
pub enum Found {
    /// No cookie of this exact name.
    None,
    /// One.
    One(String),
    /// More than one: somebody planted one, and nobody can say which.
    Many,
}

/// Finds the cookie of this exact name. Another spelling is another cookie.
pub fn find(headers: &HeaderMap, name: &str) -> Found {
    let mut found = Found::None;
    for line in headers.get_all(header::COOKIE) {
        let line = line.as_bytes();
        // Others' cookies may hold anything; what is not text in one of ours makes it a forgery.
        let line =
            str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
        for pair in line.split(';') {
            let pair = pair.trim_ascii().strip_prefix(name);
            if let Some(value) = pair.and_then(|rest| rest.strip_prefix('=')) {
                found = match found {
                    Found::None => Found::One(value.to_owned()),
                    _ => return Found::Many,
                };
            }
        }
    }
    found
}

/// What a response sets, as `cloakroom doctor` sees it from outside.
pub fn set_by(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::SET_COOKIE).iter();
    lines.filter_map(|line| line.to_str().ok())
}

/// The session that an answer hands out, if it does.
pub fn handed_out<'a>(headers: &'a HeaderMap, names: &Names) -> Option<&'a str> {
    set_by(headers)
        .filter_map(|line| line.split(';').next()?.split_once('='))
        .find(|(name, value)| *name == names.session && !value.is_empty())
        .map(|(_, value)| value)
}

/// A session cookie that was shown: it can be recognised, and not be read.
#[derive(Clone, Default)]
pub struct Shown(Option<Arc<str>>);

impl Shown {
    /// Of a cookie's value.
    pub fn new(value: &str) -> Self {
        Self(Some(value.into()))
    }

    /// SHA-256 of the value, in base64url.
    pub fn fingerprint(&self) -> String {
        let digest = digest::digest(&digest::SHA256, self.value().as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(digest)
    }

    /// Whether the request had a session cookie, good or not.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// How many octets the value has.
    pub fn length(&self) -> u32 {
        u32::try_from(self.value().len()).unwrap_or(u32::MAX)
    }

    fn value(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Attributes of the session's cookie. `max_age_s` is set if the browser is to keep it when it closes.
pub fn session_attributes(max_age_s: Option<i64>) -> String {
    attributes(Kind::Session, max_age_s)
}

fn attributes(kind: Kind, max_age_s: Option<i64>) -> String {
    // Chromium keeps 180 cookies of a site and its sub-domains, and drops those of this priority last.
    // Without it the cookies of a sibling app could sign the user out.
    let priority = match kind {
        Kind::Session | Kind::KnownBrowser => "; Priority=High",
        Kind::Form => "",
    };
    let max_age = max_age_s.map_or_else(String::new, |it| format!("; Max-Age={it}"));
    // No `Domain`: a sibling subdomain has nothing to do with it.
    format!("HttpOnly; Secure; SameSite=Lax; Path=/{priority}{max_age}")
}

/// The cookies that a response will set. Rules say what they want; the layer around the handler
/// writes it when the answer is there, so that no late header is lost (security.md LX-1, LX-2).
#[derive(Clone, Default)]
pub struct SetCookies(Arc<Mutex<Vec<SetCookie>>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    Form,
    KnownBrowser,
}

struct SetCookie {
    kind: Kind,
    value: String,
    /// None: for the browser to drop when it closes, unless it restores its tabs. Zero: take it away.
    max_age_s: Option<i64>,
}

impl SetCookies {
    /// Hands out a session. `max_age_s` is set if the browser is to keep it when it closes.
    pub fn start_session(&self, token: &str, max_age_s: Option<i64>) {
        self.set(Kind::Session, token, max_age_s);
    }

    /// Takes the session cookie away, and what the browser kept of the person's pages.
    pub fn end_session(&self) {
        self.set(Kind::Session, "", Some(0));
    }

    /// Whether a session is handed out or taken away.
    pub fn have_session(&self) -> bool {
        let cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.iter().any(|cookie| cookie.kind == Kind::Session)
    }

    /// Whether a sealed form is sent along.
    pub fn send_a_form(&self) -> bool {
        let cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cookies
            .iter()
            .any(|cookie| cookie.kind == Kind::Form && !cookie.value.is_empty())
    }

    /// Sends a sealed form along to the page that shows it, which takes it away again. The browser
    /// keeps it for this long, in seconds.
    pub fn send_form(&self, sealed: &str, max_age_s: i64) {
        self.set(Kind::Form, sealed, Some(max_age_s));
    }

    /// Takes the sealed form away.
    pub fn clear_form(&self) {
        self.set(Kind::Form, "", Some(0));
    }

    /// Marks the browser as known. `marks` are joined by dots; the last ones are left out where the head of
    /// the response has no room for them.
    pub fn remember_browser(&self, marks: &str, max_age_s: i64) {
        self.set(Kind::KnownBrowser, marks, Some(max_age_s));
    }

    fn set(&self, kind: Kind, value: &str, max_age_s: Option<i64>) {
        let mut cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The last word on a name counts.
        cookies.retain(|other| other.kind != kind);
        cookies.push(SetCookie {
            kind,
            value: value.to_owned(),
            max_age_s,
        });
    }

    /// Writes them onto the response, under these names.
    pub fn write<B>(&self, names: &Names, response: &mut Response<B>) {
        let mut cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // It gets the room that the others leave.
        cookies.sort_by_key(|cookie| cookie.kind == Kind::KnownBrowser);
        for cookie in cookies.drain(..) {
            if cookie.kind == Kind::Session && cookie.max_age_s == Some(0) {
                response.extensions_mut().insert(Forget::Everything);
            }
            let (name, mut value) = (names.of(cookie.kind), cookie.value.as_str());
            let attributes = attributes(cookie.kind, cookie.max_age_s);
            if cookie.kind == Kind::KnownBrowser {
                let line = header::SET_COOKIE.as_str().len() + name.len() + attributes.len() + 7;
                let Some(fitting) = fitting(value, room_in(response).saturating_sub(line)) else {
                    continue;
                };
                value = fitting;
            }
            let line = format!("{name}={value}; {attributes}");
            if let Ok(value) = HeaderValue::try_from(line) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
    }
}

/// Octets that the head of a response still has room for.
fn room_in<B>(response: &Response<B>) -> usize {
    let headers = response.headers();
    let lines = headers.get_all(header::SET_COOKIE).iter();
    let cookies = lines.map(|line| header::SET_COOKIE.as_str().len() + line.len() + 4);
    let location = headers.get(header::LOCATION).map_or(0, HeaderValue::len);
    HEAD_MAX.saturating_sub(USUAL_MAX + location + cookies.sum::<usize>())
}

/// The first of some texts, joined by dots, that fit into so many octets.
fn fitting(joined: &str, room: usize) -> Option<&str> {
    if joined.len() <= room {
        return Some(joined);
    }
    let end = joined.match_indices('.').map(|(at, _)| at);
    end.take_while(|at| *at <= room)
        .last()
        .map(|at| &joined[..at])
}
