//! Reads what a form sent, and the page that it stood on.

use crate::{
    server::state::State,
    wire::{self, fields::local_path},
};
use axum::body::{Body, Bytes, to_bytes};
use http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use percent_encoding::percent_decode;
use std::{borrow::Cow, error::Error as Source, time::Duration};

/// A form as it was sent, names and values.
pub(super) type Fields<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The body, if it is not too long and does not take too long.
pub(in crate::server) async fn read(body: Body, state: &State) -> Result<Bytes, wire::Error> {
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

/// Whether a form is UTF-8 once it is decoded. Its reader would put other characters in place of
/// octets that are not.
pub(super) fn is_text(form: &[u8]) -> bool {
    percent_decode(form).decode_utf8().is_ok()
}

/// What was typed in the first field of this name.
pub(super) fn value_of<'a>(fields: &'a Fields<'_>, name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(other, _)| other == name);
    found.map(|(_, value)| &**value)
}

/// Boxes of one name that are ticked come as fields of one name, which the framework refuses: as
/// one field, with spaces between, they are what a program sends. The form with them, if there was
/// more than one.
pub(super) fn join(fields: &mut Fields<'_>, name: &str) -> Option<String> {
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

/// Whether it says that it is a form, as browsers and OAuth clients write them.
pub(in crate::server) fn is_form_encoded(headers: &HeaderMap) -> bool {
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
pub(in crate::server) fn came_from(headers: &HeaderMap) -> Option<String> {
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
