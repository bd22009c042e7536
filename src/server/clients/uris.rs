//! The addresses that a client is registered with.

use crate::server::error::Error;
use http::Uri;

/// Addresses as a row has them. An empty one among them is none.
pub(super) fn read(uris: &[String], may_be_an_app: bool) -> Result<String, Error> {
    let uris: Vec<&str> = uris
        .iter()
        .map(String::as_str)
        .filter(|it| !it.is_empty())
        .collect();
    for uri in &uris {
        if !is_good(uri, may_be_an_app) {
            return Err(Error::Config(format!(
                "{uri}: expected https, or http of this machine, without a fragment, a user or \
                 spaces"
            )));
        }
    }
    Ok(uris.join(" "))
}

/// Over https, or to this machine, or to an app that has registered a scheme of its own, which
/// has a dot in it (RFC 8252, 7.1). Whatever a browser would read in another way is none.
fn is_good(uri: &str, may_be_an_app: bool) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\#<>\"{}|^`*".contains(&byte);
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    if uri.len() > 2_000 || !uri.bytes().all(is_plain) {
        return false;
    }
    match scheme {
        "https" | "http" => {
            let read = uri.parse::<Uri>().ok();
            let Some(authority) = read.as_ref().and_then(Uri::authority) else {
                return false;
            };
            let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&authority.host());
            rest.starts_with("//")
                && !authority.as_str().contains('@')
                && (scheme == "https" || is_local)
        }
        other => {
            let is_scheme = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
            };
            may_be_an_app && other.contains('.') && other.bytes().all(is_scheme)
        }
    }
}
