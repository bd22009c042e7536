//! Keys in the form that changes the password.

use super::{LONGEST_S, Refused, cutoff};
use crate::{
    server::{error::Error, sessions::Change, state::State, users::Choice},
    wire::users::{Acts, Revocable},
};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    label: String,
    shown_as: String,
    created_at: i64,
    last_used_at: Option<i64>,
    kept_at: Option<i64>,
}

/// Lists the keys of this user that can be used: those that no change of the password left in place first,
/// then the newest.
///
/// # Errors
/// If the database does not answer.
pub async fn list_revocable(state: &State, user_id: &str) -> Result<Vec<Revocable>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, label, shown_as, created_at, last_used_at, kept_at FROM api_keys \
         WHERE user_id = $1 AND expires_at > $2 AND revoked_at IS NULL \
         ORDER BY CASE WHEN kept_at IS NULL THEN 0 ELSE 1 END, created_at DESC, id LIMIT 1000",
    )
    .bind(user_id)
    .bind(state.clock.now_s())
    .fetch_all(state.db.pool())
    .await?;
    let keys = rows.into_iter().map(|row| Revocable {
        last_used_at: state.later.keys.at(&row.id).max(row.last_used_at),
        id: row.id,
        acts: Acts::ByKey(row.shown_as),
        name: row.label,
        made_at: row.created_at,
        is_new: row.kept_at.is_none(),
    });
    Ok(keys.collect())
}

/// Revokes the keys of a user that the choice names. Where the change of the password ended the other
/// sessions, it notes that the remaining keys were left in place: an attacker who knows the password and
/// ends no session would otherwise make their own key count as kept. The user's row must be locked.
/// Returns the number of revoked keys.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke_chosen(
    change: &mut Change,
    user_id: &str,
    choice: &Choice,
    keep_others: bool,
) -> Result<u32, Error> {
    let now = change.now_s();
    let a_life_ago = now - LONGEST_S;
    // Keys that have expired as well, which are not counted: the clock may be ahead.
    let keys: Vec<(String, i64, i64, Option<i64>)> = sqlx::query_as(
        "SELECT id, number, expires_at, kept_at FROM api_keys \
         WHERE user_id = $1 AND expires_at > $2 AND revoked_at IS NULL",
    )
    .bind(user_id)
    .bind(a_life_ago)
    .fetch_all(&mut **change)
    .await?;
    let mut count = 0;
    for (id, number, expires_at, kept_at) in keys {
        if !choice.revokes(&id, kept_at.is_none()) {
            continue;
        }
        sqlx::query("UPDATE api_keys SET revoked_at = $1 WHERE id = $2")
            .bind(now)
            .bind(&id)
            .execute(&mut **change)
            .await?;
        count += u32::from(expires_at > now);
        change.refuse(Refused::Key {
            user_id: user_id.to_owned(),
            id,
            number,
            expires_at,
        });
    }
    cutoff::raise(change, user_id, a_life_ago).await?;
    if keep_others {
        return Ok(count);
    }
    sqlx::query("UPDATE api_keys SET kept_at = $1 WHERE user_id = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(user_id)
        .execute(&mut **change)
        .await?;
    Ok(count)
}
