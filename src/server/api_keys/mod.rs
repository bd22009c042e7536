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
mod secrets;
mod token;
mod used;

pub use acknowledge::acknowledge;
pub use check::{check, require_live};
pub use list::{list, list_for};
pub use mint::mint;
pub use revocable::{list_revocable, revoke_chosen};
pub use revoke::{
    count_live, refuse_without_owner, revoke, revoke_all_of, revoke_made_since, revoke_made_until,
};
pub use revoked::{Refused, Revoked};
pub use secrets::{begin_epoch, end_secrets};
pub use token::Refusal;
pub use used::Used;

use super::{
    db::{Conn, Db},
    error::Error,
    jws::Jws,
    secret::Secret,
    sessions::Change,
};
use crate::wire::{
    self,
    api_keys::{DAYS_MAX, Scopes},
};
use secrets::Secrets;

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
    secrets: Secrets,
    /// Those that are refused although their signature is right.
    pub revoked: Revoked,
}

impl Keys {
    /// With signing keys of its own, from the deployment's secret and from the database, at this time in
    /// Unix seconds.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn load(db: &Db, secret: &Secret, now: i64) -> Result<Self, Error> {
        let (jws, secrets) = Secrets::load(db, secret, now).await?;
        Ok(Self {
            jws,
            secrets,
            revoked: Revoked::default(),
        })
    }

    /// Closes the signing keys with the newest secret, so that dropping an older one ends no API key.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn close_anew(&self, tx: &mut Conn) -> Result<(), Error> {
        self.secrets.close_anew(tx).await
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
