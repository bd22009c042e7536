//! `/oauth2/authorize`: a person's browser brings a client's request for a code (RFC 6749, 4.1;
//! OpenID Connect Core, 3.1.2), and takes the answer back to the client.
//!
//! Whoever is not signed in signs in first, whatever is wrong with the request: nobody is sent
//! anywhere by a link alone (RFC 9700, 4.11).

use super::{
    consent, form, id_tokens,
    request::{Addressed, Prompt, Refusal},
};
use crate::{
    server::{
        answer::refuse,
        caller::Caller,
        documents,
        error::Error,
        fields::Email,
        forms,
        grants::{self, NewCode},
        sessions::Change,
        state::State,
    },
    wire::{self, documents::Document},
};
use axum::{
    Router,
    extract::{Extension, State as Extract},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, Uri};

/// Where it is.
pub const PATH: &str = "/oauth2/authorize";

/// What a browser asks with its cookie. The layer that knows who calls goes around it.
pub fn routes() -> Router<State> {
    Router::new().route(PATH, get(answer))
}

/// The same request, sent as a form by the client's page (OpenID Connect Core, 3.1.2.1).
pub fn routes_by_post() -> Router<State> {
    Router::new().route(PATH, post(form::ask_by_get))
}

/// There is no client that the answer could safely go to, so that it goes to the user alone.
fn unknown(query: &str, reason: &'static str) -> Response {
    // What an attacker sends is bounded, and quoted by the log.
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "client_id");
    let client: String = named.map_or_else(String::new, |(_, id)| id.chars().take(64).collect());
    tracing::warn!(
        event = "authorization_refused",
        ?client,
        reason,
        "an authorization request cannot be answered to a client"
    );
    documents::show(StatusCode::BAD_REQUEST, Document::UnknownApp)
}

async fn answer(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let addressed = match Addressed::read(&state, query).await {
        Ok(Ok(addressed)) => addressed,
        Ok(Err(reason)) => return unknown(query, reason),
        Err(error) => return refuse(error.into()),
    };
    let step = match decide(&caller, &addressed).await {
        Ok(step) => step,
        Err(error) => match wire::Error::from(error) {
            // The session has ended meanwhile.
            wire::Error::SignInNeeded => Step::SignIn,
            _ if addressed.is_silent() => Step::Refused(Refusal::new(
                "server_error",
                "the request could not be answered just now",
            )),
            error => return refuse(error),
        },
    };
    // Whatever a page would ask, whoever must not be asked is told that it would (OpenID Connect
    // Core, 3.1.2.6).
    let step = match step {
        Step::SignIn | Step::Confirm if addressed.is_silent() => Step::Refused(LOGIN_REQUIRED),
        Step::Consent if addressed.is_silent() => Step::Refused(Refusal::new(
            "consent_required",
            "the user has to be asked for consent, and prompt is none",
        )),
        step => step,
    };
    match step {
        Step::Sent(code) => documents::leave(&headers, &addressed.answer_with_code(&code)),
        Step::Refused(refusal) => {
            tracing::info!(
                event = "authorization_refused",
                client = addressed.client.id,
                error = refusal.error,
                reason = refusal.description,
                "an authorization request was refused"
            );
            documents::leave(&headers, &addressed.answer_with_refusal(&refusal))
        }
        // No user is sent to a client by a link alone, so that the user is told.
        Step::SignIn if !forms::is_carried(&again(query)) => {
            tracing::warn!(
                event = "authorization_refused",
                client = addressed.client.id,
                reason = "the request is too long for the address of the sign-in page",
                "an authorization request cannot be carried through sign-in"
            );
            refuse(wire::Error::TooLarge)
        }
        Step::SignIn => {
            let hint = addressed.form.get("login_hint");
            let hint = hint.and_then(|hint| Email::parse(hint).ok());
            let hint = hint.map(|hint| hint.shown());
            forms::to_sign_in_as(&caller, &again(query), hint.as_deref()).await
        }
        Step::Confirm | Step::Consent => {
            Redirect::to(&format!("{}?{query}", consent::PATH)).into_response()
        }
    }
}

const LOGIN_REQUIRED: Refusal = Refusal::new(
    "login_required",
    "the user has to sign in, or is not the one that id_token_hint names",
);

/// What becomes of a request.
enum Step {
    /// The code goes to the client.
    Sent(String),
    /// The client is told why not (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6).
    Refused(Refusal),
    /// First they sign in.
    SignIn,
    /// First they are asked for their password.
    Confirm,
    /// First they are asked for their consent.
    Consent,
}

async fn decide(caller: &Caller, addressed: &Addressed) -> Result<Step, Error> {
    let state = &caller.state;
    let Some(session) = &caller.session else {
        return Ok(Step::SignIn);
    };
    let wanted = match addressed.wanted() {
        Ok(wanted) => wanted,
        Err(refusal) => return Ok(Step::Refused(refusal)),
    };
    // The client wants this person and nobody else (OpenID Connect Core, 3.1.2.1). A hint that
    // nobody can read, of a key that is long gone, names nobody: without a question that is as
    // good as the wrong one.
    if let Some(shown) = addressed.form.get("id_token_hint") {
        let is_theirs = match id_tokens::read_hint(state, shown).await? {
            Some(hint) => hint.sub == session.user_id,
            None => !addressed.is_silent(),
        };
        if !is_theirs {
            return Ok(Step::Refused(LOGIN_REQUIRED));
        }
    }
    if addressed.is_denied() {
        let why = "the user did not allow it";
        return Ok(Step::Refused(Refusal::new("access_denied", why)));
    }
    if wanted.is_stale(session, state.clock.now_s()) {
        return Ok(Step::Confirm);
    }
    let client = &addressed.client;
    let scopes = &wanted.scopes;
    let mut change = Change::begin(state).await?;
    grants::hold(&mut change, session).await?;
    let is_consented = !wanted.prompts.contains(&Prompt::Consent)
        && grants::is_consented(
            &mut change,
            session,
            client,
            scopes,
            &addressed.redirect_uri,
        )
        .await?;
    if !is_consented {
        return Ok(Step::Consent);
    }
    let grant_id = grants::open(&mut change, session, client, scopes, false).await?;
    let new = NewCode {
        grant_id: &grant_id,
        redirect_uri: &addressed.redirect_uri,
        challenge: &wanted.challenge,
        nonce: wanted.nonce.as_deref(),
        scopes,
        session,
    };
    let code = grants::sell(&mut change, new).await?;
    change.commit().await?;
    tracing::info!(
        event = "code_sent",
        client = client.id,
        user = session.user_id
    );
    Ok(Step::Sent(code.reveal().to_owned()))
}

/// An address of ours that asks the same once more.
pub fn again(query: &str) -> String {
    format!("{PATH}?{query}")
}
