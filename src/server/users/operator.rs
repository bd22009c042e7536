//! Commands of the operator for accounts that exist.

use crate::{
    server::{
        api_keys,
        error::Error,
        sessions::{self, Change},
        state::State,
    },
    wire::fields::Email,
};

/// Keeps somebody out, or lets them in again: the operator's way. Keeping them out ends all
/// their sessions, and revokes their keys, in the same transaction (ASVS 7.4.2). How many ended; none if there is no such
/// account.
///
/// # Errors
/// If the database does not answer.
pub async fn set_disabled(
    state: &State,
    email: &Email,
    is_disabled: bool,
) -> Result<Option<u32>, Error> {
    let mut change = Change::begin(state).await?;
    let disabled_at = is_disabled.then(|| change.now_s());
    let user: Option<(String,)> =
        sqlx::query_as("UPDATE users SET disabled_at = $1 WHERE email_key = $2 RETURNING id")
            .bind(disabled_at)
            .bind(email.key())
            .fetch_optional(&mut *change)
            .await?;
    let Some((user_id,)) = user else {
        return Ok(None);
    };
    let (mut ended, mut revoked) = (0, 0);
    if is_disabled {
        ended = sessions::end_all_of(&mut change, &user_id, None, "disabled").await?;
        revoked = api_keys::revoke_all_of(&mut change, &user_id).await?;
    }
    change.commit().await?;
    tracing::info!(
        event = "account_disabled",
        user = user_id,
        is_disabled,
        ended,
        revoked
    );
    Ok(Some(ended))
}

/// Ends all sessions of an account: the operator's way (ASVS 7.4.5). How many; none if there is no
/// such account.
///
/// # Errors
/// If the database does not answer.
pub async fn end_sessions(state: &State, email: &Email) -> Result<Option<u32>, Error> {
    let mut change = Change::begin(state).await?;
    // Whoever signs in meanwhile goes first, and is among them, or waits.
    let user: Option<(String,)> =
        sqlx::query_as("UPDATE users SET email = email WHERE email_key = $1 RETURNING id")
            .bind(email.key())
            .fetch_optional(&mut *change)
            .await?;
    let Some((user_id,)) = user else {
        return Ok(None);
    };
    let ended = sessions::end_all_of(&mut change, &user_id, None, "ended_by_operator").await?;
    change.commit().await?;
    Ok(Some(ended))
}

/// Everybody who has an account, by address, 500 at a time: id, address, when it was made (Unix
/// seconds). The next page comes `after` the last address of this one, in lower case.
///
/// # Errors
/// If the database does not answer.
pub async fn list(state: &State, after: &str) -> Result<Vec<(String, String, i64)>, Error> {
    Ok(sqlx::query_as(
        "SELECT id, email, created_at FROM users WHERE email_key > $1 ORDER BY email_key LIMIT 500",
    )
    .bind(after)
    .fetch_all(state.db.pool())
    .await?)
}
