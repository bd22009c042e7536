//! How a key follows another: by itself when it is old, and at an operator's word.

use super::{Algorithm, LONGEST_TOKEN_S, Row, SigningKey};
use crate::server::{
    db::{Conn, Tx},
    deployment,
    error::Error,
    sessions::commit_change,
    state::State,
};

/// Why a key is followed by another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It is old: the new one is published first, and what the old one signed is good until it
    /// ends.
    Usual,
    /// Somebody else may have it: it is gone at once, with all that it signed.
    Compromised,
}

/// Nodes' clocks differ by less, in seconds. A key from further in the future is of a clock that was
/// ahead: it would not come of age for as long as that clock was ahead.
const AHEAD_MAX_S: i64 = 86_400;

/// Whether some key that signs has come of age at this time, in Unix seconds.
pub(super) fn is_due(state: &State, keys: &[SigningKey], now: i64) -> bool {
    due(state, keys, now).next().is_some()
}

fn due<'a>(
    state: &State,
    keys: &'a [SigningKey],
    now: i64,
) -> impl Iterator<Item = Algorithm> + use<'a> {
    let age = i64::from(state.config.oidc.rotate_keys_after_days) * 86_400;
    keys.iter()
        .filter(move |key| {
            let is_of_age = key.created_at.saturating_add(age) <= now;
            let is_of_future = key.created_at > now + AHEAD_MAX_S;
            key.retires_at.is_none() && (is_of_age || is_of_future)
        })
        .map(|key| key.algorithm)
}

/// Rotates each of these that has come of age, unless another node was first.
pub(super) async fn rotate_what_is_due(state: &State, keys: &[SigningKey]) -> Result<(), Error> {
    for algorithm in due(state, keys, state.clock.now_s()) {
        let new = New::make(state, algorithm).await?;
        let (tx, keys) = turn(state, algorithm).await?;
        let now = state.clock.now_s();
        if due(state, &keys, now).next().is_some() {
            new.put(state, tx, &keys, Rotation::Usual).await?;
        }
    }
    Ok(())
}

/// Makes the first key of an algorithm, unless there is one.
///
/// # Errors
/// If it cannot be made, or the database does not answer.
pub async fn prepare(state: &State, algorithm: Algorithm) -> Result<(), Error> {
    let keys = super::all(state).await?;
    if keys.iter().any(|key| key.algorithm == algorithm) {
        return Ok(());
    }
    let new = New::make(state, algorithm).await?;
    let (tx, keys) = turn(state, algorithm).await?;
    if keys.is_empty() {
        new.put(state, tx, &keys, Rotation::Usual).await?;
    }
    Ok(())
}

/// Follows the key of an algorithm by a new one: the `kid` of that.
///
/// # Errors
/// If it cannot be made, or the database does not answer.
pub async fn rotate(
    state: &State,
    algorithm: Algorithm,
    rotation: Rotation,
) -> Result<String, Error> {
    let new = New::make(state, algorithm).await?;
    let (tx, keys) = turn(state, algorithm).await?;
    new.put(state, tx, &keys, rotation).await
}

/// Retires every key at once, with all that they signed; the next start makes new ones.
///
/// # Errors
/// If the database does not answer.
pub async fn retire_all(tx: &mut Conn, now: i64) -> Result<(), Error> {
    sqlx::query(
        "UPDATE signing_keys SET sealed = '', \
            retires_at = CASE WHEN retires_at < $1 THEN retires_at ELSE $1 END",
    )
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// A transaction in which no other node makes a key, and the keys that there are.
async fn turn(state: &State, algorithm: Algorithm) -> Result<(Tx, Vec<SigningKey>), Error> {
    let mut tx = state.db.write().await?;
    deployment::take_turn(&mut tx).await?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, algorithm, sealed, created_at, signs_from, retires_at FROM signing_keys \
         WHERE algorithm = $1 AND (retires_at IS NULL OR retires_at > $2)",
    )
    .bind(algorithm.name())
    .bind(state.clock.now_s())
    .fetch_all(&mut *tx)
    .await?;
    let seal = &state.signing_keys.seal;
    let opened = rows
        .into_iter()
        .filter_map(|row| SigningKey::open(row, seal));
    Ok((tx, opened.collect()))
}

/// A key that is in no row yet.
struct New {
    id: String,
    algorithm: Algorithm,
    sealed: String,
}

impl New {
    /// Outside of any transaction, and on a thread where it keeps nobody waiting.
    async fn make(state: &State, algorithm: Algorithm) -> Result<Self, Error> {
        let id = state.random.id()?;
        let state = state.clone();
        let making = tokio::task::spawn_blocking(move || {
            let sealed = SigningKey::make(algorithm, &id, &state.signing_keys.seal)?;
            Ok(Self {
                id,
                algorithm,
                sealed,
            })
        });
        making.await?
    }

    /// Puts it after those that there are.
    async fn put(
        self,
        state: &State,
        mut tx: Tx,
        before: &[SigningKey],
        rotation: Rotation,
    ) -> Result<String, Error> {
        let now = state.clock.now_s();
        let before_use = i64::from(state.config.oidc.publish_keys_before_s);
        let (signs_from, retires_at) = match rotation {
            Rotation::Compromised => (now, now),
            // Nobody waits for a key that has none before it.
            Rotation::Usual if before.is_empty() => (now, now),
            Rotation::Usual => (now + before_use, now + before_use + LONGEST_TOKEN_S),
        };
        // Those that a rotation has stamped already keep their time, unless all of it ends now.
        sqlx::query(
            "UPDATE signing_keys SET retires_at = $1 \
             WHERE algorithm = $2 AND (retires_at IS NULL OR retires_at > $1)",
        )
        .bind(retires_at)
        .bind(self.algorithm.name())
        .execute(&mut *tx)
        .await?;
        // What has retired signs nothing any more, and nobody is to find it.
        sqlx::query("UPDATE signing_keys SET sealed = '' WHERE retires_at <= $1")
            .bind(now)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO signing_keys (id, algorithm, sealed, created_at, signs_from) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&self.id)
        .bind(self.algorithm.name())
        .bind(&self.sealed)
        .bind(now)
        .bind(signs_from)
        .execute(&mut *tx)
        .await?;
        commit_change(state, tx).await?;
        let algorithm = self.algorithm.name();
        tracing::info!(
            event = "signing_key_made",
            key = self.id,
            algorithm,
            signs_from
        );
        Ok(self.id)
    }
}
