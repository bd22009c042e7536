//! Refresh tokens: tokens for one, what it says of itself, and its end.

use super::{access_tokens, error::OauthError, form::Form, scopes::Scopes, token::Tokens};
use crate::server::{
    clients::Client,
    error::Error,
    grants::{self, PlainRefreshToken},
    sessions::Change,
    state::State,
};

/// What a refresh token that is good says of itself (RFC 7662, 2.2).
pub struct RefreshToken {
    /// The user's id.
    pub subject: String,
    /// Whose it is.
    pub client_id: String,
    /// What it allows, separated by spaces.
    pub scope: String,
    /// When it was made, in Unix seconds.
    pub issued_at: i64,
    /// When it ends, in Unix seconds.
    pub ends_at: i64,
}

/// Tokens for a refresh token, which is used up (RFC 6749, 6).
///
/// # Errors
/// `invalid_grant` if it is not good; `invalid_scope` for more than it allows.
pub async fn give(state: &State, client: &Client, form: &Form) -> Result<Tokens, OauthError> {
    let shown = PlainRefreshToken::shown(form.require("refresh_token")?);
    let asked = form.get("scope").map(Scopes::parse);
    let mut change = Change::begin(state).await?;
    let refreshed = grants::refresh(state, &mut change, client, &shown).await?;
    let Some(refreshed) = refreshed else {
        // What was found out is kept.
        change.commit().await?;
        return Err(OauthError::INVALID_GRANT);
    };
    let scopes = match asked {
        None => refreshed.scopes,
        Some(Some(asked)) if asked.are_within(&refreshed.scopes) => asked,
        // Nothing is used up.
        Some(_) => return Err(OauthError::INVALID_SCOPE),
    };
    // Signing may have to write a new key, which would wait for this transaction.
    change.commit().await?;
    let grant = &refreshed.grant;
    let access_token =
        access_tokens::issue(state, client, &grant.user_id, &scopes, Some(grant)).await?;
    Ok(Tokens {
        refresh_token: Some(refreshed.next.reveal().to_owned()),
        ..Tokens::new(access_token, &scopes)
    })
}

/// A refresh token of this client that is good, for introspection. `None` if it is none.
///
/// # Errors
/// If the database does not answer.
pub async fn find(
    state: &State,
    client: &Client,
    shown: &str,
) -> Result<Option<RefreshToken>, Error> {
    let shown = PlainRefreshToken::shown(shown);
    let row: Option<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT grant_id, scopes, created_at, ends_at FROM refresh_tokens \
         WHERE hashed_token = $1 AND used_at IS NULL AND ends_at > $2",
    )
    .bind(shown.hashed().as_str())
    .bind(state.clock.now_s())
    .fetch_optional(state.db.pool())
    .await?;
    let Some((grant_id, scope, issued_at, ends_at)) = row else {
        return Ok(None);
    };
    let grant = grants::find(state, &grant_id).await?;
    let grant = grant.filter(|grant| grant.client_id == client.id);
    Ok(grant.map(|grant| RefreshToken {
        subject: grant.user_id,
        client_id: grant.client_id,
        scope,
        issued_at,
        ends_at,
    }))
}

/// Revokes a refresh token of this client and the whole of its family (RFC 7009, 2.1). What is none
/// changes nothing.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke(state: &State, client: &Client, shown: &str) -> Result<(), Error> {
    let shown = PlainRefreshToken::shown(shown);
    let mut change = Change::begin(state).await?;
    let family: Option<(String,)> = sqlx::query_as(
        "SELECT g.id FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id \
         WHERE t.hashed_token = $1 AND g.client_id = $2",
    )
    .bind(shown.hashed().as_str())
    .bind(&client.id)
    .fetch_optional(&mut *change)
    .await?;
    if let Some((id,)) = family {
        grants::revoke(&mut change, &id, "revoked_by_client").await?;
    }
    change.commit().await
}
