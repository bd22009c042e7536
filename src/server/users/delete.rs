//! The end of an account.

use crate::server::{
    api_keys,
    error::Error,
    sessions::{self, Change},
    state::State,
};

/// Outcome of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Sessions.
    pub sessions: u32,
    /// API keys.
    pub keys: u32,
}

/// Statements that delete what belongs to a user, in the order of their references.
const DELETIONS: [&str; 7] = [
    "DELETE FROM authorization_codes WHERE grant_id IN (SELECT id FROM grants WHERE user_id = $1)",
    "DELETE FROM refresh_tokens WHERE grant_id IN (SELECT id FROM grants WHERE user_id = $1)",
    "DELETE FROM grants WHERE user_id = $1",
    "DELETE FROM api_keys WHERE user_id = $1",
    "DELETE FROM activity WHERE user_id = $1",
    "DELETE FROM sessions WHERE user_id = $1",
    "DELETE FROM users WHERE id = $1",
];

/// Deletes an account and all that belongs to it. Its sessions end first, so that every node forgets them
/// and OAuth clients are notified. None if there is no such account.
///
/// # Errors
/// If the database does not answer; then nothing is deleted.
pub async fn delete(state: &State, user_id: &str) -> Result<Option<Deleted>, Error> {
    let mut change = Change::begin(state).await?;
    // A sign-in of this moment commits first, and is deleted as well, or finds no account.
    let locked = sqlx::query("UPDATE users SET email = email WHERE id = $1")
        .bind(user_id)
        .execute(&mut *change)
        .await?;
    if locked.rows_affected() == 0 {
        return Ok(None);
    }
    let sessions = sessions::end_all_of(&mut change, user_id, "account_deleted").await?;
    let keys = api_keys::revoke_all_of(&mut change, user_id).await?;
    api_keys::refuse_without_owner(&mut change, user_id).await?;
    for deletion in DELETIONS {
        sqlx::query(deletion)
            .bind(user_id)
            .execute(&mut *change)
            .await?;
    }
    change.commit().await?;
    tracing::info!(event = "account_deleted", user = user_id, sessions, keys);
    Ok(Some(Deleted { sessions, keys }))
}
