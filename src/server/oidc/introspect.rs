//! `POST /oauth2/introspect` (RFC 7662): what a token says and whether it is good now, for
//! whoever it is shown to and does not want to verify it by themselves.

use super::{access_tokens, error::OauthError, form, refresh};
use crate::server::{clients, state::State};
use axum::{
    Json,
    extract::{Request, State as Extract},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// The endpoint.
pub async fn answer(Extract(state): Extract<State>, request: Request) -> Response {
    match look_at(&state, request).await {
        Ok(said) => Json(said).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn look_at(state: &State, request: Request) -> Result<Value, OauthError> {
    let asked = form::read(state, request).await?;
    let client = clients::authenticate(state, &asked).await?;
    // Whoever can keep no secret could be anybody, who goes through tokens (RFC 7662, 4).
    if client.is_public() {
        return Err(OauthError::INVALID_CLIENT);
    }
    let token = asked.form.require("token")?;
    let issuer = &state.config.oidc.issuer;
    if let Some(token) = access_tokens::check(state, token).await? {
        // It is told to whom it was given, and to those whom it is for.
        let is_for_it = client.audience.as_ref().is_some_and(|it| token.is_for(it));
        if token.client_id == client.id || is_for_it {
            return Ok(json!({
                "active": true,
                "token_type": "Bearer",
                "iss": issuer,
                "sub": token.subject,
                "client_id": token.client_id,
                "scope": token.scopes.to_string(),
                "aud": token.audiences,
                "iat": token.issued_at,
                "exp": token.ends_at,
                "jti": token.jti,
            }));
        }
    } else if let Some(token) = refresh::find(state, &client, token).await? {
        return Ok(json!({
            "active": true,
            "iss": issuer,
            "sub": token.subject,
            "client_id": token.client_id,
            "scope": token.scope,
            "iat": token.issued_at,
            "exp": token.ends_at,
        }));
    }
    // Why is nobody's business (RFC 7662, 2.2).
    Ok(json!({ "active": false }))
}
