//! Signing in with an address and a password.

use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        cookie_check,
        error::Error,
        fields::{Email, TypedPassword},
        sessions::{self, Change, Started},
    },
    wire::{self, fields::local_path, users::GoOn},
};

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
    let (email, password) = read(email, password)?;
    let user: Option<(String, String, Option<i64>)> = sqlx::query_as(
        "SELECT id, password_hash, disabled_at FROM users WHERE email_key IN ($1, $2) \
             ORDER BY CASE WHEN email_key = $2 THEN 0 ELSE 1 END LIMIT 1",
    )
    .bind(email.key())
    // An account may have kept an older key, of the address as it was typed.
    .bind(email.key_before())
    .fetch_optional(state.db.pool())
    .await?;
    let stored = user.as_ref().map(|(_, hash, _)| hash.clone());
    let verified = match state.hasher.verify(password, stored).await {
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
    // The hash that was verified must still be theirs: a user who changes the password in between
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
    let Started { id, cookie } = sessions::start(caller, &mut change, &user_id, is_kept).await?;
    let next = local_path(next).unwrap_or("/account");
    let next = cookie_check::on_the_way_to(next, caller, &id, &user_id)?;
    let visitor = &caller.visitor;
    activity::record(&mut change, &user_id, Kind::SignedIn, None, 1, visitor).await?;
    cookie.commit(caller, change).await?;
    state.limits.forget(caller.visitor.address, &email);
    tracing::info!(event = "signed_in", user = user_id);
    Ok(GoOn { next })
}

/// What can be refused without looking anything up: nothing typed, or far too much.
fn read(email: &str, password: String) -> Result<(Email, TypedPassword), wire::Error> {
    match (Email::parse(email), TypedPassword::parse(password)) {
        (Ok(email), Ok(password)) => Ok((email, password)),
        (email, password) => Err(wire::Error::fields([
            ("email", email.err()),
            ("password", password.err()),
        ])),
    }
}
