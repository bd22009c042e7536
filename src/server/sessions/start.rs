//! The start of a session, and a new sid for one whose owner has shown anew who they are.

use super::{
    Change, Session,
    end::{Condition, REPLACED},
    find_by,
    replaced::{Proof, Replaced},
    token::Claims,
};
use crate::{
    server::{caller::Caller, error::Error, secret::PlainSid, state::State},
    wire,
};

/// Starts a session for somebody who has just shown who they are. What the browser held before
/// ends in the same transaction: a planted session never becomes theirs (ASVS 7.2.4).
///
/// The cookie is returned and not yet sent; send it when the transaction is in.
///
/// # Errors
/// If the database does not answer.
pub async fn start(
    caller: &Caller,
    change: &mut Change,
    user_id: &str,
    is_kept: bool,
) -> Result<Started, Error> {
    let state = &caller.state;
    let now = change.now_s();
    if let Some(before) = &caller.session {
        change
            .end(REPLACED, Condition::One(&before.id, &before.user_id))
            .await?;
    }
    let (idle_timeout_s, absolute_timeout_s) = state.config.session.times(is_kept);
    let ends_at = now + absolute_timeout_s;
    let (id, sid) = (state.random.id()?, PlainSid::generate(&state.random)?);
    sqlx::query(
        "INSERT INTO sessions (id, hashed_sid, user_id, created_at, last_seen_at, generation, \
            renewed_at, successor_seen_at, authenticated_at, authenticated_by, user_agent, \
            address, is_kept, idle_timeout_s, ends_at) \
         VALUES ($1, $2, $3, $4, $4, 1, $4, $4, $4, 'pwd', $5, $6, $7, $8, $9)",
    )
    .bind(&id)
    .bind(sid.hashed().as_str())
    .bind(user_id)
    .bind(now)
    .bind(&caller.visitor.user_agent)
    .bind(caller.visitor.address.to_string())
    .bind(i64::from(is_kept))
    .bind(idle_timeout_s)
    .bind(ends_at)
    .execute(&mut **change)
    .await?;
    let most = i64::from(state.config.session.max_per_user);
    // The index alone knows how many there are; which of them is the one too many it does not.
    let (count,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM sessions WHERE user_id = $1 AND ended_at IS NULL")
            .bind(user_id)
            .fetch_one(&mut **change)
            .await?;
    if count > most {
        // Not by the clock alone: where it was set back, the new session seems unused for longest.
        let which = Condition::Above(user_id, most - 1, &id);
        change.end("one_too_many", which).await?;
    }
    let claims = Claims::new(user_id, &sid, now, ends_at);
    let cookie = NewCookie::new(state, &claims, is_kept)?;
    Ok(Started { id, cookie })
}

/// A session that has just been started.
pub struct Started {
    /// Public id.
    pub id: String,
    /// Cookie to send when the transaction is in.
    pub cookie: NewCookie,
}

/// Gives a session a new sid, generation and time, because its owner has just shown who they are
/// once more: the cookie before is refused from now on (ASVS 7.2.4), and only this moves the
/// absolute end (NIST 800-63B-4, 5.2).
///
/// # Errors
/// [`wire::Error::SignInNeeded`] if the session has ended meanwhile.
pub async fn restart(
    state: &State,
    change: &mut Change,
    session: &Session,
    by: Proof,
) -> Result<NewCookie, Error> {
    let replaced = Replaced {
        before: session.hashed_sid.clone(),
        at: change.now_s(),
        by,
        now: session.hashed_sid.clone(),
    };
    give_new_sid(state, change, session, &replaced).await
}

/// Gives a session a new sid once more, because the form that replaced the one before was sent again.
/// The minute in which it may be sent again gets no longer. The session's id comes along.
///
/// # Errors
/// [`wire::Error::SignInNeeded`] if the session has ended meanwhile.
pub async fn restart_again(
    state: &State,
    change: &mut Change,
    replaced: &Replaced,
) -> Result<(String, NewCookie), Error> {
    let found = find_by(&mut **change, state, &replaced.now).await?;
    let session = found.ok_or(wire::Error::SignInNeeded)?;
    let cookie = give_new_sid(state, change, &session, replaced).await?;
    Ok((session.id, cookie))
}

async fn give_new_sid(
    state: &State,
    change: &mut Change,
    session: &Session,
    replaced: &Replaced,
) -> Result<NewCookie, Error> {
    let now = change.now_s();
    let (_, absolute_timeout_s) = state.config.session.times(session.is_kept);
    let ends_at = now + absolute_timeout_s;
    let sid = PlainSid::generate(&state.random)?;
    let restarted = sqlx::query(
        "UPDATE sessions SET hashed_sid = $1, generation = 1, renewed_at = $2, \
            successor_seen_at = $2, seen_generation = 0, authenticated_at = $2, authenticated_by = 'pwd', \
            last_seen_at = $2, ends_at = $3, replaced_sid = $6, replaced_at = $7, replaced_by = $8 \
         WHERE id = $4 AND hashed_sid = $5 AND ended_at IS NULL",
    )
    .bind(sid.hashed().as_str())
    .bind(now)
    .bind(ends_at)
    .bind(&session.id)
    .bind(session.hashed_sid.as_str())
    .bind(replaced.before.as_str())
    .bind(replaced.at)
    .bind(replaced.by.code())
    .execute(&mut **change)
    .await?;
    if restarted.rows_affected() == 0 {
        return Err(wire::Error::SignInNeeded.into());
    }
    change.touch(&session.hashed_sid);
    let claims = Claims::new(&session.user_id, &sid, now, ends_at);
    NewCookie::new(state, &claims, session.is_kept)
}

/// A cookie whose session is in the transaction.
pub struct NewCookie {
    token: String,
    max_age_s: Option<i64>,
}

impl NewCookie {
    /// Signed; the browser keeps it when it closes, until the session's end, if `is_kept`.
    pub(super) fn new(state: &State, claims: &Claims, is_kept: bool) -> Result<Self, Error> {
        Ok(Self {
            token: state.signer.sign(claims)?,
            max_age_s: is_kept.then(|| claims.exp - state.clock.now_s()),
        })
    }

    /// Commits, and then sends the cookie: never one whose row is not there.
    ///
    /// # Errors
    /// If the transaction does not hold.
    pub async fn commit(self, caller: &Caller, change: Change) -> Result<(), Error> {
        change.commit().await?;
        self.send(caller);
        Ok(())
    }

    /// Sends the cookie; its row is there.
    pub fn send(&self, caller: &Caller) {
        caller.cookies.start_session(&self.token, self.max_age_s);
    }
}
