//! What all nodes of one deployment must agree on: the signing secret. A node with another one
//! would refuse the others' sessions and have its own refused.

use super::{
    api_keys,
    db::{COPIED_AT, Conn, Db},
    error::Error,
    nodes,
    secret::Secret,
    sessions::{self, Change},
    state::State,
};

/// The row of `deployment` that names the secret.
const SECRET: &str = "signing_secret";

/// The first node to start names the secret; whoever comes later must have it, as its newest key
/// or, while keys are being exchanged, as an older one.
///
/// # Errors
/// Says what to do if this node has another secret, or if the database is a copy that was not
/// restored.
pub async fn check(db: &Db, secret: &Secret) -> Result<(), Error> {
    let own = secret.fingerprints()?;
    let newest = own.first().ok_or(Error::Crypto("no key"))?;
    let mut tx = db.write().await?;
    sqlx::query(
        "INSERT INTO deployment (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
    )
    .bind(SECRET)
    .bind(newest)
    .execute(&mut *tx)
    .await?;
    require_named(&mut tx, &own).await?;
    let copied: Option<(String,)> = sqlx::query_as("SELECT value FROM deployment WHERE name = $1")
        .bind(COPIED_AT)
        .fetch_optional(&mut *tx)
        .await?;
    if copied.is_some() {
        return Err(Error::Config(
            "This database is a copy. Run `cloakroom restored` first: it ends every session, API key \
             and grant from before, because the copy has some that ended after it was made."
                .to_owned(),
        ));
    }
    Ok(tx.commit().await?)
}

/// Makes sure that this node has the secret that the deployment names, and answers its fingerprint.
///
/// # Errors
/// Says what to do if it has not.
pub async fn require_named(tx: &mut Conn, own: &[String]) -> Result<String, Error> {
    let (named,): (String,) = sqlx::query_as("SELECT value FROM deployment WHERE name = $1")
        .bind(SECRET)
        .fetch_one(&mut *tx)
        .await?;
    if own.contains(&named) {
        return Ok(named);
    }
    Err(Error::Config(
        "This database belongs to another signing secret. Give this node the one that the others \
         have: their data/secret.key, or CLOAKROOM_SECRET_KEY. If it is lost, run `cloakroom secret \
         adopt`: that ends every session and makes this node's the one."
            .to_owned(),
    ))
}

/// Makes this node's secret the deployment's. Sessions and API keys that another one signed could never
/// be used again, so that all of them end. Number of sessions that ended.
///
/// # Errors
/// If a node serves, or the database does not answer.
pub async fn adopt(state: &State, secret: &Secret) -> Result<u32, Error> {
    let own = secret.fingerprints()?;
    let newest = own.first().ok_or(Error::Crypto("no key"))?;
    let mut change = Change::begin(state).await?;
    take_turn(&mut change).await?;
    if !nodes::others(state, &mut change).await?.is_empty() {
        return Err(Error::Config(
            "A server is running on this database, and would go on with the secret of before. Stop every \
             server, run `cloakroom secret adopt`, and then start them; one that has just been killed counts \
             for 30 seconds on PostgreSQL."
                .to_owned(),
        ));
    }
    // It locks the users' rows, which come before those of their sessions.
    api_keys::revoke_made_until(&mut change, i64::MAX).await?;
    let ended = sessions::end_everything_in(&mut change, "ended_by_operator").await?;
    adopt_within(state, &mut change, newest).await?;
    change.commit().await?;
    Ok(ended)
}

/// Makes this secret the deployment's within a larger change. API keys of before are not good at the
/// next start, not even if their secret is found again, and nodes with another secret no longer count.
///
/// # Errors
/// If the database does not answer.
pub async fn adopt_within(state: &State, tx: &mut Conn, newest: &str) -> Result<(), Error> {
    name(tx, newest).await?;
    api_keys::begin_epoch(tx, &state.random.id()?).await?;
    sqlx::query("DELETE FROM nodes").execute(&mut *tx).await?;
    Ok(())
}

/// Has the nodes make what there is to be one of, one node after the other, until the transaction
/// ends.
///
/// # Errors
/// If the database does not answer.
pub async fn take_turn(tx: &mut Conn) -> Result<(), Error> {
    sqlx::query("UPDATE deployment SET value = value WHERE name = $1")
        .bind(SECRET)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Makes this secret the one that the deployment names.
///
/// # Errors
/// If the database does not answer.
pub async fn name(tx: &mut Conn, fingerprint: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO deployment (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(SECRET)
    .bind(fingerprint)
    .execute(&mut *tx)
    .await?;
    Ok(())
}
