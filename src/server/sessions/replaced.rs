//! Sids that a form with a password replaced.
//!
//! Such a form gives its session a new sid. When it is sent twice, or its response is lost, the browser
//! shows the sid before. `users/repeated.rs` goes on by the password.

use super::end::REPLACED;
use crate::{
    server::{caller::Caller, error::Error, secret::HashedSid},
    wire,
};

/// A form that is sent again after this time needs a new sign-in, in seconds.
const GOES_ON_WITHIN_S: i64 = 60;

/// The form that gave a session its new sid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password was changed.
    PasswordChanged,
    /// The password was confirmed.
    PasswordConfirmed,
}

impl Proof {
    /// Text of the column.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password_changed",
            Self::PasswordConfirmed => "password_confirmed",
        }
    }
}

/// A sid that was replaced, and the live session that goes on.
pub struct Replaced {
    /// The sid before.
    pub(super) before: HashedSid,
    /// When it was replaced, in Unix seconds.
    pub at: i64,
    /// The form that replaced it.
    pub(super) by: Proof,
    /// The sid now.
    pub now: HashedSid,
}

/// Finds the live session of this user whose sid this form replaced within the last minute.
///
/// # Errors
/// If the database does not answer.
pub async fn find_replaced<'a>(
    executor: impl sqlx::Executor<'a, Database = sqlx::Any>,
    (user_id, before): (&str, &HashedSid),
    by: Proof,
    now: i64,
) -> Result<Option<Replaced>, Error> {
    let row: Option<(String, i64)> = sqlx::query_as(
        "SELECT hashed_sid, replaced_at FROM sessions \
         WHERE user_id = $1 AND ended_at IS NULL AND replaced_sid = $2 AND replaced_by = $3 \
           AND replaced_at > $4 AND replaced_at <= $5",
    )
    .bind(user_id)
    .bind(before.as_str())
    .bind(by.code())
    .bind(now - GOES_ON_WITHIN_S)
    // A clock that was set back makes the minute no longer.
    .bind(now)
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|(sid, at)| Replaced {
        before: before.clone(),
        at,
        by,
        now: HashedSid::from_row(sid),
    }))
}

/// What the browser may hold instead of a cookie whose session is over.
pub(super) enum Successor {
    /// The cookie of a newer sign-in.
    NewSignIn,
    /// The cookie of the same session, which goes on under this sid since less than a minute ago.
    GoesOn(HashedSid),
}

/// Finds what took the place of the session that the cookie names.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn find_successor(caller: &Caller) -> Result<Option<Successor>, Error> {
    let Some((user_id, sid)) = caller.named_session() else {
        return Ok(None);
    };
    let now = caller.state.clock.now_s();
    let found: Option<(String, Option<String>)> = sqlx::query_as(
        "SELECT hashed_sid, end_reason FROM sessions \
         WHERE user_id = $1 AND hashed_sid = $2 AND end_reason = $3 \
         UNION ALL \
         SELECT hashed_sid, end_reason FROM sessions \
         WHERE user_id = $1 AND replaced_sid = $2 AND replaced_at > $4 AND replaced_at <= $5 \
           AND (ended_at IS NULL OR end_reason = $3)",
    )
    .bind(user_id)
    .bind(sid.as_str())
    .bind(REPLACED)
    .bind(now - GOES_ON_WITHIN_S)
    .bind(now)
    .fetch_optional(caller.state.db.pool())
    .await?;
    Ok(found.map(|(sid, end_reason)| match end_reason {
        Some(_) => Successor::NewSignIn,
        None => Successor::GoesOn(HashedSid::from_row(sid)),
    }))
}

/// Says why the session that the cookie names signs no browser in, as far as its user is told.
///
/// # Errors
/// If the database does not answer.
pub async fn why_over(caller: &Caller) -> Result<wire::Error, Error> {
    let Some((user_id, sid)) = caller.named_session() else {
        return Ok(wire::Error::SignInNeeded);
    };
    let found: Option<(String,)> = sqlx::query_as(
        "SELECT id FROM sessions WHERE hashed_sid = $2 AND end_reason = $3 \
         UNION ALL \
         SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL \
            AND replaced_sid = $2 AND replaced_by = $3",
    )
    .bind(user_id)
    .bind(sid.as_str())
    .bind(Proof::PasswordChanged.code())
    .fetch_optional(caller.state.db.pool())
    .await?;
    Ok(found.map_or(wire::Error::SignInNeeded, |_| wire::Error::PasswordChanged))
}
