//! A database that was restored from a copy. The copy has sessions, API keys, grants and signing keys
//! that ended after it was made, and lacks those that were made since. None of them is to be good.

use super::{
    api_keys,
    db::COPIED_AT,
    deployment,
    error::Error,
    nodes,
    secret::Secret,
    sessions::{self, Change},
    signing_keys,
    state::State,
};

/// What ended.
pub struct Ended {
    /// Sessions.
    pub sessions: u32,
    /// API keys that could still be used.
    pub api_keys: u32,
    /// Grants of apps.
    pub grants: i64,
}

/// Ends every session, API key, grant and token from before, and takes this process's secret as the
/// deployment's. No node may serve meanwhile: it would go on with what it has in memory.
///
/// # Errors
/// If a node serves, or the database does not answer; then nothing has ended.
pub async fn end_everything(state: &State, secret: &Secret) -> Result<Ended, Error> {
    let own = secret.fingerprints()?;
    let newest = own.first().ok_or(Error::Crypto("no key"))?;
    let mut change = Change::begin(state).await?;
    deployment::take_turn(&mut change).await?;
    if !nodes::others(state, &mut change).await?.is_empty() {
        return Err(Error::Config(
            "A server is running on this database. Stop every server, restore the copy, run \
             `cloakroom restored`, and then start them; one that has just been killed counts for 30 \
             seconds on PostgreSQL."
                .to_owned(),
        ));
    }
    let (grants,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL")
        .fetch_one(&mut *change)
        .await?;
    let api_keys = api_keys::revoke_made_until(&mut change, i64::MAX).await?;
    let sessions = sessions::end_everything_in(&mut change, "restored").await?;
    // Keys made after the copy have no row that could be revoked; the epoch refuses them.
    deployment::adopt_within(state, &mut change, newest).await?;
    let now = change.now_s();
    // One that was exchanged as compromised since is in the copy, and so are its tokens.
    signing_keys::retire_all(&mut change, now).await?;
    sqlx::query("DELETE FROM deployment WHERE name = $1")
        .bind(COPIED_AT)
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    tracing::info!(event = "restored", sessions, api_keys, grants);
    Ok(Ended {
        sessions,
        api_keys,
        grants,
    })
}
