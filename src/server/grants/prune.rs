//! What nobody can use any more is thrown away, so many rows at a time. What somebody could show a
//! second time is kept for as long as there is something that this ends.

use super::refresh::FAMILY_FOR_S;
use crate::server::{deployment, error::Error, state::State};

/// Rows of a table at a time: others want to write as well.
const AT_ONCE: i64 = 10_000;
/// Grants at a time, each by itself.
const GRANTS_AT_ONCE: i64 = 1_000;

/// A code that was never shown is refused by its time, whether there is a row or not.
const UNUSED_CODES: &str = "DELETE FROM authorization_codes WHERE hashed_code IN (\
        SELECT hashed_code FROM authorization_codes \
        WHERE ends_at <= $1 AND used_at IS NULL LIMIT $2)";

/// One that was shown ends, when it is shown again, what it bought: that is over a family's time
/// later. Until its session ends it also says who is to be told of that.
const USED_CODES: &str = "DELETE FROM authorization_codes WHERE hashed_code IN (\
        SELECT c.hashed_code FROM authorization_codes c \
        WHERE c.ends_at <= $1 AND NOT EXISTS (\
            SELECT 1 FROM sessions s \
            WHERE s.id = c.session_id AND s.ended_at IS NULL AND s.ends_at > $1) LIMIT $2)";

/// A family is over all at once: none of it buys anything, and no copy could.
const REFRESH_TOKENS: &str = "DELETE FROM refresh_tokens WHERE hashed_token IN (\
        SELECT hashed_token FROM refresh_tokens WHERE ends_at <= $1 LIMIT $2)";

/// What clients were told, and what they could not be told.
const NOTICES: &str = "DELETE FROM logout_notices WHERE id IN (\
        SELECT id FROM logout_notices \
        WHERE next_try_at IS NULL AND COALESCE(told_at, 0) <= $1 LIMIT $2)";

/// Grants on which nothing hangs any more: those that ended a family's time ago, and those that
/// outlive sessions and have nothing left to live for. Not those that remember consent.
const GRANTS: &str = "SELECT g.id FROM grants g \
     WHERE ((g.revoked_at <= $1 \
             AND (g.revoked_reason <> 'session_ended' OR g.consented_at IS NULL)) \
         OR (g.revoked_at IS NULL AND g.session_id IS NULL AND g.consented_at IS NULL)) \
       AND NOT EXISTS (SELECT 1 FROM authorization_codes c WHERE c.grant_id = g.id) \
       AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.grant_id = g.id) \
     LIMIT $2";

/// Throws away what is over.
///
/// # Errors
/// If the database does not answer; what is left goes the next time.
pub async fn prune(state: &State) -> Result<(), Error> {
    let now = state.clock.now_s();
    let a_family_ago = now - FAMILY_FOR_S;
    let mut tx = state.db.write().await?;
    // One node after the other: two that delete the same rows could wait for each other.
    deployment::take_turn(&mut tx).await?;
    for (delete, until) in [
        (UNUSED_CODES, now),
        (USED_CODES, a_family_ago),
        (REFRESH_TOKENS, now),
        (NOTICES, now),
    ] {
        sqlx::query(delete)
            .bind(until)
            .bind(AT_ONCE)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    let grants: Vec<(String,)> = sqlx::query_as(GRANTS)
        .bind(a_family_ago)
        .bind(GRANTS_AT_ONCE)
        .fetch_all(state.db.for_tasks())
        .await?;
    // Each by itself: whoever ends many of one person's would wait for many that are held here.
    for (id,) in grants {
        let mut tx = state.db.write().await?;
        sqlx::query("DELETE FROM grants WHERE id = $1")
            .bind(id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
    Ok(())
}
