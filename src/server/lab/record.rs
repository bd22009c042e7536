//! What was asked of the lab's servers, by whom, and which header decided: the timeline on the page
//! and the lines of the log are made from the same entries. No value of a cookie or a token is in
//! them.

use super::{super::cookie, Lab, tokens};
use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, Uri, header};
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What the attacker's own client calls itself.
pub const ATTACKERS_CLIENT: &str = "attackers-client/1";
/// Entries that are kept.
const KEPT: usize = 5_000;
/// The longest text from a header that is shown, in bytes.
const SHOWN_MAX: usize = 80;

/// Who asked.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Who {
    /// The victim's browser, from the victim's page: whoever wrote the script.
    Browser,
    /// The victim's browser, from a page of another site.
    OtherSite,
    /// The victim's browser, from a page of a subdomain beside the victim's.
    Sibling,
    /// The attacker, with a client of his own.
    Attacker,
}

/// One request and its answer.
#[derive(Clone, Serialize)]
pub struct Entry {
    number: u64,
    /// When it was answered, in Unix milliseconds.
    at_ms: i64,
    #[serde(skip)]
    run: String,
    who: Who,
    /// Whom it was for: the service, or the attacker's site.
    host: String,
    method: String,
    path: String,
    status: u16,
    /// How long the answer took, in milliseconds.
    took_ms: f64,
    /// The header that decided, as `Name: value`.
    decided: String,
    /// The answer hands out a session.
    sets_session: bool,
}

/// The newest entries.
#[derive(Default)]
pub struct Record(Mutex<(u64, VecDeque<Entry>)>);

impl Record {
    /// Those of a run after this one.
    pub fn after(&self, run: &str, number: u64) -> Vec<Entry> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_run = |entry: &&Entry| entry.run == run && entry.number > number;
        kept.1.iter().filter(of_run).cloned().collect()
    }

    fn add(&self, mut entry: Entry) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        entry.number = kept.0;
        tracing::info!(
            event = "lab_request",
            number = entry.number,
            who = ?entry.who,
            host = entry.host,
            method = entry.method,
            path = entry.path,
            status = entry.status,
            took_ms = entry.took_ms,
            decided = entry.decided,
            sets_session = entry.sets_session,
        );
        if kept.1.len() == KEPT {
            kept.1.pop_front();
        }
        kept.1.push_back(entry);
    }
}

/// The run of the lab that a request belongs to, from its query.
pub fn run_of(uri: &Uri) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "run")
        .map(|(_, run)| run.into_owned())
        .filter(|run| (1..=40).contains(&run.len()))
        .filter(|run| run.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

/// The layer: whatever belongs to a run is recorded.
pub async fn keep(Extract(lab): Extract<Lab>, request: Request, next: Next) -> Response {
    let Some(run) = run_of(request.uri()) else {
        return next.run(request).await;
    };
    let began = Instant::now();
    let headers = request.headers().clone();
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let names = &lab.state.cookie_names;
    let sets_session = cookie::handed_out(response.headers(), names).is_some();
    lab.record.add(Entry {
        number: 0,
        at_ms: lab.state.clock.now_ms(),
        run,
        who: who(&headers),
        host: shown(&headers, header::HOST.as_str()),
        method,
        decided: decided(&headers, &path, status),
        path,
        status,
        took_ms: milliseconds(began.elapsed()),
        sets_session,
    });
    response
}

fn who(headers: &HeaderMap) -> Who {
    let site = text(headers, "sec-fetch-site");
    let origin = text(headers, "origin");
    if text(headers, "user-agent") == ATTACKERS_CLIENT {
        return Who::Attacker;
    }
    // A page that sends to another origin than its own says so in `Origin`; only the attacker's
    // page has his.
    match site {
        "same-origin" => Who::Browser,
        _ if origin.starts_with("http://127.0.0.1:") => Who::OtherSite,
        _ if origin.starts_with("http://evil.") => Who::Sibling,
        _ if !origin.is_empty() => Who::Browser,
        "same-site" => Who::Sibling,
        "cross-site" => Who::OtherSite,
        _ => Who::Browser,
    }
}

/// The header that made the answer what it is, in the order in which the walls look at them.
fn decided(headers: &HeaderMap, path: &str, status: u16) -> String {
    let site = text(headers, "sec-fetch-site");
    if status == 403 && headers.contains_key(header::UPGRADE) {
        format!("Origin: {}", shown(headers, "origin"))
    } else if status == 403 && !site.is_empty() && site != "same-origin" {
        format!("Sec-Fetch-Site: {}", shown(headers, "sec-fetch-site"))
    } else if status == 403 {
        format!("Origin: {}", shown(headers, "origin"))
    } else if path == "/lab/notes" {
        let token = tokens::in_header(headers).map_or("none", |_| "Bearer");
        format!("Authorization: {token}")
    } else if path.starts_with("/api/") {
        format!("Cookie: {}", cookie_names(headers))
    } else {
        String::new()
    }
}

/// The names of a request's cookies, and never their values.
fn cookie_names(headers: &HeaderMap) -> String {
    let lines = headers.get_all(header::COOKIE);
    let names: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.split('=').next())
        .map(str::trim)
        .collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join("; ").chars().take(SHOWN_MAX).collect()
}

fn shown(headers: &HeaderMap, name: &str) -> String {
    text(headers, name).chars().take(SHOWN_MAX).collect()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name);
    value.and_then(|it| it.to_str().ok()).unwrap_or_default()
}

/// A duration in milliseconds, to the microsecond: a number of so few digits reads the same in the log
/// and in the page.
pub(super) fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}
