//! API keys: what people's programs show at `/v1` in place of a cookie. A key is `cloakroom_`,
//! a signed JWT and a checksum, so that most requests are answered without asking the database: the signature says
//! whose it is and what it may be used for, and memory says that nobody has stopped it.
//!
//! One file a verb: a key begins in `mint.rs`, every request passes through `check.rs`, and
//! `revoke.rs` stops it; `revoked.rs` is what every node has in memory of those, and `cutoff.rs` keeps
//! that short.

mod acknowledge;
mod check;
mod checksum;
mod cutoff;
mod list;
mod mint;
mod revocable;
mod revoke;
mod revoked;
mod token;
mod used;

pub use acknowledge::acknowledge;
pub use check::{check, require_live};
pub use list::{list, list_for};
pub use mint::mint;
pub use revocable::{list_revocable, revoke_chosen};
pub use revoke::{refuse_without_owner, revoke, revoke_all_of, revoke_made_since};
pub use revoked::{Refused, Revoked};
pub use token::Refusal;
pub use used::Used;

use super::{error::Error, jws::Jws, secret::Secret, sessions::Change};
use crate::wire::{
    self,
    api_keys::{DAYS_MAX, Scopes},
};

/// What every key begins with, so that scanners of leaked secrets find it.
pub const PREFIX: &str = "cloakroom_";
/// What keys of earlier versions begin with. They have no checksum, and work until they expire.
pub const OLD_PREFIX: &str = "ck_";
/// A regular expression by which scanners of leaked secrets find keys: the last part is a signature of
/// 43 characters and the checksum.
pub const PATTERN: &str =
    r"cloakroom_eyJ[A-Za-z0-9_-]{40,}\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}";

/// The longest life of a key, in seconds.
pub(in crate::server) const LONGEST_S: i64 = DAYS_MAX as i64 * DAY_S;
const DAY_S: i64 = 86_400;

/// What the server needs to know of keys while it runs.
pub struct Keys {
    jws: Jws,
    /// Those that are refused although their signature is right.
    pub revoked: Revoked,
}

impl Keys {
    /// With a signing key of its own, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        Ok(Self {
            jws: Jws::new(secret, token::TYPE)?,
            revoked: Revoked::default(),
        })
    }
}

/// What a key says of itself, and we have signed.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Public.
    pub id: String,
    /// Whose.
    pub user_id: String,
    /// Counts the keys of its owner; 0 for those of earlier versions.
    pub number: i64,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it expires, in Unix seconds.
    pub expires_at: i64,
}

/// Locks the row of a user, who must not be disabled: every transaction that writes keys does so first.
async fn lock_owner(change: &mut Change, user_id: &str) -> Result<(), Error> {
    let locked = sqlx::query(
        "UPDATE users SET disabled_at = disabled_at WHERE id = $1 AND disabled_at IS NULL",
    )
    .bind(user_id)
    .execute(&mut **change)
    .await?;
    if locked.rows_affected() == 0 {
        return Err(wire::Error::SignInNeeded.into());
    }
    Ok(())
}
