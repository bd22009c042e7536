//! The keys of one person, as a list.

use crate::{
    server::{error::Error, sessions::Session, state::State},
    wire::api_keys::{ApiKey, ApiKeys, Scope, Scopes, ShownKey},
};

/// A new key goes out of sight after this time, in seconds.
const SHOWN_FOR_S: i64 = 3_600;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    label: String,
    shown_as: String,
    scopes: String,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
    shown_in: Option<String>,
    number: i64,
}

/// The keys of this user that can be used, the newest first.
///
/// # Errors
/// If the database does not answer.
pub async fn list(state: &State, user_id: &str) -> Result<Vec<ApiKey>, Error> {
    let rows = rows(state, user_id, state.clock.now_s()).await?;
    Ok(rows.into_iter().map(|row| row.describe(state)).collect())
}

/// The keys of this session's user that can be used, the newest first, and those that this session
/// made and still shows. Their text needs a recent sign-in, as making a key does: otherwise the holder
/// of a copied cookie would get a key without the password.
///
/// # Errors
/// If the database does not answer.
pub async fn list_for(state: &State, session: &Session) -> Result<ApiKeys, Error> {
    let now = state.clock.now_s();
    let rows = rows(state, &session.user_id, now).await?;
    let shown = rows
        .iter()
        .filter(|row| row.is_shown_in(session, now))
        .map(|row| row.show(state, session))
        .collect::<Result<_, _>>()?;
    let keys = rows.into_iter().map(|row| row.describe(state)).collect();
    Ok(ApiKeys { keys, shown, now })
}

async fn rows(state: &State, user_id: &str, now: i64) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as(
        "SELECT id, label, shown_as, scopes, created_at, expires_at, last_used_at, shown_in, number \
         FROM api_keys WHERE user_id = $1 AND expires_at > $2 AND revoked_at IS NULL \
         ORDER BY created_at DESC, id LIMIT 1000",
    )
    .bind(user_id)
    .bind(now)
    .fetch_all(state.db.pool())
    .await?;
    Ok(rows)
}

impl Row {
    fn is_shown_in(&self, session: &Session, now: i64) -> bool {
        self.shown_in.as_ref() == Some(&session.id) && now < self.created_at + SHOWN_FOR_S
    }

    fn show(&self, state: &State, session: &Session) -> Result<ShownKey, Error> {
        let is_recent = session.is_recent(state);
        let key = is_recent.then(|| self.reveal(state, session)).transpose()?;
        Ok(ShownKey {
            id: self.id.clone(),
            label: self.label.clone(),
            shown_as: self.shown_as.clone(),
            key,
        })
    }

    /// Signs the key once more: equal claims under one signing key give an equal text.
    fn reveal(&self, state: &State, session: &Session) -> Result<String, Error> {
        let scopes = Scopes::parse(&self.scopes).map_err(|_| Error::Crypto("scopes"))?;
        let plain = state.api_keys.sign(&super::ApiKey {
            id: self.id.clone(),
            user_id: session.user_id.clone(),
            number: self.number,
            scopes,
            created_at: self.created_at,
            expires_at: self.expires_at,
        })?;
        Ok(plain.reveal())
    }

    fn describe(self, state: &State) -> ApiKey {
        ApiKey {
            // What this node has seen and not yet written counts as well.
            last_used_at: state.later.keys.at(&self.id).max(self.last_used_at),
            id: self.id,
            label: self.label,
            shown_as: self.shown_as,
            scopes: self
                .scopes
                .split(' ')
                .filter_map(Scope::from_code)
                .collect(),
            created_at: self.created_at,
            expires_at: self.expires_at,
        }
    }
}
