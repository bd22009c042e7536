//! Refresh tokens: each is used once and buys the next. Whoever shows a used one has a copy, and
//! nobody can say who of the two is the program itself: all of its family stops (RFC 9700, 4.14).

use super::{Grant, PlainRefreshToken, find_in, mark_used, revoke, still_allowed};
use crate::server::{
    clients::Client, error::Error, oidc::scopes::Scopes, sessions::Change, state::State,
};

/// A family that outlives its session ends this long after it began, in seconds (ASVS 10.4.8).
pub const FAMILY_FOR_S: i64 = 30 * 86_400;

/// The first refresh token of a family.
///
/// # Errors
/// If the database does not answer.
pub async fn hand_out(
    change: &mut Change,
    grant: &Grant,
    scopes: &Scopes,
) -> Result<PlainRefreshToken, Error> {
    let ends_at = change.now_s() + FAMILY_FOR_S;
    let ends_at = grant.session_ends_at.map_or(ends_at, |it| it.min(ends_at));
    insert(change, &grant.id, &scopes.to_string(), ends_at).await
}

async fn insert(
    change: &mut Change,
    grant_id: &str,
    scopes: &str,
    ends_at: i64,
) -> Result<PlainRefreshToken, Error> {
    let token = PlainRefreshToken::generate(&change.state().random)?;
    sqlx::query(
        "INSERT INTO refresh_tokens (hashed_token, grant_id, scopes, created_at, ends_at) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(token.hashed().as_str())
    .bind(grant_id)
    .bind(scopes)
    .bind(change.now_s())
    .bind(ends_at)
    .execute(&mut **change)
    .await?;
    Ok(token)
}

/// What a refresh token buys.
pub struct Refreshed {
    /// Under which grant.
    pub grant: Grant,
    /// What the family is for.
    pub scopes: Scopes,
    /// The next one.
    pub next: PlainRefreshToken,
}

/// Takes a refresh token, once, and makes the next. `None` if it buys nothing. Shown a second
/// time, or by another client, it was copied. The caller commits either way.
///
/// # Errors
/// If the database does not answer.
pub async fn refresh(
    state: &State,
    change: &mut Change,
    client: &Client,
    token: &PlainRefreshToken,
) -> Result<Option<Refreshed>, Error> {
    let now = change.now_s();
    let hashed = token.hashed();
    let used_up: Option<(String, String, i64)> = sqlx::query_as(
        "UPDATE refresh_tokens SET used_at = $1 WHERE hashed_token = $2 AND used_at IS NULL \
         RETURNING grant_id, scopes, ends_at",
    )
    .bind(now)
    .bind(hashed.as_str())
    .fetch_optional(&mut **change)
    .await?;
    let Some((grant_id, scopes, ends_at)) = used_up else {
        let used: Option<(String,)> =
            sqlx::query_as("SELECT grant_id FROM refresh_tokens WHERE hashed_token = $1")
                .bind(hashed.as_str())
                .fetch_optional(&mut **change)
                .await?;
        if let Some((grant_id,)) = used {
            copied(change, client, &grant_id).await?;
        }
        return Ok(None);
    };
    let Some(grant) = find_in(state, change, &grant_id).await? else {
        return Ok(None);
    };
    if grant.client_id != client.id {
        copied(change, client, &grant_id).await?;
        return Ok(None);
    }
    if now >= ends_at {
        return Ok(None);
    }
    mark_used(change, &grant).await?;
    let next = insert(change, &grant.id, &scopes, ends_at).await?;
    Ok(Some(Refreshed {
        grant,
        scopes: still_allowed(client, &scopes),
        next,
    }))
}

async fn copied(change: &mut Change, client: &Client, grant_id: &str) -> Result<(), Error> {
    tracing::warn!(
        event = "refresh_token_copied",
        grant = grant_id,
        client = client.id
    );
    revoke(change, grant_id, "refresh_token_replayed").await
}
