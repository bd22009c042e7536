//! What all nodes of one deployment must agree on: the signing secret. A node with another one
//! would refuse the others' sessions and have its own refused.

use super::{db::Db, error::Error, secret::Secret, sessions, state::State};

/// The row of `deployment` that names the secret.
const SECRET: &str = "signing_secret";

/// The first node to start names the secret; whoever comes later must have it, as its newest key
/// or, while keys are being exchanged, as an older one.
///
/// # Errors
/// Says what to do if this node has another secret.
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
    let (named,): (String,) = sqlx::query_as("SELECT value FROM deployment WHERE name = $1")
        .bind(SECRET)
        .fetch_one(&mut *tx)
        .await?;
    if !own.contains(&named) {
        return Err(Error::Config(
            "This database belongs to another signing secret. Give this node the one that the \
             others have: their data/secret.key, or CLOAKROOM_SECRET_KEY. If it is lost, run \
             `cloakroom secret adopt`: that ends every session and makes this node's the one."
                .to_owned(),
        ));
    }
    name(&mut tx, newest).await?;
    Ok(tx.commit().await?)
}

/// Makes this node's secret the deployment's. Sessions that another one signed could never be
/// used again, so that all of them end. How many did.
///
/// # Errors
/// If the database does not answer.
pub async fn adopt(state: &State, secret: &Secret) -> Result<u32, Error> {
    let own = secret.fingerprints()?;
    let newest = own.first().ok_or(Error::Crypto("no key"))?;
    let ended = sessions::end_everything(state).await?;
    let mut tx = state.db.write().await?;
    name(&mut tx, newest).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Has the nodes make what there is to be one of, one node after the other, until the transaction
/// ends.
///
/// # Errors
/// If the database does not answer.
pub async fn take_turn(tx: &mut super::db::Tx) -> Result<(), Error> {
    sqlx::query("UPDATE deployment SET value = value WHERE name = $1")
        .bind(SECRET)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn name(tx: &mut super::db::Tx, fingerprint: &str) -> Result<(), Error> {
    sqlx::query("UPDATE deployment SET value = $1 WHERE name = $2 AND value <> $1")
        .bind(fingerprint)
        .bind(SECRET)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
