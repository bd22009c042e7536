//! The cutoff of a user's keys: one number, below which every key is refused.
//!
//! It stands for all keys that were revoked before the oldest one alive was made, so that the list of
//! revoked keys names only those made since. Keys are counted and not dated: one that is made in the
//! second in which the cutoff rises is above it, and a clock that is set back changes nothing.

use super::revoked::Refused;
use crate::server::{error::Error, sessions::Change};

/// Raises the cutoff to the oldest key of this user that is not revoked and that expires after this
/// time, in Unix seconds; without one, above every key. The user's row must be locked.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn raise(
    change: &mut Change,
    user_id: &str,
    expiring_after: i64,
) -> Result<(), Error> {
    let (below, before): (i64, i64) = sqlx::query_as(
        "SELECT COALESCE((SELECT MIN(k.number) FROM api_keys k WHERE k.user_id = u.id \
            AND k.revoked_at IS NULL AND k.expires_at > $1), u.keys_made + 1), \
            u.keys_refused_below \
         FROM users u WHERE u.id = $2",
    )
    .bind(expiring_after)
    .bind(user_id)
    .fetch_one(&mut **change)
    .await?;
    if below <= before {
        return Ok(());
    }
    // Keys that expired without being revoked: a row below the cutoff is a revoked one.
    sqlx::query(
        "UPDATE api_keys SET revoked_at = $1 \
         WHERE user_id = $2 AND number < $3 AND revoked_at IS NULL",
    )
    .bind(change.now_s())
    .bind(user_id)
    .bind(below)
    .execute(&mut **change)
    .await?;
    let (until,): (i64,) = sqlx::query_as(
        "UPDATE users SET keys_refused_below = $1, keys_refused_until = (\
            SELECT MAX(e.ends_at) FROM (\
                SELECT expires_at AS ends_at FROM api_keys WHERE user_id = $2 AND number < $1 \
                UNION ALL \
                SELECT keys_refused_until FROM users WHERE id = $2) e) \
         WHERE id = $2 RETURNING keys_refused_until",
    )
    .bind(below)
    .bind(user_id)
    .fetch_one(&mut **change)
    .await?;
    change.refuse(Refused::Below {
        user_id: user_id.to_owned(),
        number: below,
        until,
    });
    Ok(())
}
