//! People: signing up, signing in, and who is signed in.

use super::{caller::Caller, db::Tx, error::Error, sessions, state::State};
use crate::wire::{
    self, Problem,
    fields::{Email, NewPassword, PASSWORD_MAX, local_path},
    users::{GoOn, Viewer},
};

/// Makes an account and signs its owner in.
///
/// # Errors
/// Field errors for what cannot be taken, an address that has an account among them.
pub async fn sign_up(caller: &Caller, email: &str, password: String) -> Result<GoOn, Error> {
    let state = &caller.state;
    let (email, hash) = prepare(state, email, password).await?;
    let mut tx = state.db.write().await?;
    let user_id = insert(state, &mut tx, &email, &hash).await?;
    let cookie = sessions::start(caller, &mut tx, &user_id, false).await?;
    cookie.commit(caller, tx).await?;
    tracing::info!(event = "signed_up", user = user_id);
    Ok(GoOn {
        next: "/account?done=signed_up".to_owned(),
    })
}

/// Makes an account without a session: the operator's way.
///
/// # Errors
/// Field errors as in [`sign_up`].
pub async fn add(state: &State, email: &str, password: String) -> Result<String, Error> {
    let (email, hash) = prepare(state, email, password).await?;
    let mut tx = state.db.write().await?;
    let user_id = insert(state, &mut tx, &email, &hash).await?;
    tx.commit().await?;
    Ok(user_id)
}

/// Reads both fields, so that both problems are told at once, and hashes the password.
async fn prepare(state: &State, email: &str, password: String) -> Result<(Email, String), Error> {
    let min = state.config.passwords.min_length;
    let typed_email = Email::parse(email);
    // A password beside an unreadable address is judged without knowing the address.
    let known = typed_email
        .as_ref()
        .map_or_else(|_| String::new(), Email::to_string);
    let read = move || NewPassword::parse(password, min, &known);
    match (typed_email, state.hasher.hash(read).await?) {
        (Ok(email), Ok(hash)) => Ok((email, hash)),
        (email, hash) => {
            Err(wire::Error::fields([("email", email.err()), ("password", hash.err())]).into())
        }
    }
}

async fn insert(state: &State, tx: &mut Tx, email: &Email, hash: &str) -> Result<String, Error> {
    let inserted: Option<(String,)> = sqlx::query_as(
        "INSERT INTO users (id, email, email_key, password_hash, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email_key) DO NOTHING RETURNING id",
    )
    .bind(state.random.id()?)
    .bind(email.to_string())
    .bind(email.key())
    .bind(hash)
    .bind(state.clock.now_s())
    .fetch_optional(&mut **tx)
    .await?;
    inserted
        .map(|(id,)| id)
        .ok_or_else(|| wire::Error::fields([("email", Some(Problem::Taken))]).into())
}

/// Checks address and password, and starts a session in place of what the browser had.
///
/// # Errors
/// [`wire::Error::WrongEmailOrPassword`] for an unknown address, a wrong password and a disabled
/// account alike, at the same cost (ASVS 6.3.8).
pub async fn sign_in(
    caller: &Caller,
    email: &str,
    password: String,
    is_kept: bool,
    next: &str,
) -> Result<GoOn, Error> {
    let state = &caller.state;
    let email = read_sign_in(email, &password)?;
    let user: Option<(String, String, Option<i64>)> =
        sqlx::query_as("SELECT id, password_hash, disabled_at FROM users WHERE email_key = $1")
            .bind(email.key())
            .fetch_optional(state.db.pool())
            .await?;
    let stored = user.as_ref().map(|(_, hash, _)| hash.clone());
    let verified = match state.hasher.verify(password.into_bytes(), stored).await {
        // A planted or broken row fails cleanly and is told to the operator alone.
        Err(Error::StoredHash(why)) => {
            tracing::error!(event = "stored_hash_refused", why);
            return Err(wire::Error::WrongEmailOrPassword.into());
        }
        verified => verified?,
    };
    let (user_id, hash) = match user {
        Some((id, hash, None)) if verified.is_right => (id, hash),
        _ => {
            tracing::info!(event = "sign_in_failed", address = %caller.address);
            return Err(wire::Error::WrongEmailOrPassword.into());
        }
    };

    let mut tx = state.db.write().await?;
    // The hash that was verified must still be theirs: whoever changes the password in between
    // must neither find the old one back nor a session that it started. Writing the row makes
    // the two wait for each other.
    let still_theirs = sqlx::query(
        "UPDATE users SET password_hash = $1 \
         WHERE id = $2 AND password_hash = $3 AND disabled_at IS NULL",
    )
    .bind(verified.renewed_hash.as_ref().unwrap_or(&hash))
    .bind(&user_id)
    .bind(&hash)
    .execute(&mut *tx)
    .await?;
    if still_theirs.rows_affected() == 0 {
        return Err(wire::Error::WrongEmailOrPassword.into());
    }
    let cookie = sessions::start(caller, &mut tx, &user_id, is_kept).await?;
    cookie.commit(caller, tx).await?;
    state.limits.forget(caller.address, &email);
    tracing::info!(event = "signed_in", user = user_id);
    Ok(GoOn {
        next: local_path(next).unwrap_or("/account").to_owned(),
    })
}

/// What can be refused without looking anything up: nothing typed, or far too much.
fn read_sign_in(email: &str, password: &str) -> Result<Email, wire::Error> {
    let typed_email = Email::parse(email);
    let typed_password = match password.chars().take(PASSWORD_MAX as usize + 1).count() {
        0 => Some(Problem::Missing),
        long if long > PASSWORD_MAX as usize => Some(Problem::TooLong { max: PASSWORD_MAX }),
        _ => None,
    };
    match (typed_email, typed_password) {
        (Ok(email), None) => Ok(email),
        (email, password) => Err(wire::Error::fields([
            ("email", email.err()),
            ("password", password),
        ])),
    }
}

/// Who is signed in, if anybody is. Asks nobody: the layer has already read the row.
pub fn viewer(caller: &Caller) -> Option<Viewer> {
    caller.session.as_ref().map(|session| Viewer {
        email: session.email.clone(),
        created_at: session.user_created_at,
        session: session.seen_by_owner(),
        now: caller.state.clock.now_s(),
    })
}

/// Everybody who has an account, by address, 500 at a time: id, address, when it was made (Unix
/// seconds). The next page comes `after` the last address of this one, in lower case.
///
/// # Errors
/// If the database does not answer.
pub async fn list(state: &State, after: &str) -> Result<Vec<(String, String, i64)>, Error> {
    Ok(sqlx::query_as(
        "SELECT id, email, created_at FROM users WHERE email_key > $1 ORDER BY email_key LIMIT 500",
    )
    .bind(after)
    .fetch_all(state.db.pool())
    .await?)
}
