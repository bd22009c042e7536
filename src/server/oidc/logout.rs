//! `/oauth2/logout`: a client asks that the person be signed out here as well (OpenID Connect
//! RP-Initiated Logout).
//!
//! A link alone signs nobody out: it needs an id token that only a client of the same person can
//! have, or the person's own word.

use super::{
    form::{self, Form},
    id_tokens,
    request::QUERY_MAX,
};
use crate::{
    server::{
        answer::refuse, caller::Caller, clients, documents, error::Error, forms, sessions,
        state::State,
    },
    wire::{self, documents::Document},
};
use axum::{
    Router,
    body::Body,
    extract::{Extension, Request, State as Extract},
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, Uri};

/// Where it is.
pub const PATH: &str = "/oauth2/logout";
/// Where the page that asks people sends their word.
pub const CONFIRMED: &str = "/oauth2/logout/confirmed";

/// What a browser asks with its cookie. The layer that knows who calls goes around it, and the
/// walls that let no other site's form pass.
pub fn routes() -> Router<State> {
    Router::new()
        .route(PATH, get(ask))
        .route(CONFIRMED, post(do_it))
}

/// The same request, sent as a form by the client's page (OpenID Connect RP-Initiated Logout, 2).
pub fn routes_by_post() -> Router<State> {
    Router::new().route(PATH, post(form::ask_by_get))
}

/// What is asked.
#[derive(Default)]
struct Asked {
    /// Whose id token was shown.
    user_id: Option<String>,
    /// Where the browser goes when it is done, if the client is registered with that.
    back: Option<Back>,
}

/// Where the browser goes when it is done.
struct Back {
    client_id: String,
    address: String,
    state: Option<String>,
}

impl Back {
    fn url(&self) -> String {
        let Some(state) = &self.state else {
            return self.address.clone();
        };
        let separator = if self.address.contains('?') { '&' } else { '?' };
        let state = form_urlencoded::Serializer::new(String::new())
            .append_pair("state", state)
            .finish();
        format!("{}{separator}{state}", self.address)
    }
}

/// Reads it. What does not fit together leads nowhere.
async fn read(state: &State, form: &[u8]) -> Result<Asked, Error> {
    let Ok(form) = Form::parse(form) else {
        return Ok(Asked::default());
    };
    let hint = match form.get("id_token_hint") {
        None => None,
        Some(shown) => match id_tokens::read_hint(state, shown).await? {
            None => return Ok(Asked::default()),
            hint => hint,
        },
    };
    let named = form.get("client_id");
    let client_id = match (&hint, named) {
        (Some(hint), Some(named)) if hint.aud != named => return Ok(Asked::default()),
        (Some(hint), _) => Some(hint.aud.as_str()),
        (None, named) => named,
    };
    let client = match client_id {
        Some(id) => clients::find(state, id).await?,
        None => None,
    };
    let address = form.get("post_logout_redirect_uri");
    let back = client.zip(address).and_then(|(client, address)| {
        let registered = &client.post_logout_redirect_uris;
        let is_registered = registered.iter().any(|other| other == address);
        let back = Back {
            client_id: client.id.clone(),
            address: address.to_owned(),
            state: form.get("state").map(str::to_owned),
        };
        // A longer address has no room in the head of a response.
        (is_registered && back.url().len() <= QUERY_MAX).then_some(back)
    });
    Ok(Asked {
        user_id: hint.map(|hint| hint.sub),
        back,
    })
}

/// Whether a registered client asks: it shows an id token of its own, or where it gets its users back.
pub async fn is_of_client(state: &State, query: &str) -> bool {
    let asked = read(state, query.as_bytes()).await;
    asked.is_ok_and(|asked| asked.user_id.is_some() || asked.back.is_some())
}

/// A link: done if it shows whose it is, else the person is asked.
async fn ask(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let asked = match read(&state, query.as_bytes()).await {
        Ok(asked) => asked,
        Err(error) => return refuse(error.into()),
    };
    match &caller.session {
        Some(session) if asked.user_id.as_ref() != Some(&session.user_id) => {
            // Whoever shows somebody else's token is not gone back to.
            let back = asked.back.filter(|_| asked.user_id.is_none());
            documents::show(StatusCode::OK, confirm(back))
        }
        Some(_) => sign_out(&caller, &headers, asked.back).await,
        // Nobody is signed in: whoever shows nothing is not gone back to by a link alone.
        None => finish(&headers, asked.back.filter(|_| asked.user_id.is_some())),
    }
}

fn confirm(back: Option<Back>) -> Document {
    let mut fields = Vec::new();
    if let Some(back) = back {
        fields.push(("client_id".to_owned(), back.client_id));
        fields.push(("post_logout_redirect_uri".to_owned(), back.address));
        fields.extend(back.state.map(|state| ("state".to_owned(), state)));
    }
    Document::ConfirmSignOut { fields }
}

/// Our own page's form: the person's word.
async fn do_it(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    if !forms::is_form_encoded(&parts.headers) {
        return refuse(wire::Error::WrongContentType);
    }
    let body = match forms::read(body, &state).await {
        Ok(body) => body,
        Err(error) => return refuse(error),
    };
    match read(&state, &body).await {
        Ok(asked) => sign_out(&caller, &parts.headers, asked.back).await,
        Err(error) => refuse(error.into()),
    }
}

async fn sign_out(caller: &Caller, headers: &HeaderMap, back: Option<Back>) -> Response {
    match sessions::sign_out(caller).await {
        Ok(()) => finish(headers, back),
        Err(error) => refuse(error.into()),
    }
}

fn finish(headers: &HeaderMap, back: Option<Back>) -> Response {
    match back {
        Some(back) => documents::leave(headers, &back.url()),
        None => documents::show(StatusCode::OK, Document::SignedOut),
    }
}
