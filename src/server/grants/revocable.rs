//! Apps in the form that changes the password.

use crate::{
    server::{error::Error, sessions::Change, state::State, users::Choice},
    wire::users::{Acts, Revocable},
};

#[derive(sqlx::FromRow)]
struct Row {
    client_id: String,
    name: String,
    made_at: i64,
    last_used_at: Option<i64>,
    is_new: i64,
}

/// Lists the apps of this user: those with a grant that no change of the password left in place first,
/// then the newest.
///
/// # Errors
/// If the database does not answer.
pub async fn list_revocable(state: &State, user_id: &str) -> Result<Vec<Revocable>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT g.client_id, c.name, MAX(g.created_at) AS made_at, \
                MAX(g.last_used_at) AS last_used_at, \
                CAST(MAX(CASE WHEN g.kept_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS is_new \
         FROM grants g JOIN clients c ON c.id = g.client_id \
         WHERE g.user_id = $1 AND (g.revoked_at IS NULL OR g.revoked_reason = 'session_ended') \
         GROUP BY g.client_id, c.name \
         ORDER BY MAX(CASE WHEN g.kept_at IS NULL THEN 1 ELSE 0 END) DESC, \
                  MAX(g.created_at) DESC, g.client_id LIMIT 1000",
    )
    .bind(user_id)
    .fetch_all(state.db.pool())
    .await?;
    let apps = rows.into_iter().map(|row| Revocable {
        id: row.client_id,
        acts: Acts::AsApp,
        name: row.name,
        made_at: row.made_at,
        last_used_at: row.last_used_at,
        is_new: row.is_new != 0,
    });
    Ok(apps.collect())
}

/// Ends all grants of the apps that the choice names, and forgets that the user allowed them. Where the
/// change of the password ended the other sessions, it notes that the remaining apps were left in place.
/// Returns the number of apps.
///
/// # Errors
/// If the database does not answer.
pub async fn end_chosen(
    change: &mut Change,
    user_id: &str,
    choice: &Choice,
    keep_others: bool,
    reason: &'static str,
) -> Result<u32, Error> {
    let now = change.now_s();
    let apps: Vec<(String, i64)> = sqlx::query_as(
        "SELECT client_id, CAST(MAX(CASE WHEN kept_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) \
         FROM grants \
         WHERE user_id = $1 AND (revoked_at IS NULL OR revoked_reason = 'session_ended') \
         GROUP BY client_id",
    )
    .bind(user_id)
    .fetch_all(&mut **change)
    .await?;
    let mut count = 0;
    for (client_id, is_new) in apps {
        if choice.revokes(&client_id, is_new != 0) {
            sqlx::query(
                "UPDATE grants SET revoked_at = COALESCE(revoked_at, $1), revoked_reason = $2 \
                 WHERE user_id = $3 AND client_id = $4 \
                   AND (revoked_at IS NULL OR revoked_reason = 'session_ended')",
            )
            .bind(now)
            .bind(reason)
            .bind(user_id)
            .bind(&client_id)
            .execute(&mut **change)
            .await?;
            count += 1;
        }
    }
    if keep_others {
        return Ok(count);
    }
    sqlx::query(
        "UPDATE grants SET kept_at = $1 \
         WHERE user_id = $2 AND (revoked_at IS NULL OR revoked_reason = 'session_ended')",
    )
    .bind(now)
    .bind(user_id)
    .execute(&mut **change)
    .await?;
    Ok(count)
}
