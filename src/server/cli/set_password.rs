//! `cloakroom user set-password`.

use super::{
    explain::explain,
    password,
    print::{count, print},
    user::Account,
};
use crate::server::{error::Error, fields::shown, state::State, users};

/// Reads a new password for an account, and sets it.
///
/// # Errors
/// If there is no such account, or the password cannot be taken.
pub async fn set_password(state: &State, account: &Account, with_keys: bool) -> Result<(), Error> {
    let found = account.find(state).await?;
    let password = password::read_new().await?;
    let set = users::set_password(state, &found, password, with_keys).await;
    let done = set.map_err(|error| explain(error, &shown(&found.email)))?;
    let done = done.ok_or_else(|| account.missing())?;
    let ended = format!("{} ended", count(done.sessions, "session"));
    let (keys, apps) = (count(done.keys, "API key"), count(done.apps, "app"));
    let lines = if with_keys {
        vec![format!("{ended}, {keys} revoked, {apps} disconnected")]
    } else if done.keys + done.apps > 0 {
        let left = format!("still in place: {keys}, {apps}; --keys revokes and disconnects them");
        vec![ended, left]
    } else {
        vec![ended]
    };
    print(&lines)
}
