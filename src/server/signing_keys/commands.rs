//! The operator's commands about keys.

use super::{Algorithm, Rotation, Row, rotate};
use crate::server::{error::Error, state::State};

/// `cloakroom keys …`
#[derive(clap::Subcommand)]
pub enum Command {
    /// Follow the signing key by a new one, which is published at once and signs some minutes later
    Rotate {
        /// The keys of this algorithm
        #[arg(long, default_value = "ES256")]
        algorithm: Algorithm,
        /// Somebody else may have the key: it goes at once, and every token that it signed is
        /// refused
        #[arg(long)]
        compromised: bool,
    },
    /// List the signing keys: id, algorithm, what it does, and since when (Unix seconds)
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

/// Does it; the lines to print.
///
/// # Errors
/// If the database does not answer.
pub async fn run(state: &State, command: Command) -> Result<Vec<String>, Error> {
    match command {
        Command::Rotate {
            algorithm,
            compromised,
        } => {
            let rotation = if compromised {
                Rotation::Compromised
            } else {
                Rotation::Usual
            };
            Ok(vec![rotate(state, algorithm, rotation).await?])
        }
        Command::List { json } => list(state, json).await,
    }
}

async fn list(state: &State, as_json: bool) -> Result<Vec<String>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, algorithm, sealed, created_at, signs_from, retires_at FROM signing_keys \
         ORDER BY algorithm, signs_from DESC, id LIMIT 500",
    )
    .fetch_all(state.db.pool())
    .await?;
    let now = state.clock.now_s();
    let mut signing = None;
    let lines = rows.iter().map(|row| {
        let (does, since) = if row.retires_at.is_some_and(|retires_at| retires_at <= now) {
            ("retired", row.retires_at.unwrap_or(now))
        } else if row.signs_from > now {
            ("published", row.created_at)
        } else if signing.as_ref() != Some(&row.algorithm) {
            signing = Some(row.algorithm.clone());
            ("signing", row.signs_from)
        } else {
            ("verifying", row.signs_from)
        };
        let (id, algorithm) = (&row.id, &row.algorithm);
        if as_json {
            let object = serde_json::json!({
                "id": id, "algorithm": algorithm, "state": does, "since": since,
            });
            object.to_string()
        } else {
            format!("{id}\t{algorithm}\t{does}\t{since}")
        }
    });
    Ok(lines.collect())
}
