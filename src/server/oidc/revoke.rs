//! `POST /oauth2/revoke` (RFC 7009): a client gives back a token that it has no more use for.

use super::{
    access_tokens::{self, AccessToken},
    error::OauthError,
    form, refresh,
};
use crate::server::{clients, error::Error, state::State};
use axum::{
    extract::{Request, State as Extract},
    response::{IntoResponse, Response},
};
use http::StatusCode;

/// The endpoint.
pub async fn answer(Extract(state): Extract<State>, request: Request) -> Response {
    match revoke(&state, request).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn revoke(state: &State, request: Request) -> Result<(), OauthError> {
    let asked = form::read(state, request).await?;
    let client = clients::authenticate(state, &asked).await?;
    let shown = asked.form.require("token")?;
    match access_tokens::check(state, shown).await? {
        Some(token) if token.client_id == client.id => add(state, &token).await?,
        // Another's, or none: it is told nothing, and nothing changes (RFC 7009, 2.2).
        Some(_) => {}
        None => refresh::revoke(state, &client, shown).await?,
    }
    Ok(())
}

/// Revokes an access token before its time.
async fn add(state: &State, token: &AccessToken) -> Result<(), Error> {
    let mut tx = state.db.write().await?;
    sqlx::query(
        "INSERT INTO revoked_tokens (jti, ends_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING",
    )
    .bind(&token.jti)
    .bind(token.ends_at)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    tracing::info!(event = "token_revoked", client = token.client_id);
    Ok(())
}

/// Whether a token was not revoked before its time. Asks the database, each time: Cloakroom is
/// shown few of them.
///
/// # Errors
/// If the database does not answer.
pub async fn is_unrevoked(state: &State, token: &AccessToken) -> Result<bool, Error> {
    let found: Option<(String,)> = sqlx::query_as("SELECT jti FROM revoked_tokens WHERE jti = $1")
        .bind(&token.jti)
        .fetch_optional(state.db.pool())
        .await?;
    Ok(found.is_none())
}
