//! Signing in with an address and a password.

use super::{VERIFICATIONS_MAX, keep_hash, replaced_too_often};
use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        cookie_check,
        error::Error,
        fields::{Email, TypedPassword},
        known_browsers::{self, Mark},
        limits::Guesser,
        passwords::Asker,
        sessions::{self, Change},
        state::State,
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
    for _ in 0..VERIFICATIONS_MAX {
        let User { id, hash, kept } = verify(caller, &email, password.clone()).await?;
        let mut change = Change::begin(state).await?;
        // The hash that was verified must still be theirs: a user who changes the password in between
        // must neither find the old one back nor a session that it started.
        if !keep_hash(&mut change, &id, &hash, &kept).await? {
            continue;
        }
        let started = sessions::start(caller, &mut change, &id, is_kept).await?;
        let next = local_path(next).unwrap_or("/account");
        let next = cookie_check::on_the_way_to(next, caller, &started.id, &id)?;
        let visitor = &caller.visitor;
        activity::record(&mut change, &id, Kind::SignedIn, None, 1, visitor).await?;
        let marks = known_browsers::renew(caller, &email, &id)?;
        started.cookie.commit(caller, change).await?;
        marks.send(caller);
        tracing::info!(event = "signed_in", user = id, address = %visitor.address);
        return Ok(GoOn { next });
    }
    Err(replaced_too_often())
}

/// A user whose password was verified.
struct User {
    id: String,
    /// The hash that it fits.
    hash: String,
    /// The hash to keep from now on.
    kept: String,
}

/// Verifies a password against the hash of an address.
async fn verify(caller: &Caller, email: &Email, password: TypedPassword) -> Result<User, Error> {
    let state = &caller.state;
    let visitor = &caller.visitor;
    let mark = known_browsers::find(caller, email);
    // Counted before the account is looked for, so that a refusal takes as long without one.
    let mut guess = state.limits.guess(visitor, guesser(email, mark.as_ref()))?;
    let user = guess.unless_unavailable(find(state, email)).await?;
    let user_id = user.as_ref().map(|(id, ..)| id);
    if mark.is_some_and(|mark| Some(&mark.user_id) != user_id) {
        // The address has become another account's.
        guess.give_back();
        guess = state.limits.guess(visitor, guesser(email, None))?;
    }
    let asker = if guess.is_anonymous() {
        Asker::anonymous(visitor.address)
    } else {
        Asker::known(visitor.address)
    };
    // Both are made ready, so that an address without an account takes as long as one with.
    let stand_in = state.stand_ins.of(email);
    let stored = user.as_ref().map_or(stand_in, |(_, hash, _)| hash.clone());
    let verifying = state.hasher.verify(password, stored, asker);
    let verified = match guess.unless_unavailable(verifying).await {
        // A planted or broken row fails cleanly and is told to the operator alone.
        Err(Error::StoredHash(why)) => {
            tracing::error!(event = "stored_hash_refused", why);
            return Err(wire::Error::WrongEmailOrPassword.into());
        }
        verified => verified?,
    };
    match user {
        Some((id, hash, None)) if verified.is_right => {
            guess.was_right();
            Ok(User {
                id,
                kept: verified.renewed_hash.unwrap_or_else(|| hash.clone()),
                hash,
            })
        }
        known => {
            state.limits.refused.note_failed(visitor.address);
            // Written later: here it would take longer for an account that there is.
            if let Some((id, ..)) = known {
                let now_ms = state.clock.now_ms();
                state.later.note_failed(&id, now_ms, &caller.visitor);
            }
            Err(wire::Error::WrongEmailOrPassword.into())
        }
    }
}

/// Who tries, as far as the browser shows it.
fn guesser<'a>(email: &'a Email, mark: Option<&'a Mark>) -> Guesser<'a> {
    match mark {
        Some(Mark { id: mark, .. }) => Guesser::KnownBrowser { email, mark },
        None => Guesser::Anonymous { email },
    }
}

/// Id, hash and time of disabling of the account with this address.
async fn find(
    state: &State,
    email: &Email,
) -> Result<Option<(String, String, Option<i64>)>, Error> {
    let user = sqlx::query_as(
        "SELECT id, password_hash, disabled_at FROM users WHERE email_key IN ($1, $2) \
             ORDER BY CASE WHEN email_key = $2 THEN 0 ELSE 1 END LIMIT 1",
    )
    .bind(email.key())
    // An account may have kept an older key, of the address as it was typed.
    .bind(email.key_before())
    .fetch_optional(state.db.pool())
    .await?;
    Ok(user)
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
