//! The end of a key: stamped in one transaction that tells every node.

use super::{LONGEST_S, Refused, cutoff, lock_owner};
use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        error::Error,
        random::is_id,
        sessions::{Change, Session},
    },
    wire,
};
use std::collections::BTreeSet;

/// Revokes a key of the caller's, by its public id: it is refused from the next request on. How many
/// that stopped: none if it was revoked already.
///
/// # Errors
/// [`wire::Error::NotFound`] for an id that is not one of theirs.
pub async fn revoke(caller: &Caller, session: &Session, id: &str) -> Result<u32, Error> {
    if !is_id(id) {
        return Err(wire::Error::NotFound.into());
    }
    let user_id = &session.user_id;
    let mut change = Change::begin(&caller.state).await?;
    lock_owner(&mut change, user_id).await?;
    change.require_live(session).await?;
    let revoked: Option<(String, i64, i64)> = sqlx::query_as(
        "UPDATE api_keys SET revoked_at = $1 \
         WHERE id = $2 AND user_id = $3 AND revoked_at IS NULL \
         RETURNING id, number, expires_at",
    )
    .bind(change.now_s())
    .bind(id)
    .bind(user_id)
    .fetch_optional(&mut *change)
    .await?;
    let Some((key, number, expires_at)) = revoked else {
        let known: Option<(i64,)> =
            sqlx::query_as("SELECT created_at FROM api_keys WHERE id = $1 AND user_id = $2")
                .bind(id)
                .bind(user_id)
                .fetch_optional(&mut *change)
                .await?;
        return Ok(known.map(|_| 0).ok_or(wire::Error::NotFound)?);
    };
    change.refuse(Refused::Key {
        user_id: user_id.clone(),
        id: key,
        number,
        expires_at,
    });
    let a_life_ago = change.now_s() - LONGEST_S;
    cutoff::raise(&mut change, user_id, a_life_ago).await?;
    let (by, visitor) = (Some(session.id.as_str()), &caller.visitor);
    activity::record(&mut change, user_id, Kind::ApiKeyRevoked, by, 1, visitor).await?;
    change.commit().await?;
    tracing::info!(event = "api_key_revoked", user = user_id, key = id);
    Ok(1)
}

/// Revokes all keys of a user, within a larger change. How many.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke_all_of(change: &mut Change, user_id: &str) -> Result<u32, Error> {
    revoke_made(change, user_id, 0, "").await
}

/// Keeps the keys of a user refused whose row is about to be deleted, and whose keys are all revoked.
///
/// # Errors
/// If the database does not answer.
pub async fn refuse_without_owner(change: &mut Change, user_id: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO deleted_users (id, keys_refused_until) \
         SELECT id, keys_refused_until FROM users WHERE id = $1 AND keys_refused_until > 0",
    )
    .bind(user_id)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Revokes the keys that were made in a session or since it was started, within a larger change that has
/// locked the user's row. How many.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke_made_since(change: &mut Change, session: &Session) -> Result<u32, Error> {
    // The clock may have been set back since the session was started, so that its keys seem older.
    revoke_made(change, &session.user_id, session.created_at, &session.id).await
}

/// Revokes the keys of a user that were made at this time or later, in Unix seconds, or in this session.
///
/// Keys that have expired are revoked as well, and not counted: the clock may be ahead.
async fn revoke_made(
    change: &mut Change,
    user_id: &str,
    since: i64,
    session_id: &str,
) -> Result<u32, Error> {
    let now = change.now_s();
    let a_life_ago = now - LONGEST_S;
    let revoked: Vec<(String, i64, i64)> = sqlx::query_as(
        "UPDATE api_keys SET revoked_at = $1 \
         WHERE user_id = $2 AND (created_at >= $3 OR made_in = $4) AND revoked_at IS NULL \
           AND expires_at > $5 \
         RETURNING id, number, expires_at",
    )
    .bind(now)
    .bind(user_id)
    .bind(since)
    .bind(session_id)
    .bind(a_life_ago)
    .fetch_all(&mut **change)
    .await?;
    let live = revoked.iter().filter(|(.., expires_at)| *expires_at > now);
    let count = u32::try_from(live.count()).unwrap_or(u32::MAX);
    for (id, number, expires_at) in revoked {
        change.refuse(Refused::Key {
            user_id: user_id.to_owned(),
            id,
            number,
            expires_at,
        });
    }
    cutoff::raise(change, user_id, a_life_ago).await?;
    Ok(count)
}

/// Revokes the keys of all users that were made until this time, in Unix seconds, within a larger change.
/// Number of those that could still be used.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke_made_until(change: &mut Change, until: i64) -> Result<u32, Error> {
    let now = change.now_s();
    let a_life_ago = now - LONGEST_S;
    // The users' rows first, as in every transaction that writes keys.
    sqlx::query(
        "UPDATE users SET disabled_at = disabled_at WHERE id IN (\
            SELECT user_id FROM api_keys WHERE created_at <= $1 AND revoked_at IS NULL)",
    )
    .bind(until)
    .execute(&mut **change)
    .await?;
    let revoked: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "UPDATE api_keys SET revoked_at = $1 \
         WHERE created_at <= $2 AND revoked_at IS NULL AND expires_at > $3 \
         RETURNING user_id, id, number, expires_at",
    )
    .bind(now)
    .bind(until)
    .bind(a_life_ago)
    .fetch_all(&mut **change)
    .await?;
    let live = revoked.iter().filter(|(.., expires_at)| *expires_at > now);
    let count = u32::try_from(live.count()).unwrap_or(u32::MAX);
    let mut users = BTreeSet::new();
    for (user_id, id, number, expires_at) in revoked {
        users.insert(user_id.clone());
        change.refuse(Refused::Key {
            user_id,
            id,
            number,
            expires_at,
        });
    }
    for user_id in users {
        cutoff::raise(change, &user_id, a_life_ago).await?;
    }
    Ok(count)
}

/// Counts the keys of all users that were made until this time, in Unix seconds, and can be used.
///
/// # Errors
/// If the database does not answer.
pub async fn count_live(change: &mut Change, until: i64) -> Result<i64, Error> {
    let (live,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM api_keys \
         WHERE created_at <= $1 AND revoked_at IS NULL AND expires_at > $2",
    )
    .bind(until)
    .bind(change.now_s())
    .fetch_one(&mut **change)
    .await?;
    Ok(live)
}
