//! A request of a client, read: every parameter once, within the bounds that all bodies have.

use super::{error::OauthError, request::QUERY_MAX};
use crate::{
    server::{answer::refuse, caller, forms, headers::KeepsOpener, opener, state::State},
    wire,
};
use axum::{
    extract::{Request, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use http::HeaderMap;
use std::net::IpAddr;

/// Parameters that are looked at; OAuth's longest request has a dozen.
const PARAMETERS_MAX: usize = 32;

/// The parameters of a form.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads them.
    ///
    /// # Errors
    /// `invalid_request` if one is there twice (RFC 6749, 3.2), or there are too many.
    pub fn parse(body: &[u8]) -> Result<Self, OauthError> {
        let mut read: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if read.len() == PARAMETERS_MAX || read.iter().any(|(other, _)| *other == name) {
                let why = "a parameter is there twice, or there are too many";
                return Err(OauthError::INVALID_REQUEST.because(why));
            }
            read.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(read))
    }

    /// The value of this one. One that is empty is as good as none (RFC 6749, 3.2).
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|it| !it.is_empty())
    }

    /// The value of one that must be there.
    ///
    /// # Errors
    /// `invalid_request` if it is not.
    pub fn require(&self, name: &str) -> Result<&str, OauthError> {
        let missing = OauthError::INVALID_REQUEST.because("a required parameter is missing");
        self.get(name).ok_or(missing)
    }
}

/// What was asked, and from where.
pub struct Asked {
    /// The parameters of the body. Those of the address have no say: they are in logs and
    /// histories (RFC 6749, 2.3.1).
    pub form: Form,
    /// What came before the body.
    pub headers: HeaderMap,
    /// Of the client.
    pub address: IpAddr,
}

/// Reads a request's form.
///
/// # Errors
/// `invalid_request` if it is none, too long, or too slow.
pub async fn read(state: &State, request: Request) -> Result<Asked, OauthError> {
    let hops = state.config.server.trusted_proxy_hops;
    let address = caller::client_address(&request, hops);
    let (parts, body) = request.into_parts();
    if !forms::is_form_encoded(&parts.headers) {
        let why = "the body has to be application/x-www-form-urlencoded";
        return Err(OauthError::INVALID_REQUEST.because(why));
    }
    let body = forms::read(body, state).await?;
    Ok(Asked {
        form: Form::parse(&body)?,
        headers: parts.headers,
        address,
    })
}

/// A form that a client's page sends with the browser. It comes from another site, so that no
/// cookie is looked at: the same is asked once more by GET.
pub async fn ask_by_get(Extract(state): Extract<State>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !forms::is_form_encoded(&parts.headers) {
        return refuse(wire::Error::WrongContentType);
    }
    match forms::read(body, &state).await {
        Ok(body) => match std::str::from_utf8(&body) {
            Ok(query) if is_query(query) => {
                let again = format!("{}?{query}", parts.uri.path());
                let mut response = Redirect::to(&again).into_response();
                if opener::serves_client(&state, &again).await {
                    response.extensions_mut().insert(KeepsOpener);
                }
                response
            }
            _ => refuse(wire::Error::BadRequest),
        },
        Err(error) => refuse(error),
    }
}

/// What can stand in an address as it is.
fn is_query(text: &str) -> bool {
    text.len() <= QUERY_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
}
