//! The session: one row and one cookie. Started at sign-in, checked at every request, ended at
//! once.

use super::{
    caller::Caller, db::Tx, error::Error, secret::PlainSid, session_token::Claims, state::State,
};
use crate::wire::sessions::{Device, ThisSession};

/// Last-seen is written at most this often, in seconds.
const SEEN_EVERY_S: i64 = 60;

/// A live session and whose it is.
#[derive(Clone, Debug)]
pub struct Session {
    /// Public.
    pub id: String,
    /// Whose.
    pub user_id: String,
    /// Their address.
    pub email: String,
    /// When their account was made, in Unix seconds.
    pub user_created_at: i64,
    /// When it was started, in Unix seconds.
    pub created_at: i64,
    /// In seconds without use.
    pub idle_timeout_s: i64,
    /// The absolute end, in Unix seconds.
    pub ends_at: i64,
    /// What it was started with.
    pub user_agent: String,
}

impl Session {
    /// As its owner sees it.
    pub fn seen_by_owner(&self) -> ThisSession {
        // Four figures of the public id: enough to tell tickets apart, too few to look one up.
        let number = self
            .id
            .bytes()
            .fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 9000);
        ThisSession {
            number: u16::try_from(1000 + number).unwrap_or(1000),
            device: Device::from_user_agent(&self.user_agent),
            started_at: self.created_at,
            idle_timeout_s: self.idle_timeout_s,
            ends_at: self.ends_at,
        }
    }
}

/// A session's row with its user's, in the order of the query below.
type Row = (String, String, String, i64, i64, i64, i64, i64, i64, String);

/// Checks what a cookie holds: signature, then row, then whether it is still live.
///
/// `None` is somebody who is not signed in; the cookie is left as it is, because a failed request
/// that cleared it could sign out a browser that has meanwhile signed in (security.md CK-13).
///
/// # Errors
/// If the database does not answer: then nobody is let in, and nobody is called signed out.
pub async fn resume(state: &State, token: &str) -> Result<Option<Session>, Error> {
    let now = state.clock.now_s();
    let Some(claims) = state.signer.verify(token, now) else {
        return Ok(None);
    };
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.id, s.user_id, u.email, u.created_at, s.created_at, s.last_seen_at, \
                s.idle_timeout_s, s.ends_at, s.generation, s.user_agent \
         FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.hashed_sid = $1 AND s.ended_at IS NULL AND u.disabled_at IS NULL",
    )
    .bind(claims.sid().hashed().as_str())
    .fetch_optional(state.db.pool())
    .await?;
    let Some((
        id,
        user_id,
        email,
        user_created_at,
        created_at,
        last_seen_at,
        idle_timeout_s,
        ends_at,
        generation,
        user_agent,
    )) = row
    else {
        return Ok(None);
    };
    let is_live = now < ends_at
        && now < last_seen_at + idle_timeout_s
        && claims.sub == user_id
        && claims.generation == generation;
    if !is_live {
        return Ok(None);
    }
    if now >= last_seen_at + SEEN_EVERY_S {
        let written = sqlx::query(
            "UPDATE sessions SET last_seen_at = $1 \
             WHERE id = $2 AND last_seen_at < $1 AND ended_at IS NULL",
        )
        .bind(now)
        .bind(&id)
        .execute(state.db.pool())
        .await;
        // A full disk must not keep out whoever is signed in; the session only ends the sooner.
        if let Err(error) = written {
            tracing::warn!(event = "last_seen_not_written", %error);
        }
    }
    Ok(Some(Session {
        id,
        user_id,
        email,
        user_created_at,
        created_at,
        idle_timeout_s,
        ends_at,
        user_agent,
    }))
}

/// Starts a session for somebody who has just shown who they are. What the browser held before
/// ends in the same transaction: a planted session never becomes theirs (ASVS 7.2.4).
///
/// The cookie is returned and not yet sent; send it when the transaction is in.
///
/// # Errors
/// If the database does not answer.
pub async fn start(
    caller: &Caller,
    tx: &mut Tx,
    user_id: &str,
    is_kept: bool,
) -> Result<NewCookie, Error> {
    let state = &caller.state;
    let now = state.clock.now_s();
    if let Some(before) = &caller.session {
        end(tx, &before.id, now, "replaced").await?;
    }
    let times = &state.config.session;
    let (idle_timeout_s, absolute_timeout_s) = if is_kept {
        (times.kept_idle_timeout_s, times.kept_absolute_timeout_s)
    } else {
        (times.idle_timeout_s, times.absolute_timeout_s)
    };
    let ends_at = now + i64::from(absolute_timeout_s);
    let sid = PlainSid::generate(&state.random)?;
    sqlx::query(
        "INSERT INTO sessions (id, hashed_sid, user_id, created_at, last_seen_at, generation, \
            renewed_at, authenticated_at, authenticated_by, user_agent, address, is_kept, \
            idle_timeout_s, ends_at) \
         VALUES ($1, $2, $3, $4, $4, 1, $4, $4, 'pwd', $5, $6, $7, $8, $9)",
    )
    .bind(state.random.id()?)
    .bind(sid.hashed().as_str())
    .bind(user_id)
    .bind(now)
    .bind(&caller.user_agent)
    .bind(caller.address.to_string())
    .bind(i64::from(is_kept))
    .bind(i64::from(idle_timeout_s))
    .bind(ends_at)
    .execute(&mut **tx)
    .await?;
    let claims = Claims::new(user_id, &sid, 1, now, ends_at);
    Ok(NewCookie {
        token: state.signer.sign(&claims)?,
        max_age_s: is_kept.then_some(i64::from(absolute_timeout_s)),
    })
}

/// A cookie whose session is in the transaction.
pub struct NewCookie {
    token: String,
    max_age_s: Option<i64>,
}

impl NewCookie {
    /// Commits, and then sends the cookie: never one whose row is not there.
    ///
    /// # Errors
    /// If the transaction does not hold.
    pub async fn commit(self, caller: &Caller, tx: Tx) -> Result<(), Error> {
        tx.commit().await?;
        caller.cookies.start_session(&self.token, self.max_age_s);
        Ok(())
    }
}

/// Ends the caller's session and takes the cookie away. Whoever is not signed in is told the
/// same: the state that they asked for holds.
///
/// # Errors
/// If the database does not answer; the cookie then stays, because the session does.
pub async fn sign_out(caller: &Caller) -> Result<(), Error> {
    if let Some(session) = &caller.session {
        let mut tx = caller.state.db.write().await?;
        end(
            &mut tx,
            &session.id,
            caller.state.clock.now_s(),
            "signed_out",
        )
        .await?;
        tx.commit().await?;
    }
    caller.cookies.end_session();
    Ok(())
}

/// Stamps one session as ended.
async fn end(tx: &mut Tx, id: &str, now: i64, reason: &str) -> Result<(), Error> {
    sqlx::query(
        "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE id = $3 AND ended_at IS NULL",
    )
    .bind(now)
    .bind(reason)
    .bind(id)
    .execute(&mut **tx)
    .await?;
    tracing::info!(event = "session_ended", session = id, reason);
    Ok(())
}
