//! Commands of the operator for accounts that exist.

use super::id_of;
use crate::{
    server::{
        api_keys,
        error::Error,
        fields::Email,
        sessions::{self, Change},
        state::State,
    },
    wire::{self, Problem},
};

/// Disables an account, or enables it again: the operator's way. Disabling ends all
/// their sessions, and revokes their keys, in the same transaction (ASVS 7.4.2). How many ended; none if there is no such
/// account.
///
/// # Errors
/// If the database does not answer.
pub async fn set_disabled(
    state: &State,
    email: &Email,
    is_disabled: bool,
) -> Result<Option<u32>, Error> {
    let mut change = Change::begin(state).await?;
    let disabled_at = is_disabled.then(|| change.now_s());
    let Some(user_id) = id_of(&mut change, email).await? else {
        return Ok(None);
    };
    sqlx::query("UPDATE users SET disabled_at = $1 WHERE id = $2")
        .bind(disabled_at)
        .bind(&user_id)
        .execute(&mut *change)
        .await?;
    let (mut ended, mut revoked) = (0, 0);
    if is_disabled {
        ended = sessions::end_all_of(&mut change, &user_id, "disabled").await?;
        revoked = api_keys::revoke_all_of(&mut change, &user_id).await?;
    }
    change.commit().await?;
    if is_disabled {
        tracing::info!(event = "account_disabled", user = user_id, ended, revoked);
    } else {
        tracing::info!(event = "account_enabled", user = user_id);
    }
    Ok(Some(ended))
}

/// Sessions and API keys of an account after the operator has signed it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedOut {
    /// Sessions that ended.
    pub sessions: u32,
    /// API keys that were revoked.
    pub revoked_keys: u32,
    /// API keys that still work.
    pub live_keys: usize,
}

/// Ends all sessions of an account: the operator's way (ASVS 7.4.5), which also disconnects all apps, and
/// revokes all API keys if `with_keys`. None if there is no such account.
///
/// # Errors
/// If the database does not answer.
pub async fn end_sessions(
    state: &State,
    email: &Email,
    with_keys: bool,
) -> Result<Option<SignedOut>, Error> {
    let mut change = Change::begin(state).await?;
    let Some(user_id) = id_of(&mut change, email).await? else {
        return Ok(None);
    };
    // A sign-in of this moment commits first, and is among them, or waits.
    sqlx::query("UPDATE users SET email = email WHERE id = $1")
        .bind(&user_id)
        .execute(&mut *change)
        .await?;
    let sessions = sessions::end_all_of(&mut change, &user_id, "ended_by_operator").await?;
    let revoked_keys = if with_keys {
        api_keys::revoke_all_of(&mut change, &user_id).await?
    } else {
        0
    };
    change.commit().await?;
    tracing::info!(
        event = "account_signed_out",
        user = user_id,
        sessions,
        revoked_keys
    );
    let live_keys = api_keys::list(state, &user_id).await?.len();
    Ok(Some(SignedOut {
        sessions,
        revoked_keys,
        live_keys,
    }))
}

/// Gives an account another address, and ends its sessions, which know it by the one before. How
/// many ended; none if there is no account with this id.
///
/// # Errors
/// A field error if another account has the address.
pub async fn rename(state: &State, id: &str, email: &Email) -> Result<Option<u32>, Error> {
    let mut change = Change::begin(state).await?;
    let holder: Option<(String,)> =
        sqlx::query_as("SELECT id FROM users WHERE email_key = $1 AND id <> $2")
            .bind(email.key())
            .bind(id)
            .fetch_optional(&mut *change)
            .await?;
    if holder.is_some() {
        return Err(wire::Error::fields([("email", Some(Problem::Taken))]).into());
    }
    let renamed =
        sqlx::query("UPDATE users SET email = $1, email_key = $2, has_old_key = 0 WHERE id = $3")
            .bind(email.to_string())
            .bind(email.key())
            .bind(id)
            .execute(&mut *change)
            .await?;
    if renamed.rows_affected() == 0 {
        return Ok(None);
    }
    let ended = sessions::end_all_of(&mut change, id, "ended_by_operator").await?;
    change.commit().await?;
    tracing::info!(event = "account_renamed", user = id, ended);
    Ok(Some(ended))
}

/// An account that an operator names.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    /// Id.
    pub id: String,
    /// Its address.
    pub email: String,
}

/// Finds the account with this address, or the one with this id.
///
/// # Errors
/// If the database does not answer.
pub async fn find(state: &State, named: Result<&Email, &str>) -> Result<Option<Found>, Error> {
    let mut connection = state.db.pool().acquire().await?;
    let id = match named {
        Ok(email) => id_of(&mut connection, email).await?,
        Err(id) => Some(id.to_owned()),
    };
    let found = sqlx::query_as("SELECT id, email FROM users WHERE id = $1")
        .bind(id.unwrap_or_default())
        .fetch_optional(&mut connection);
    Ok(found.await?)
}

/// An account in the operator's list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// Id.
    pub id: String,
    /// Its address.
    pub email: String,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// Since when it is disabled, in Unix seconds.
    pub disabled_at: Option<i64>,
    /// Its place in the list.
    pub email_key: String,
}

/// All accounts by address, 500 at a time. The next page comes `after` the last key of this one.
///
/// # Errors
/// If the database does not answer.
pub async fn list(state: &State, after: &str) -> Result<Vec<Listed>, Error> {
    Ok(sqlx::query_as(
        "SELECT id, email, created_at, disabled_at, email_key FROM users WHERE email_key > $1 \
         ORDER BY email_key LIMIT 500",
    )
    .bind(after)
    .fetch_all(state.db.pool())
    .await?)
}
