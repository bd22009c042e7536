//! The password of the signed-in user: confirmed and changed.

use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        error::Error,
        fields::{Email, NewPassword, TypedPassword, shown},
        grants,
        sessions::{self, Change, Session},
    },
    wire::{self, Problem, fields::local_path, users::GoOn},
};

/// Verifies the caller's own password. The hash that it fits, and the one to keep from now on.
///
/// # Errors
/// A field error for a wrong one; the try is seen among what happened to the account.
async fn verify_own(
    caller: &Caller,
    session: &Session,
    field: &str,
    password: String,
) -> Result<(String, String), Error> {
    let wrong = |problem| wire::Error::fields([(field, Some(problem))]);
    let password = TypedPassword::parse(password).map_err(wrong)?;
    let state = &caller.state;
    let (hash,): (String,) = sqlx::query_as("SELECT password_hash FROM users WHERE id = $1")
        .bind(&session.user_id)
        .fetch_one(state.db.pool())
        .await?;
    let verified = state.hasher.verify(password, Some(hash.clone())).await?;
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
    let kept = verified.renewed_hash.unwrap_or_else(|| hash.clone());
    Ok((hash, kept))
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
    let (hash, kept) = verify_own(caller, session, "password", password).await?;
    let mut change = Change::begin(&caller.state).await?;
    // A change of the password in between has ended this session, or was made in it.
    let still_theirs =
        sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
            .bind(&kept)
            .bind(&session.user_id)
            .bind(&hash)
            .execute(&mut *change)
            .await?;
    if still_theirs.rows_affected() == 0 {
        return Err(wire::Error::SignInNeeded.into());
    }
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
        let current = TypedPassword::parse(current).err();
        let fields = [("current_password", current), ("new_password", missing)];
        return Err(wire::Error::fields(fields).into());
    }
    let (hash, _) = verify_own(caller, session, "current_password", current).await?;
    let (min, email) = (state.config.passwords.min_length, shown(&session.email));
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
    // An attacker who knew the old one may have allowed an app something, whatever device is kept.
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
