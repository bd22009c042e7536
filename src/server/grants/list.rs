//! What one person has allowed, program by program.

use crate::{
    server::{caller::Caller, error::Error, oidc::scopes::Scopes, sessions::Session},
    wire::grants::{App, Apps},
};

/// The grants of one program for the same scopes.
#[derive(sqlx::FromRow)]
struct Row {
    client_id: String,
    name: String,
    scopes: String,
    first_at: i64,
    last_used_at: Option<i64>,
    outlives: i64,
}

/// What the caller has allowed and not taken back, the newest first. A program whose session has
/// ended is among them: it gets nothing just now, and is not asked about when it comes back.
///
/// # Errors
/// If the database does not answer.
pub async fn list(caller: &Caller, session: &Session) -> Result<Apps, Error> {
    let state = &caller.state;
    let now = state.clock.now_s();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT g.client_id, c.name, g.scopes, MIN(g.created_at) AS first_at, \
                MAX(g.last_used_at) AS last_used_at, \
                CAST(MAX(CASE WHEN g.session_id IS NULL AND g.revoked_at IS NULL \
                     AND EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.grant_id = g.id \
                         AND t.used_at IS NULL AND t.ends_at > $2) THEN 1 ELSE 0 END) \
                     AS BIGINT) AS outlives \
         FROM grants g JOIN clients c ON c.id = g.client_id \
         WHERE g.user_id = $1 AND (g.revoked_at IS NULL OR g.revoked_reason = 'session_ended') \
         GROUP BY g.client_id, c.name, g.scopes \
         ORDER BY MAX(g.created_at) DESC, g.client_id, g.scopes LIMIT 1000",
    )
    .bind(&session.user_id)
    .bind(now)
    .fetch_all(state.db.pool())
    .await?;
    let mut apps: Vec<App> = Vec::new();
    for row in rows {
        let at = apps.iter().position(|app| app.client_id == row.client_id);
        let at = at.unwrap_or_else(|| {
            apps.push(App {
                client_id: row.client_id.clone(),
                name: row.name.clone(),
                scopes: Vec::new(),
                first_at: row.first_at,
                last_used_at: None,
                outlives: false,
            });
            apps.len() - 1
        });
        let app = &mut apps[at];
        app.first_at = app.first_at.min(row.first_at);
        app.last_used_at = app.last_used_at.max(row.last_used_at);
        app.outlives |= row.outlives != 0;
        for scope in Scopes::parse(&row.scopes).unwrap_or_default().iter() {
            if !app.scopes.iter().any(|other| other == scope) {
                app.scopes.push(scope.to_owned());
            }
        }
    }
    Ok(Apps { apps, now })
}
