//! What nobody can use any more is thrown away, so many rows at a time. What somebody could show a
//! second time is kept for as long as there is something that this ends.

use super::{deployment, error::Error, grants::FAMILY_FOR_S, state::State};

/// Rows of a table at a time: others want to write as well.
const AT_ONCE: i64 = 1_000;
/// How much longer than needed used assertions and refresh tokens are kept, in seconds: a clock that is
/// ahead by less than this throws away nothing that still counts when it is set right. Revoked access
/// tokens, which are few, are kept for as long as a family of refresh tokens.
const AHEAD_MAX_S: i64 = 86_400;
/// Grants at a time, each by itself.
const GRANTS_AT_ONCE: i64 = 1_000;

/// An assertion after its end is refused by its time, whether there is a note of its use or not.
const USED_ASSERTIONS: &str = "DELETE FROM used_assertions WHERE id IN (\
        SELECT id FROM used_assertions WHERE ends_at < $1 LIMIT $2)";

/// And so is an access token after its own.
const REVOKED_TOKENS: &str = "DELETE FROM revoked_tokens WHERE jti IN (\
        SELECT jti FROM revoked_tokens WHERE ends_at <= $1 LIMIT $2)";

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
    let mut failed = Ok(());
    for (delete, until) in [
        (USED_ASSERTIONS, now - AHEAD_MAX_S),
        (REVOKED_TOKENS, a_family_ago),
        (UNUSED_CODES, now),
        (USED_CODES, a_family_ago),
        (REFRESH_TOKENS, now - AHEAD_MAX_S),
        (NOTICES, now),
    ] {
        loop {
            match delete_some(state, delete, until).await {
                Ok(AT_ONCE) => {}
                Ok(_) => break,
                // The other tables go on.
                Err(error) => {
                    failed = Err(error);
                    break;
                }
            }
        }
    }
    failed?;
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

/// As much of a table as goes at a time. How many rows that were.
async fn delete_some(state: &State, delete: &'static str, until: i64) -> Result<i64, Error> {
    let mut tx = state.db.write().await?;
    // One node after the other: two that delete the same rows could wait for each other.
    deployment::take_turn(&mut tx).await?;
    let deleted = sqlx::query(delete)
        .bind(until)
        .bind(AT_ONCE)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(i64::try_from(deleted.rows_affected()).unwrap_or(AT_ONCE))
}
