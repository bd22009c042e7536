//! A new password, set by the operator.

use super::operator::Found;
use crate::server::{
    activity::{self, Kind, NewEntry},
    api_keys,
    error::Error,
    fields::{NewPassword, shown},
    grants,
    passwords::Asker,
    sessions::{self, Change},
    state::State,
};
use crate::wire;
use std::net::Ipv4Addr;

/// Outcome of a new password by the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordSet {
    /// Sessions that ended.
    pub sessions: u32,
    /// API keys that were revoked, or that are still in place where none was.
    pub keys: u32,
    /// Apps that were disconnected, or that are still connected where none was.
    pub apps: u32,
}

/// Sets the password of an account by the rules of the form, and ends its sessions. API keys and apps
/// go `with_keys` alone. None if the account is no longer there.
///
/// # Errors
/// A field error if the password cannot be taken.
pub async fn set_password(
    state: &State,
    user: &Found,
    password: String,
    with_keys: bool,
) -> Result<Option<PasswordSet>, Error> {
    let (min, email) = (state.config.passwords.min_length, shown(&user.email));
    let read = move || NewPassword::parse(password, min, &email);
    let asker = Asker::known(Ipv4Addr::LOCALHOST.into());
    let hash = state.hasher.hash(read, asker).await?;
    let hash = hash.map_err(|problem| wire::Error::fields([("password", Some(problem))]))?;
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut apps = number(grants::list_revocable(state, &user.id).await?.len());

    let mut change = Change::begin(state).await?;
    // A copy that was noticed has been answered: every session ends.
    let written =
        sqlx::query("UPDATE users SET password_hash = $1, copied_at = NULL WHERE id = $2")
            .bind(hash)
            .bind(&user.id)
            .execute(&mut *change)
            .await?;
    if written.rows_affected() == 0 {
        return Ok(None);
    }
    let reason = "password_changed";
    let sessions = sessions::end_sessions_of(&mut change, &user.id, reason).await?;
    let mut keys = 0;
    if with_keys {
        keys = api_keys::revoke_all_of(&mut change, &user.id).await?;
        grants::end_all_of(&mut change, &user.id, reason).await?;
    }
    let entry = NewEntry {
        id: state.random.id()?,
        user_id: &user.id,
        at_ms: state.clock.now_ms(),
        kind: Kind::PasswordSet,
        session_id: None,
        how_many: sessions,
        user_agent: "",
        address: "",
    };
    activity::insert(&mut change, entry).await?;
    change.commit().await?;
    tracing::info!(
        event = "password_set",
        user = user.id,
        sessions,
        with_keys,
        "an operator set a new password"
    );
    if !with_keys {
        keys = number(api_keys::list(state, &user.id).await?.len());
        apps = number(grants::list_revocable(state, &user.id).await?.len());
    }
    Ok(Some(PasswordSet {
        sessions,
        keys,
        apps,
    }))
}
