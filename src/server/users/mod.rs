//! Users: signing up, signing in, their password, and who is signed in.
//!
//! One file a verb; `operator.rs` has the operator's commands.

mod delete;
mod operator;
mod password;
mod rekey;
mod repeated;
mod revocable;
mod set_password;
mod sign_in;
mod sign_up;

pub use delete::{Deleted, delete};
pub use operator::{Found, Listed, SignedOut, end_sessions, find, list, rename, set_disabled};
pub use password::{change_password, confirm_password};
pub use rekey::rekey;
pub use revocable::{Choice, list_revocable};
pub use set_password::{PasswordSet, set_password};
pub use sign_in::sign_in;
pub use sign_up::{add, sign_up};

use super::{
    caller::Caller,
    db::Conn,
    error::Error,
    fields::{Email, shown},
};
use crate::wire::{self, users::Viewer};

/// A request that verifies a password verifies it at most this often: again when another request
/// replaced the hash meanwhile, because a renewed hash is of the same password. After that the
/// request gets a 503.
const VERIFICATIONS_MAX: usize = 3;

/// Describes the signed-in user, if there is one. The layer has already read the row.
pub fn viewer(caller: &Caller) -> Option<Viewer> {
    caller.session.as_ref().map(|session| Viewer {
        email: shown(&session.email),
        created_at: session.user_created_at,
        session: session.seen_by_owner(),
        now: caller.state.clock.now_s(),
    })
}

/// Id of the account with this address. Where an account kept an older key, the address as it was
/// typed names that one.
pub(super) async fn id_of(connection: &mut Conn, email: &Email) -> Result<Option<String>, Error> {
    let user: Option<(String,)> = sqlx::query_as(
        "SELECT id FROM users WHERE email_key IN ($1, $2) \
         ORDER BY CASE WHEN email_key = $2 THEN 0 ELSE 1 END LIMIT 1",
    )
    .bind(email.key())
    .bind(email.key_before())
    .fetch_optional(connection)
    .await?;
    Ok(user.map(|(id,)| id))
}

/// Writes the hash to keep and returns `true`, if the verified one is still the user's and the account is
/// not disabled. The row is locked from here on, so that a change of the password waits.
async fn keep_hash(
    connection: &mut Conn,
    user_id: &str,
    verified: &str,
    kept: &str,
) -> Result<bool, Error> {
    let written = sqlx::query(
        "UPDATE users SET password_hash = $1 \
         WHERE id = $2 AND password_hash = $3 AND disabled_at IS NULL",
    )
    .bind(kept)
    .bind(user_id)
    .bind(verified)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// Error for a hash that was replaced at each verification.
fn replaced_too_often() -> Error {
    wire::Error::Busy { retry_after_s: 2 }.into()
}
