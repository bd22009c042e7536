//! The keys that sign API keys: one of each signing secret.
//!
//! API keys live for up to a year, longer than a signing secret should. So the key of a secret that has
//! signed is in the database, closed with the newest secret, and goes on verifying when its own secret is
//! dropped. After a copy of the database was restored, an epoch gives every secret another key.

use super::{LONGEST_S, token::TYPE};
use crate::server::{
    db::{Conn, Db},
    error::Error,
    jws::Jws,
    secret::{DerivedKey, Seal, Secret},
};

/// The row of `deployment` that has the epoch.
const EPOCH: &str = "api_keys_epoch";

/// Closes the keys for the database.
pub struct Secrets {
    seal: Seal,
    /// Those of the secrets that this process has, by fingerprint.
    own: Vec<(String, DerivedKey)>,
    /// The epoch of these keys.
    epoch: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    last_signed_at: i64,
    api_key_secret: String,
    api_keys_ended_at: Option<i64>,
}

const ROWS: &str = "SELECT id, last_signed_at, api_key_secret, api_keys_ended_at FROM secrets \
                    ORDER BY last_signed_at DESC, id";

impl Secrets {
    /// Makes what signs and verifies API keys, from the secrets that this process has and from the
    /// database, at this time in Unix seconds.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(super) async fn load(db: &Db, secret: &Secret, now: i64) -> Result<(Jws, Self), Error> {
        let mut connection = db.pool().acquire().await?;
        let epoch = epoch(&mut connection).await?;
        let rows: Vec<Row> = sqlx::query_as(ROWS).fetch_all(&mut connection).await?;
        let derived = || secret.derive_in(TYPE, &epoch);
        let fingerprints = secret.fingerprints()?;
        let seal = Seal::new(secret, "api key secrets")?;
        let has_ended = |id: &String| {
            rows.iter()
                .any(|row| row.id == *id && row.api_keys_ended_at.is_some())
        };
        let mut keys: Vec<DerivedKey> = fingerprints
            .iter()
            .zip(derived()?)
            .filter(|(id, _)| !has_ended(id))
            .map(|(_, key)| key)
            .collect();
        for row in &rows {
            let is_own = fingerprints.contains(&row.id);
            // No API key of it is left.
            let is_over = row.last_signed_at.saturating_add(2 * LONGEST_S) <= now;
            if !is_own && !is_over && row.api_keys_ended_at.is_none() {
                keys.extend(row.open(&seal));
            }
        }
        let own = fingerprints.into_iter().zip(derived()?).collect();
        Ok((Jws::of(keys, TYPE), Self { seal, own, epoch }))
    }

    /// Puts the keys of secrets that have signed into the database, and closes with the newest secret
    /// those that an older one closed.
    ///
    /// # Errors
    /// If the epoch is another by now, or the database does not answer.
    pub(super) async fn close_anew(&self, tx: &mut Conn) -> Result<(), Error> {
        if epoch(&mut *tx).await? != self.epoch {
            return Err(Error::Config(
                "A command ended all API keys (`secret adopt` or `restored`): start this node anew.".to_owned(),
            ));
        }
        let rows: Vec<Row> = sqlx::query_as(ROWS).fetch_all(&mut *tx).await?;
        for row in rows.iter().filter(|row| row.api_keys_ended_at.is_none()) {
            let own = self.own.iter().find(|(id, _)| *id == row.id);
            let closed = match own {
                Some((_, key)) if row.api_key_secret.is_empty() => {
                    Some(self.seal.close(key.bytes.to_vec(), &context(&row.id))?)
                }
                _ => self.seal.renew(&row.api_key_secret, &context(&row.id))?,
            };
            let Some(closed) = closed else {
                continue;
            };
            sqlx::query("UPDATE secrets SET api_key_secret = $1 WHERE id = $2")
                .bind(closed)
                .bind(&row.id)
                .execute(&mut *tx)
                .await?;
        }
        Ok(())
    }
}

impl Row {
    fn open(&self, seal: &Seal) -> Option<DerivedKey> {
        let bytes = seal.open(&self.api_key_secret, &context(&self.id))?;
        bytes.try_into().ok().map(DerivedKey::new)
    }
}

async fn epoch(connection: &mut Conn) -> Result<String, Error> {
    let epoch: Option<(String,)> = sqlx::query_as("SELECT value FROM deployment WHERE name = $1")
        .bind(EPOCH)
        .fetch_optional(connection)
        .await?;
    Ok(epoch.map(|(epoch,)| epoch).unwrap_or_default())
}

/// A closed key opens in its own row only.
fn context(id: &str) -> String {
    format!("secret {id}")
}

/// Ends the key of each of these secrets, by fingerprint: it verifies nothing at the next start.
///
/// # Errors
/// If the database does not answer.
pub async fn end_secrets(tx: &mut Conn, ids: &[String], now: i64) -> Result<(), Error> {
    for id in ids {
        sqlx::query(
            "UPDATE secrets SET api_keys_ended_at = $1, api_key_secret = '' \
             WHERE id = $2 AND api_keys_ended_at IS NULL",
        )
        .bind(now)
        .bind(id)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Begins a new epoch: no API key that was signed before is good at the next start, whether or not the
/// database has its row.
///
/// # Errors
/// If the database does not answer.
pub async fn begin_epoch(tx: &mut Conn, epoch: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO deployment (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(EPOCH)
    .bind(epoch)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE secrets SET api_key_secret = '', api_keys_ended_at = NULL, dropped_at = NULL",
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}
