//! Renewal: a fresh cookie for a session in use, so that a copy of an old one is noticed.

use super::{Change, NewCookie, Session, generations::Generations, token::Claims};
use crate::{
    server::{error::Error, state::State},
    wire,
};
use std::time::Duration;
use tokio::time::timeout;

/// A renewal that cannot be written within this time is left for the next request: the click does not
/// wait for it.
const WRITTEN_WITHIN: Duration = Duration::from_millis(200);

/// A renewal to make when the handler is done.
pub struct Renewal {
    pub(super) claims: Claims,
    /// Why.
    pub need: RenewalNeed,
}

/// Why a cookie is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalNeed {
    /// It is old enough.
    Due,
    /// The response that carried a newer one seems to be lost.
    Lost,
}

/// Makes the cookie that a response is to carry: one generation more, by one compare-and-set. `None`
/// if another request was first, or if the session has ended meanwhile: the browser keeps the cookie
/// that it has.
///
/// # Errors
/// If the database does not answer; the browser keeps the cookie that it has.
pub async fn renew(
    state: &State,
    session: &Session,
    renewal: &Renewal,
) -> Result<Option<NewCookie>, Error> {
    let now = state.clock.now_s();
    let next = session.generations.renewed(now);
    // Only what precedes the commit is given up: a commit that goes on without its request would make
    // a generation that no response carries.
    let prepared = timeout(WRITTEN_WITHIN, prepare(state, session, next)).await;
    let (change, won) = prepared.map_err(|_| wire::Error::Busy { retry_after_s: 1 })??;
    change.commit().await?;
    if !won || !is_live(state, session).await {
        return Ok(None);
    }
    let claims = renewal.claims.renewed(next.newest, now, session.ends_at);
    NewCookie::new(state, &claims, session.is_kept).map(Some)
}

/// Whether the session still has the sid that was renewed. Another request may have ended it since the
/// commit, or given it a new sid: the browser has the cookie of that request, or none, and a late one
/// would take its place.
async fn is_live(state: &State, session: &Session) -> bool {
    let found = sqlx::query("SELECT id FROM sessions WHERE hashed_sid = $1 AND ended_at IS NULL")
        .bind(session.hashed_sid.as_str())
        .fetch_optional(state.db.pool());
    // Without an answer in time the row counts as it was committed.
    !matches!(timeout(WRITTEN_WITHIN, found).await, Ok(Ok(None)))
}

/// Writes the next generation, if no other request was first.
async fn prepare(
    state: &State,
    session: &Session,
    next: Generations,
) -> Result<(Change, bool), Error> {
    let before = session.generations;
    let mut change = Change::begin(state).await?;
    let won = sqlx::query(
        "UPDATE sessions SET generation = $1, renewed_at = $2, seen_generation = $3, \
            successor_seen_at = NULL \
         WHERE hashed_sid = $4 AND generation = $5 AND COALESCE(successor_seen_at, 0) = $6 \
           AND ended_at IS NULL",
    )
    .bind(next.newest)
    .bind(next.newest_made_at)
    .bind(next.seen_before)
    .bind(session.hashed_sid.as_str())
    .bind(before.newest)
    .bind(before.newest_seen_at.unwrap_or(0))
    .execute(&mut *change)
    .await?
    .rows_affected()
        == 1;
    // A request that lost has read an old row, and has to read it anew.
    change.touch(&session.hashed_sid);
    Ok((change, won))
}
