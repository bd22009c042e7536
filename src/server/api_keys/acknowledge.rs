//! The end of showing a new key.

use crate::{
    server::{error::Error, random::is_id, state::State},
    wire,
};

/// Stops showing a key of this user, by its public id: its owner has confirmed that they have it.
///
/// # Errors
/// [`wire::Error::NotFound`] for an id that is not one of theirs.
pub async fn acknowledge(state: &State, user_id: &str, id: &str) -> Result<(), Error> {
    if !is_id(id) {
        return Err(wire::Error::NotFound.into());
    }
    let mut tx = state.db.write().await?;
    let known = sqlx::query("UPDATE api_keys SET shown_in = NULL WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(user_id)
        .execute(&mut *tx)
        .await?
        .rows_affected();
    tx.commit().await?;
    Ok((known > 0).then_some(()).ok_or(wire::Error::NotFound)?)
}
