//! Keys that an older signing secret closed, closed with the newest.

use super::{Algorithm, key::context};
use crate::server::{db::Conn, error::Error, state::State};

/// Closes with the newest secret each key that an older one closed, so that dropping the older one loses
/// no key. Every node has to have the newest secret already.
///
/// # Errors
/// If the database does not answer.
pub async fn close_anew(state: &State, tx: &mut Conn) -> Result<(), Error> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT id, algorithm, sealed FROM signing_keys WHERE sealed <> '' ORDER BY id",
    )
    .fetch_all(&mut *tx)
    .await?;
    for (id, algorithm, sealed) in rows {
        let Some(algorithm) = Algorithm::parse(&algorithm) else {
            continue;
        };
        let seal = &state.signing_keys.seal;
        let Some(renewed) = seal.renew(&sealed, &context(algorithm, &id))? else {
            continue;
        };
        sqlx::query("UPDATE signing_keys SET sealed = $1 WHERE id = $2 AND sealed = $3")
            .bind(renewed)
            .bind(&id)
            .bind(sealed)
            .execute(&mut *tx)
            .await?;
        tracing::info!(
            event = "signing_key_closed_anew",
            key = id,
            "a token-signing key is now closed with the newest secret"
        );
    }
    Ok(())
}
