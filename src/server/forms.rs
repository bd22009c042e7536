//! Server functions, called by a program or by a plain form.
//!
//! The framework answers a plain form by putting the error into the URL of the page that the
//! `Referer` names. That would show text from a URL, lose what was typed and follow a foreign
//! `Referer`, so a form's `Accept` is hidden from it, and what follows is ours: back to the page
//! by 303, with the error and what was typed sealed in a short-lived cookie (never a password).

use super::{
    answer::{refuse, wants_html},
    caller::Caller,
    cookie::{self, Found},
    error::Error,
    secret::Secret,
    state::State,
};
use crate::wire::{self, fields::local_path, users::ReturnedForm};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Method, header};
use std::time::Duration;

/// What may come back into a form. A password is not on this list.
const RETURNED: [&str; 3] = ["email", "keep_me_signed_in", "next"];
/// A cookie is dropped whole above 4,096 octets (RFC 6265bis); more typed text is not returned.
const TYPED_MAX: usize = 1024;
/// A body arrives within this long.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The layer around server functions.
pub async fn around_functions(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    let is_form = wants_html(request.headers());
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::POST && !is_form_encoded(&parts.headers) {
        return refuse(wire::Error::WrongContentType);
    }
    let limit = state.config.server.body_limit_bytes as usize;
    let body = match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, limit)).await {
        Err(_) => return refuse(wire::Error::TooSlow),
        Ok(Err(_)) => return refuse(wire::Error::TooLarge),
        Ok(Ok(body)) => body,
    };
    parts
        .headers
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let function = parts.uri.path().trim_start_matches("/api/").to_owned();
    let came_from = came_from(&parts.headers);
    let caller = parts.extensions.get::<Caller>().cloned();
    let response = next
        .run(Request::from_parts(parts, Body::from(body.clone())))
        .await;

    let (mut parts, answer) = response.into_parts();
    let Ok(answer) = to_bytes(answer, 1 << 20).await else {
        return refuse(wire::Error::Unexpected { id: String::new() });
    };
    // The framework marks a function's error with this header and says 500 whatever it is.
    let error = parts.headers.remove("serverfnerror").map(|_| {
        serde_json::from_slice(&answer).unwrap_or(wire::Error::Unexpected { id: String::new() })
    });
    match (error, is_form) {
        (Some(error), true) => match (caller, came_from) {
            (Some(caller), Some(page)) => {
                let returned = ReturnedForm {
                    function,
                    error,
                    typed: typed(&body),
                };
                match state.seal.close(&returned) {
                    Ok(sealed) => caller.cookies.send_form(&sealed),
                    Err(error) => return refuse(error.into()),
                }
                Redirect::to(&page).into_response()
            }
            _ => refuse(error),
        },
        (Some(error), false) => refuse(error),
        (None, true) if parts.status.is_success() => {
            let next = serde_json::from_slice::<wire::users::GoOn>(&answer).ok();
            let next = next.map_or_else(|| came_from.unwrap_or("/".to_owned()), |go| go.next);
            Redirect::to(&next).into_response()
        }
        (None, _) => Response::from_parts(parts, Body::from(answer)),
    }
}

fn is_form_encoded(headers: &HeaderMap) -> bool {
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
fn came_from(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let (_, rest) = referer.split_once("://")?;
    let path = rest.strip_prefix(host)?;
    let path = path.split('#').next()?;
    let path = if path.is_empty() { "/" } else { path };
    let page = path.split_once("?done=").map_or(path, |(page, _)| page);
    local_path(page).map(str::to_owned)
}

fn typed(body: &Bytes) -> Vec<(String, String)> {
    let mut room = TYPED_MAX;
    url_pairs(body)
        .filter(|(name, value)| {
            let fits = value.len() <= room;
            room = room.saturating_sub(value.len());
            fits && RETURNED.contains(&name.as_str())
        })
        .collect()
}

fn url_pairs(body: &Bytes) -> impl Iterator<Item = (String, String)> + '_ {
    body.split(|byte| *byte == b'&').filter_map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        Some((
            decode(halves.next()?)?,
            decode(halves.next().unwrap_or_default())?,
        ))
    })
}

fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex = [*rest.next()?, *rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The layer around pages: opens a form that came back, and takes its cookie away.
pub async fn around_pages(
    Extract(state): Extract<State>,
    mut request: Request,
    next: Next,
) -> Response {
    // The framework would show, as a form's error, what a stranger's link says here.
    if request
        .uri()
        .query()
        .is_some_and(|query| query.contains("__err="))
    {
        return Redirect::to(request.uri().path()).into_response();
    }
    if let Found::One(sealed) = cookie::find(request.headers(), cookie::FORM) {
        if let Some(caller) = request.extensions().get::<Caller>() {
            caller.cookies.clear_form();
        }
        if let Some(returned) = state.seal.open(&sealed) {
            request.extensions_mut().insert(returned);
        }
    }
    next.run(request).await
}

/// Closes and opens forms on their way (AES-256-GCM): an address that somebody typed is nobody
/// else's to read, and nobody else can make one.
pub struct Seal(Vec<RandomizedNonceKey>);

impl Seal {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        let keys = secret.derive("returned form")?;
        keys.iter()
            .map(|key| {
                RandomizedNonceKey::new(&AES_256_GCM, &key.bytes).map_err(|_| Error::Crypto("seal"))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn close(&self, form: &ReturnedForm) -> Result<String, Error> {
        let failed = || Error::Crypto("seal");
        let mut text = serde_json::to_vec(form).map_err(|_| failed())?;
        let key = self.0.first().ok_or_else(failed)?;
        let nonce = key
            .seal_in_place_append_tag(Aad::empty(), &mut text)
            .map_err(|_| failed())?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &text].concat()))
    }

    fn open(&self, sealed: &str) -> Option<ReturnedForm> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        self.0.iter().find_map(|key| {
            let (nonce, text) = bytes.split_at_checked(12)?;
            let mut text = text.to_vec();
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let open = key.open_in_place(nonce, Aad::empty(), &mut text).ok()?;
            serde_json::from_slice(open).ok()
        })
    }
}
