//! The keys of one person, as a list.

use crate::{
    server::{error::Error, state::State},
    wire::api_keys::{ApiKey, ApiKeys, Scope},
};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    label: String,
    shown_as: String,
    scopes: String,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
}

/// The keys of this user that can be used, the newest first.
///
/// # Errors
/// If the database does not answer.
pub async fn list(state: &State, user_id: &str) -> Result<ApiKeys, Error> {
    let now = state.clock.now_s();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, label, shown_as, scopes, created_at, expires_at, last_used_at FROM api_keys \
         WHERE user_id = $1 AND expires_at > $2 AND revoked_at IS NULL \
         ORDER BY created_at DESC, id LIMIT 1000",
    )
    .bind(user_id)
    .bind(now)
    .fetch_all(state.db.pool())
    .await?;
    let keys = rows
        .into_iter()
        .map(|row| ApiKey {
            // What this node has seen and not yet written counts as well.
            last_used_at: state.later.keys.at(&row.id).max(row.last_used_at),
            id: row.id,
            label: row.label,
            shown_as: row.shown_as,
            scopes: row.scopes.split(' ').filter_map(Scope::from_code).collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
        .collect();
    Ok(ApiKeys { keys, now })
}
