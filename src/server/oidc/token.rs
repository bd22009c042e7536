//! `POST /oauth2/token`: tokens for whoever shows who they are and what they were granted.

use super::{client_credentials, codes, error::OauthError, form, refresh, scopes::Scopes};
use crate::server::{
    clients::{self, GrantType},
    state::State,
};
use axum::{
    Json,
    extract::{Request, State as Extract},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// What a client gets (RFC 6749, 5.1; OpenID Connect Core, 3.1.3.3). It is not for logs, so that
/// it has no `Debug`.
#[derive(Serialize)]
pub struct Tokens {
    /// See [`super::access_tokens`].
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Of the access token, in seconds.
    pub expires_in: i64,
    /// What it allows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// For the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

impl Tokens {
    /// An access token and nothing else.
    pub fn new(access_token: String, scopes: &Scopes) -> Self {
        Self {
            access_token,
            token_type: "Bearer",
            expires_in: super::access_tokens::LIFE_S,
            scope: scopes.to_string(),
            refresh_token: None,
            id_token: None,
        }
    }
}

/// The endpoint.
pub async fn answer(Extract(state): Extract<State>, request: Request) -> Response {
    match give(&state, request).await {
        Ok(tokens) => Json(tokens).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn give(state: &State, request: Request) -> Result<Tokens, OauthError> {
    let asked = form::read(state, request).await?;
    let client = clients::authenticate(state, &asked).await?;
    let form = &asked.form;
    let grant_type = GrantType::parse(form.require("grant_type")?);
    let grant_type = grant_type.ok_or(OauthError::UNSUPPORTED_GRANT_TYPE)?;
    if !client.may(grant_type) {
        return Err(OauthError::UNAUTHORIZED_CLIENT);
    }
    state.limits.token_asked(&client, asked.address)?;
    match grant_type {
        GrantType::ClientCredentials => client_credentials::give(state, &client, form).await,
        GrantType::AuthorizationCode => codes::give(state, &client, form).await,
        GrantType::RefreshToken => refresh::give(state, &client, form).await,
    }
}
