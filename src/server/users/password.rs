//! The password of the signed-in user: confirmed and changed.

use super::{
    VERIFICATIONS_MAX, keep_hash, repeated, replaced_too_often,
    revocable::{Choice, revoke_chosen},
};
use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        error::Error,
        fields::{NewPassword, TypedPassword, shown},
        limits::Guesser,
        passwords::Asker,
        sessions::{self, Change, Proof, Session},
    },
    wire::{
        self, Problem,
        fields::local_path,
        users::{GoOn, PasswordChanged},
    },
};

fn refused(field: &str, problem: Problem) -> Error {
    wire::Error::fields([(field, Some(problem))]).into()
}

/// Verifies the caller's own password. The hash that it fits, and the one to keep from now on.
///
/// # Errors
/// A field error for a wrong one; the try is seen among what happened to the account.
/// [`wire::Error::SignInNeeded`] if the account is disabled, or the password was changed in this session
/// meanwhile.
async fn verify_own(
    caller: &Caller,
    session: &Session,
    field: &str,
    password: &TypedPassword,
) -> Result<(String, String), Error> {
    let guesser = Guesser::Owner {
        user_id: &session.user_id,
        session_id: &session.id,
    };
    let who = (guesser, Asker::known(caller.visitor.address));
    verify_as(caller, session, who, field, password).await
}

/// Verifies the password of a session's user, as a try of this guesser.
pub(super) async fn verify_as(
    caller: &Caller,
    session: &Session,
    (guesser, asker): (Guesser<'_>, Asker),
    field: &str,
    password: &TypedPassword,
) -> Result<(String, String), Error> {
    let state = &caller.state;
    let user_id = &session.user_id;
    let guess = state.limits.guess(&caller.visitor, guesser)?;
    let read = guess.unless_unavailable(async {
        let row =
            sqlx::query_as("SELECT password_hash FROM users WHERE id = $1 AND disabled_at IS NULL")
                .bind(user_id);
        Ok(row.fetch_optional(state.db.pool()).await?)
    });
    let user: Option<(String,)> = read.await?;
    let (hash,) = user.ok_or(wire::Error::SignInNeeded)?;
    let verifying = state.hasher.verify(password.clone(), hash.clone(), asker);
    let verified = guess.unless_unavailable(verifying).await?;
    if !verified.is_right {
        // The same form, sent before, may have changed it.
        let (named, now) = (
            (&*session.user_id, &session.hashed_sid),
            state.clock.now_s(),
        );
        let by = Proof::PasswordChanged;
        let replaced = sessions::find_replaced(state.db.pool(), named, by, now).await?;
        if replaced.is_some() {
            return Err(wire::Error::SignInNeeded.into());
        }
        let now_ms = state.clock.now_ms();
        state
            .later
            .note_failed(&session.user_id, now_ms, &caller.visitor);
        return Err(refused(field, Problem::WrongPassword));
    }
    guess.was_right();
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
    password: String,
    next: &str,
) -> Result<GoOn, Error> {
    let confirmed = match &caller.session {
        Some(session) => confirm(caller, session, password.clone()).await,
        None => Err(wire::Error::SignInNeeded.into()),
    };
    if let Err(Error::Theirs(wire::Error::SignInNeeded)) = confirmed {
        repeated::go_on(caller, Proof::PasswordConfirmed, password).await?;
    } else {
        confirmed?;
    }
    Ok(GoOn {
        next: local_path(next).unwrap_or("/account").to_owned(),
    })
}

async fn confirm(caller: &Caller, session: &Session, password: String) -> Result<(), Error> {
    let password =
        TypedPassword::parse(password).map_err(|problem| refused("password", problem))?;
    for _ in 0..VERIFICATIONS_MAX {
        let (hash, kept) = verify_own(caller, session, "password", &password).await?;
        let mut change = Change::begin(&caller.state).await?;
        if !keep_hash(&mut change, &session.user_id, &hash, &kept).await? {
            continue;
        }
        let by = Proof::PasswordConfirmed;
        let cookie = sessions::restart(&caller.state, &mut change, session, by).await?;
        let (id, visitor) = (Some(session.id.as_str()), &caller.visitor);
        let kind = Kind::PasswordConfirmed;
        activity::record(&mut change, &session.user_id, kind, id, 1, visitor).await?;
        return cookie.commit(caller, change).await;
    }
    Err(replaced_too_often())
}

/// Changes the password, ends every other session unless they are to be kept, and revokes the API keys
/// and apps of this choice.
///
/// # Errors
/// Field errors for a wrong current password and for a new one that cannot be taken.
pub async fn change_password(
    caller: &Caller,
    current: String,
    new: String,
    keep_others: bool,
    choice: &Choice,
) -> Result<PasswordChanged, Error> {
    let changed = match &caller.session {
        Some(session) => {
            let new = new.clone();
            change(caller, session, current, new, keep_others, choice).await
        }
        None => Err(wire::Error::SignInNeeded.into()),
    };
    match changed {
        Err(Error::Theirs(wire::Error::SignInNeeded)) => {
            repeated::go_on(caller, Proof::PasswordChanged, new).await
        }
        changed => changed,
    }
}

async fn change(
    caller: &Caller,
    session: &Session,
    current: String,
    new: String,
    keep_others: bool,
    choice: &Choice,
) -> Result<PasswordChanged, Error> {
    let state = &caller.state;
    let current = TypedPassword::parse(current);
    // Both are told at once where both are left out.
    if new.is_empty() {
        let missing = Some(Problem::Missing);
        let fields = [
            ("current_password", current.err()),
            ("new_password", missing),
        ];
        return Err(wire::Error::fields(fields).into());
    }
    let current = current.map_err(|problem| refused("current_password", problem))?;
    let (mut hash, _) = verify_own(caller, session, "current_password", &current).await?;
    let (min, email) = (state.config.passwords.min_length, shown(&session.email));
    let read = move || NewPassword::parse(new, min, &email);
    let asker = Asker::known(caller.visitor.address);
    let new_hash = state.hasher.hash(read, asker).await?;
    let new_hash = new_hash.map_err(|problem| refused("new_password", problem))?;
    for _ in 1..VERIFICATIONS_MAX {
        let mut change = Change::begin(state).await?;
        if keep_hash(&mut change, &session.user_id, &hash, &new_hash).await? {
            return finish_change(caller, session, change, keep_others, choice).await;
        }
        drop(change);
        (hash, _) = verify_own(caller, session, "current_password", &current).await?;
    }
    Err(replaced_too_often())
}

/// Does all that follows from a new password, whose hash is written, and commits.
async fn finish_change(
    caller: &Caller,
    session: &Session,
    mut change: Change,
    keep_others: bool,
    choice: &Choice,
) -> Result<PasswordChanged, Error> {
    let user_id = &session.user_id;
    // Its owner has answered to a copy.
    sqlx::query("UPDATE users SET copied_at = NULL WHERE id = $1")
        .bind(user_id)
        .execute(&mut *change)
        .await?;
    let by = Proof::PasswordChanged;
    let cookie = sessions::restart(&caller.state, &mut change, session, by).await?;
    let mut ended = 0;
    if !keep_others {
        ended = sessions::end_others_of(&mut change, session, "password_changed").await?;
    }
    let (keys, apps) = revoke_chosen(&mut change, user_id, choice, keep_others).await?;
    let happened = [
        (Kind::PasswordChanged, ended, true),
        (Kind::ApiKeyRevoked, keys, keys > 0),
        (Kind::AppRevoked, apps, apps > 0),
    ];
    for (kind, count, _) in happened.into_iter().filter(|it| it.2) {
        let (id, visitor) = (Some(session.id.as_str()), &caller.visitor);
        activity::record(&mut change, user_id, kind, id, count, visitor).await?;
    }
    cookie.commit(caller, change).await?;
    tracing::info!(
        event = "password_changed",
        user = user_id,
        ended,
        keys,
        apps
    );
    Ok(PasswordChanged {
        count: ended,
        keys,
        apps,
        next: "/account/security".to_owned(),
    })
}
