//! The check, at every request with a key: signature, times, and whether it has been revoked.

use super::{ApiKey, Refusal};
use crate::{
    server::{error::Error, sessions::Change, state::State},
    wire,
};
use sqlx::{Any, Executor};

/// What a key that is shown says, if it is good: signed by us, not expired, not revoked; else why it
/// is not. Asks no database while this node hears of revocations, and each time while it does not
/// (promise 3).
///
/// # Errors
/// If the database has to be asked, and does not answer: then no one is let in.
pub async fn check(state: &State, shown: &str) -> Result<Result<ApiKey, Refusal>, Error> {
    let now = state.clock.now_s();
    let key = match state.api_keys.read(shown, now) {
        Ok(key) => key,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let is_refused = match is_listed(state, &key, now).await? {
        Some(is_listed) => is_listed,
        None => !is_live(state.db.pool(), &key).await?,
    };
    if is_refused {
        return Ok(Err(Refusal::Revoked));
    }
    state.later.keys.note(&key.id, now);
    Ok(Ok(key))
}

/// Whether the list in memory refuses this key; `None` if the list cannot be believed.
async fn is_listed(state: &State, key: &ApiKey, now: i64) -> Result<Option<bool>, Error> {
    if !state.hearing.knows_revoked_keys(state).await? {
        return Ok(None);
    }
    let revoked = &state.api_keys.revoked;
    if let Some(is_listed) = revoked.refuses(key, now) {
        return Ok(Some(is_listed));
    }
    // The clock was far ahead when the list was made, and has been set back.
    revoked.load(state).await?;
    Ok(revoked.refuses(key, now))
}

/// Makes sure that a key that changes something has not been revoked since it was checked.
///
/// # Errors
/// [`wire::Error::SignInNeeded`] if it has.
pub async fn require_live(change: &mut Change, key: &ApiKey) -> Result<(), Error> {
    let is_live = is_live(&mut **change, key).await?;
    Ok(is_live.then_some(()).ok_or(wire::Error::SignInNeeded)?)
}

async fn is_live<'a>(
    executor: impl Executor<'a, Database = Any>,
    key: &ApiKey,
) -> Result<bool, Error> {
    let live: Option<(String,)> = sqlx::query_as(
        "SELECT k.id FROM api_keys k JOIN users u ON u.id = k.user_id \
         WHERE k.id = $1 AND k.user_id = $2 AND k.revoked_at IS NULL AND u.disabled_at IS NULL",
    )
    .bind(&key.id)
    .bind(&key.user_id)
    .fetch_optional(executor)
    .await?;
    Ok(live.is_some())
}
