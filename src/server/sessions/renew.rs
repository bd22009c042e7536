//! Renewal: a fresh cookie for a session in use, so that a copy of an old one is noticed.

use super::{Change, NewCookie, Session, token::Claims};
use crate::server::{error::Error, state::State};

/// The cookie that was shown is to be renewed when the handler is done.
pub struct Renewal {
    pub(super) claims: Claims,
    /// Not by the next generation but by the newest once more: its answer seems to be lost.
    pub(super) is_again: bool,
}

/// The cookie that a response is to carry, if it is to carry one. Called when the handler is
/// done: a session that it ended, or that ended meanwhile, gets none.
///
/// # Errors
/// If the database does not answer; the browser goes on with the cookie that it has.
pub async fn renew(
    state: &State,
    session: &Session,
    renewal: &Renewal,
) -> Result<Option<NewCookie>, Error> {
    let made = if renewal.is_again {
        newest(state, session).await?
    } else {
        next(state, session).await?
    };
    let Some((generation, made_at)) = made else {
        return Ok(None);
    };
    let claims = renewal.claims.renewed(generation, made_at);
    NewCookie::new(state, &claims, session.is_kept).map(Some)
}

/// One generation more, by one compare-and-set. Whoever loses that race keeps what they have.
async fn next(state: &State, session: &Session) -> Result<Option<(i64, i64)>, Error> {
    let now = state.clock.now_s();
    let mut change = Change::begin(state).await?;
    let won = sqlx::query(
        "UPDATE sessions SET generation = generation + 1, renewed_at = $1, \
            successor_seen_at = NULL \
         WHERE hashed_sid = $2 AND generation = $3 AND ended_at IS NULL",
    )
    .bind(now)
    .bind(session.hashed_sid.as_str())
    .bind(session.generation)
    .execute(&mut *change)
    .await?
    .rows_affected()
        == 1;
    // Whoever lost has read an old row, and is to read it anew.
    change.touch(&session.hashed_sid);
    change.commit().await?;
    Ok(won.then_some((session.generation + 1, now)))
}

/// The newest generation, sent a while ago and never shown; unless it has ended since.
async fn newest(state: &State, session: &Session) -> Result<Option<(i64, i64)>, Error> {
    Ok(sqlx::query_as(
        "SELECT generation, renewed_at FROM sessions \
         WHERE hashed_sid = $1 AND generation = $2 AND ended_at IS NULL",
    )
    .bind(session.hashed_sid.as_str())
    .bind(session.generation)
    .fetch_optional(state.db.pool())
    .await?)
}
