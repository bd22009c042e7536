//! People: signing up, signing in, and who is signed in.

use super::{
    activity::{self, Kind},
    api_keys,
    caller::Caller,
    error::Error,
    grants,
    sessions::{self, Change, Session},
    state::State,
};
use crate::wire::{
    self, Problem,
    fields::{Email, NewPassword, PASSWORD_MAX, local_path},
    users::{GoOn, Viewer},
};
use sqlx::AnyConnection;

/// Makes an account, signs its owner in, and goes on to `next` if that is a path of this site.
///
/// # Errors
/// Field errors for what cannot be taken, an address that has an account among them.
pub async fn sign_up(
    caller: &Caller,
    email: &str,
    password: String,
    next: &str,
) -> Result<GoOn, Error> {
    let state = &caller.state;
    let (email, hash) = prepare(state, email, password).await?;
    let mut change = Change::begin(state).await?;
    let user_id = insert(state, &mut change, &email, &hash).await?;
    let cookie = sessions::start(caller, &mut change, &user_id, false).await?;
    let visitor = &caller.visitor;
    activity::record(&mut change, &user_id, Kind::SignedUp, None, 1, visitor).await?;
    cookie.commit(caller, change).await?;
    tracing::info!(event = "signed_up", user = user_id);
    Ok(GoOn {
        next: local_path(next)
            .unwrap_or("/account?done=signed_up")
            .to_owned(),
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

async fn insert(
    state: &State,
    connection: &mut AnyConnection,
    email: &Email,
    hash: &str,
) -> Result<String, Error> {
    let inserted: Option<(String,)> = sqlx::query_as(
        "INSERT INTO users (id, email, email_key, password_hash, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email_key) DO NOTHING RETURNING id",
    )
    .bind(state.random.id()?)
    .bind(email.to_string())
    .bind(email.key())
    .bind(hash)
    .bind(state.clock.now_s())
    .fetch_optional(connection)
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
        known => {
            tracing::info!(event = "sign_in_failed", address = %caller.visitor.address);
            // Written later: here it would take longer for an account that there is.
            if let Some((id, ..)) = known {
                let now_ms = state.clock.now_ms();
                state.later.note_failed(&id, now_ms, &caller.visitor);
            }
            return Err(wire::Error::WrongEmailOrPassword.into());
        }
    };

    let mut change = Change::begin(state).await?;
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
    .execute(&mut *change)
    .await?;
    if still_theirs.rows_affected() == 0 {
        return Err(wire::Error::WrongEmailOrPassword.into());
    }
    let cookie = sessions::start(caller, &mut change, &user_id, is_kept).await?;
    let visitor = &caller.visitor;
    activity::record(&mut change, &user_id, Kind::SignedIn, None, 1, visitor).await?;
    cookie.commit(caller, change).await?;
    state.limits.forget(caller.visitor.address, &email);
    tracing::info!(event = "signed_in", user = user_id);
    Ok(GoOn {
        next: local_path(next).unwrap_or("/account").to_owned(),
    })
}

/// What can be refused without looking anything up: nothing typed, or far too much.
fn read_sign_in(email: &str, password: &str) -> Result<Email, wire::Error> {
    let typed_email = Email::parse(email);
    match (typed_email, read_password(password)) {
        (Ok(email), None) => Ok(email),
        (email, password) => Err(wire::Error::fields([
            ("email", email.err()),
            ("password", password),
        ])),
    }
}

/// The same of a password alone.
fn read_password(password: &str) -> Option<Problem> {
    match password.chars().take(PASSWORD_MAX as usize + 1).count() {
        0 => Some(Problem::Missing),
        long if long > PASSWORD_MAX as usize => Some(Problem::TooLong { max: PASSWORD_MAX }),
        _ => None,
    }
}

/// Verifies the caller's own password; the hash that it fits.
///
/// # Errors
/// A field error for a wrong one; the try is seen among what happened to the account.
async fn verify_own(
    caller: &Caller,
    session: &Session,
    field: &str,
    password: String,
) -> Result<String, Error> {
    let wrong = |problem| wire::Error::fields([(field, Some(problem))]);
    if let Some(problem) = read_password(&password) {
        return Err(wrong(problem).into());
    }
    let state = &caller.state;
    let (hash,): (String,) = sqlx::query_as("SELECT password_hash FROM users WHERE id = $1")
        .bind(&session.user_id)
        .fetch_one(state.db.pool())
        .await?;
    let verified = state
        .hasher
        .verify(password.into_bytes(), Some(hash.clone()))
        .await?;
    if !verified.is_right {
        let now_ms = state.clock.now_ms();
        state
            .later
            .note_failed(&session.user_id, now_ms, &caller.visitor);
        return Err(wrong(Problem::WrongPassword).into());
    }
    if let Ok(email) = Email::parse(&session.email) {
        state.limits.forget(caller.visitor.address, &email);
    }
    Ok(hash)
}

/// Shows once more who the caller is: the session goes on under a new sid, and counts as a recent
/// sign-in (ASVS 7.2.4, 7.5.1).
///
/// # Errors
/// A field error for a wrong password.
pub async fn confirm_password(
    caller: &Caller,
    session: &Session,
    password: String,
    next: &str,
) -> Result<GoOn, Error> {
    let hash = verify_own(caller, session, "password", password).await?;
    let mut change = Change::begin(&caller.state).await?;
    // Whoever changes the password in between has ended this session or is in it.
    let still_theirs: Option<(String,)> =
        sqlx::query_as("SELECT id FROM users WHERE id = $1 AND password_hash = $2")
            .bind(&session.user_id)
            .bind(&hash)
            .fetch_optional(&mut *change)
            .await?;
    still_theirs.ok_or(wire::Error::SignInNeeded)?;
    let cookie = sessions::restart(&caller.state, &mut change, session).await?;
    let (id, visitor) = (Some(session.id.as_str()), &caller.visitor);
    let kind = Kind::PasswordConfirmed;
    activity::record(&mut change, &session.user_id, kind, id, 1, visitor).await?;
    cookie.commit(caller, change).await?;
    Ok(GoOn {
        next: local_path(next).unwrap_or("/account").to_owned(),
    })
}

/// Changes the password, and ends every other session unless they are to be kept. How many ended.
///
/// # Errors
/// Field errors for a wrong current password and for a new one that cannot be taken.
pub async fn change_password(
    caller: &Caller,
    session: &Session,
    current: String,
    new: String,
    keep_others: bool,
) -> Result<u32, Error> {
    let state = &caller.state;
    // Both are told at once where both are left out.
    if new.is_empty() {
        let missing = Some(Problem::Missing);
        let current = read_password(&current);
        let fields = [("current_password", current), ("new_password", missing)];
        return Err(wire::Error::fields(fields).into());
    }
    let hash = verify_own(caller, session, "current_password", current).await?;
    let (min, email) = (state.config.passwords.min_length, session.email.clone());
    let read = move || NewPassword::parse(new, min, &email);
    let new_hash = state.hasher.hash(read).await?;
    let new_hash =
        new_hash.map_err(|problem| wire::Error::fields([("new_password", Some(problem))]))?;

    let mut change = Change::begin(state).await?;
    let changed = sqlx::query(
        "UPDATE users SET password_hash = $1, copied_at = NULL \
         WHERE id = $2 AND password_hash = $3 AND disabled_at IS NULL",
    )
    .bind(&new_hash)
    .bind(&session.user_id)
    .bind(&hash)
    .execute(&mut *change)
    .await?;
    if changed.rows_affected() == 0 {
        // It was changed by another in between, so that what was typed is no longer right.
        let wrong = Some(Problem::WrongPassword);
        return Err(wire::Error::fields([("current_password", wrong)]).into());
    }
    let cookie = sessions::restart(state, &mut change, session).await?;
    let mut ended = 0;
    if !keep_others {
        let but = Some(session.id.as_str());
        ended =
            sessions::end_all_of(&mut change, &session.user_id, but, "password_changed").await?;
    }
    // Whoever knew the old one may have allowed a program something, whatever device is kept.
    grants::end_all_of(&mut change, &session.user_id, "password_changed").await?;
    activity::record(
        &mut change,
        &session.user_id,
        Kind::PasswordChanged,
        Some(&session.id),
        ended,
        &caller.visitor,
    )
    .await?;
    cookie.commit(caller, change).await?;
    tracing::info!(event = "password_changed", user = session.user_id, ended);
    Ok(ended)
}

/// Keeps somebody out, or lets them in again: the operator's way. Keeping them out ends all
/// their sessions, and revokes their keys, in the same transaction (ASVS 7.4.2). How many ended; none if there is no such
/// account.
///
/// # Errors
/// If the database does not answer.
pub async fn set_disabled(
    state: &State,
    email: &Email,
    is_disabled: bool,
) -> Result<Option<u32>, Error> {
    let mut change = Change::begin(state).await?;
    let disabled_at = is_disabled.then(|| change.now_s());
    let user: Option<(String,)> =
        sqlx::query_as("UPDATE users SET disabled_at = $1 WHERE email_key = $2 RETURNING id")
            .bind(disabled_at)
            .bind(email.key())
            .fetch_optional(&mut *change)
            .await?;
    let Some((user_id,)) = user else {
        return Ok(None);
    };
    let (mut ended, mut revoked) = (0, 0);
    if is_disabled {
        ended = sessions::end_all_of(&mut change, &user_id, None, "disabled").await?;
        revoked = api_keys::revoke_all_of(&mut change, &user_id).await?;
    }
    change.commit().await?;
    tracing::info!(
        event = "account_disabled",
        user = user_id,
        is_disabled,
        ended,
        revoked
    );
    Ok(Some(ended))
}

/// Ends all sessions of an account: the operator's way (ASVS 7.4.5). How many; none if there is no
/// such account.
///
/// # Errors
/// If the database does not answer.
pub async fn end_sessions(state: &State, email: &Email) -> Result<Option<u32>, Error> {
    let mut change = Change::begin(state).await?;
    // Whoever signs in meanwhile goes first, and is among them, or waits.
    let user: Option<(String,)> =
        sqlx::query_as("UPDATE users SET email = email WHERE email_key = $1 RETURNING id")
            .bind(email.key())
            .fetch_optional(&mut *change)
            .await?;
    let Some((user_id,)) = user else {
        return Ok(None);
    };
    let ended = sessions::end_all_of(&mut change, &user_id, None, "ended_by_operator").await?;
    change.commit().await?;
    Ok(Some(ended))
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
