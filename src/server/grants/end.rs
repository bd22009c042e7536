//! Every end of a grant. What hangs on it, codes and tokens, is refused from then on.

use super::hold;
use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        clients,
        error::Error,
        sessions::{Change, Session},
    },
    wire,
};

/// Revokes one grant.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke(change: &mut Change, id: &str, reason: &'static str) -> Result<(), Error> {
    sqlx::query(
        "UPDATE grants SET revoked_at = $1, revoked_reason = $2 \
         WHERE id = $3 AND revoked_at IS NULL",
    )
    .bind(change.now_s())
    .bind(reason)
    .bind(id)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// The end of a session ends what hangs on it. That it was allowed is remembered.
///
/// # Errors
/// If the database does not answer.
pub async fn end_of_session(change: &mut Change, session_id: &str) -> Result<(), Error> {
    sqlx::query(
        "UPDATE grants SET revoked_at = $1, revoked_reason = 'session_ended' \
         WHERE session_id = $2 AND revoked_at IS NULL",
    )
    .bind(change.now_s())
    .bind(session_id)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Ends everybody's: the secret may be known to others.
///
/// # Errors
/// If the database does not answer.
pub async fn end_everything(change: &mut Change, reason: &'static str) -> Result<(), Error> {
    sqlx::query(
        "UPDATE grants SET revoked_at = COALESCE(revoked_at, $1), revoked_reason = $2 \
         WHERE revoked_at IS NULL OR revoked_reason = 'session_ended'",
    )
    .bind(change.now_s())
    .bind(reason)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Ends all that a user has allowed, and forgets that they did: the account was in danger, or is
/// closed.
///
/// # Errors
/// If the database does not answer.
pub async fn end_all_of(
    change: &mut Change,
    user_id: &str,
    reason: &'static str,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE grants SET revoked_at = COALESCE(revoked_at, $1), revoked_reason = $2 \
         WHERE user_id = $3 AND (revoked_at IS NULL OR revoked_reason = 'session_ended')",
    )
    .bind(change.now_s())
    .bind(reason)
    .bind(user_id)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// The caller takes back all that they have allowed one program.
///
/// # Errors
/// [`wire::Error::NotFound`] if there is nothing of theirs to take back.
pub async fn end_app(caller: &Caller, session: &Session, client_id: &str) -> Result<(), Error> {
    if !clients::is_id(client_id) {
        return Err(wire::Error::NotFound.into());
    }
    let mut change = Change::begin(&caller.state).await?;
    hold(&mut change, session).await?;
    let revoked = sqlx::query(
        "UPDATE grants SET revoked_at = COALESCE(revoked_at, $1), \
            revoked_reason = 'revoked_by_owner' \
         WHERE user_id = $2 AND client_id = $3 \
           AND (revoked_at IS NULL OR revoked_reason = 'session_ended')",
    )
    .bind(change.now_s())
    .bind(&session.user_id)
    .bind(client_id)
    .execute(&mut *change)
    .await?;
    if revoked.rows_affected() == 0 {
        return Err(wire::Error::NotFound.into());
    }
    let (id, visitor) = (Some(session.id.as_str()), &caller.visitor);
    activity::record(
        &mut change,
        &session.user_id,
        Kind::AppRevoked,
        id,
        1,
        visitor,
    )
    .await?;
    change.commit().await?;
    tracing::info!(
        event = "app_revoked",
        client = client_id,
        user = session.user_id
    );
    Ok(())
}
