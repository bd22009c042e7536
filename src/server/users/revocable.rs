//! API keys and apps, which act for the user without the password: a change of it revokes them.

use crate::{
    server::{api_keys, caller::Caller, error::Error, grants, sessions::Change, sessions::Session},
    wire::users::Revocables,
};
use std::collections::HashSet;

/// Most keys, and most apps, that the form lists.
const LISTED_MAX: usize = 50;

/// Choice of the user in the form that changes the password.
pub struct Choice {
    listed: HashSet<String>,
    revoked: HashSet<String>,
    with_others: bool,
}

impl Choice {
    /// Reads the ids that the form listed and those of the ticked boxes, separated by spaces, and whether
    /// the box of all others is ticked. Ids of other users, and unknown ones, name nothing.
    pub fn read(listed: Option<&str>, revoked: Option<&str>, with_others: bool) -> Self {
        let ids = |text: Option<&str>| -> HashSet<String> {
            let ids = text.unwrap_or_default().split_ascii_whitespace();
            ids.map(str::to_owned).collect()
        };
        Self {
            listed: ids(listed),
            revoked: ids(revoked),
            with_others,
        }
    }

    /// Whether a key or app is to be revoked. One that the form did not list may be an attacker's, made
    /// after the form was loaded: it goes, unless an earlier change of the password left it in place.
    pub fn revokes(&self, id: &str, is_new: bool) -> bool {
        self.revoked.contains(id) || (!self.listed.contains(id) && (is_new || self.with_others))
    }
}

/// Lists the keys and apps of this session's user that a change of the password can revoke, those that no
/// earlier change left in place first.
///
/// # Errors
/// If the database does not answer.
pub async fn list_revocable(caller: &Caller, session: &Session) -> Result<Revocables, Error> {
    let state = &caller.state;
    let mut keys = api_keys::list_revocable(state, &session.user_id).await?;
    let mut apps = grants::list_revocable(state, &session.user_id).await?;
    let more = |count: usize| count.saturating_sub(LISTED_MAX);
    let more = more(keys.len()) + more(apps.len());
    keys.truncate(LISTED_MAX);
    apps.truncate(LISTED_MAX);
    keys.append(&mut apps);
    Ok(Revocables {
        listed: keys,
        more: u32::try_from(more).unwrap_or(u32::MAX),
        now: state.clock.now_s(),
    })
}

/// Revokes keys and apps by this choice within the change of the password. Unless that keeps the other
/// sessions, it notes that it left the remaining keys and apps in place. The numbers of keys and of apps.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke_chosen(
    change: &mut Change,
    user_id: &str,
    choice: &Choice,
    keep_others: bool,
) -> Result<(u32, u32), Error> {
    let keys = api_keys::revoke_chosen(change, user_id, choice, keep_others).await?;
    let reason = "password_changed";
    let apps = grants::end_chosen(change, user_id, choice, keep_others, reason).await?;
    Ok((keys, apps))
}
