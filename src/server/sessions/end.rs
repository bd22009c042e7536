//! Every kind of end. One transaction each; when it answers, the session is refused.

use super::{
    Session, find_by,
    replaced::{Successor, find_successor},
};
use crate::{
    server::{
        activity::{self, Kind, Visitor},
        api_keys::{self, ApiKey, Refused},
        caller::Caller,
        db::{Conn, Tx},
        error::Error,
        grants,
        oidc::back_channel,
        random::is_id,
        secret::HashedSid,
        state::State,
    },
    wire,
};
use std::ops::{Deref, DerefMut};

/// A transaction that changes sessions or revokes keys. Before its commit is answered, what this
/// process has of the sessions it touched is forgotten, and the keys are refused; the other nodes
/// do the same at a word that the transaction itself sends, within milliseconds, and those that
/// hear nothing believe their memory for no longer than a second.
pub struct Change {
    state: State,
    tx: Tx,
    touched: Vec<HashedSid>,
    /// Clients are to be told of what ended.
    tells_clients: bool,
    /// API keys.
    refused: Vec<Refused>,
}

/// Reason for the end of a session in whose browser a user has signed in anew.
pub(super) const REPLACED: &str = "replaced";

/// Which sessions end.
pub(super) enum Condition<'a> {
    /// This one, of this user.
    One(&'a str, &'a str),
    /// All of this user's but this one.
    Others(&'a str, &'a str),
    /// All of this user's.
    AllOf(&'a str),
    /// All of this user's but so many and the one that has just started, those unused for longest
    /// first.
    Above(&'a str, i64, &'a str),
    /// Those whose browser has no cookie made after this time, in Unix seconds.
    CookieUntil(i64),
    /// Everybody's.
    Everything,
}

/// The one statement that ends, by its condition.
macro_rules! ending {
    ($condition:literal) => {
        concat!(
            "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL AND ",
            $condition,
            " RETURNING id, hashed_sid, last_seen_at, is_kept, authenticated_at, \
              idle_timeout_s, ends_at"
        )
    };
}

/// What an ending says of each session that it ended.
type EndedRow = (String, String, i64, i64, i64, i64, i64);

impl Change {
    /// # Errors
    /// If the database is away.
    pub async fn begin(state: &State) -> Result<Self, Error> {
        Ok(Self {
            state: state.clone(),
            tx: state.db.write().await?,
            touched: Vec::new(),
            tells_clients: false,
            refused: Vec::new(),
        })
    }

    /// The time, in Unix seconds.
    pub fn now_s(&self) -> i64 {
        self.state.clock.now_s()
    }

    /// What the server holds.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The row of this session is another when this is committed.
    pub fn touch(&mut self, key: &HashedSid) {
        self.touched.push(key.clone());
    }

    /// Refuses API keys when this is committed.
    pub fn refuse(&mut self, refused: Refused) {
        // What a cutoff covers need not be named one by one.
        self.refused.retain(|it| !it.is_below(&refused));
        self.refused.push(refused);
    }

    /// Ends sessions. Those that were live, as opposed to over by their times already, count.
    pub(super) async fn end(
        &mut self,
        reason: &'static str,
        which: Condition<'_>,
    ) -> Result<u32, Error> {
        let now = self.now_s();
        let query = |sql: &'static str| sqlx::query_as(sql).bind(now).bind(reason);
        let is_everything = matches!(which, Condition::Everything);
        let query = match which {
            Condition::One(id, user_id) => query(ending!("id = $3 AND user_id = $4"))
                .bind(id)
                .bind(user_id),
            Condition::Others(user_id, but) => query(ending!("user_id = $3 AND id <> $4"))
                .bind(user_id)
                .bind(but),
            Condition::AllOf(user_id) => query(ending!("user_id = $3")).bind(user_id),
            Condition::Above(user_id, most, started) => query(ending!(
                "id IN (SELECT id FROM sessions \
                    WHERE user_id = $3 AND ended_at IS NULL AND id <> $5 \
                    ORDER BY last_seen_at DESC, created_at DESC, id LIMIT 1000 OFFSET $4)"
            ))
            .bind(user_id)
            .bind(most)
            .bind(started),
            Condition::CookieUntil(until) => query(ending!(
                "(renewed_at <= $3 OR (successor_seen_at IS NULL AND created_at <= $3))"
            ))
            .bind(until),
            Condition::Everything => query(ending!("$1 >= 0")),
        };
        let ended: Vec<EndedRow> = query.fetch_all(&mut *self.tx).await?;
        let mut live = 0;
        for (id, key, last_seen_at, is_kept, since, idle_timeout_s, ends_at) in ended {
            let written = (idle_timeout_s, ends_at);
            let times = &self.state.config.session;
            let (idle_timeout_s, ends_at) = times.shorten(is_kept != 0, since, written);
            live += u32::from(now < ends_at && now < last_seen_at + idle_timeout_s);
            self.touched.push(HashedSid::from_row(key));
            // What programs hold that hangs on it ends with it.
            if !is_everything {
                self.end_programs_of(&id).await?;
            }
        }
        if is_everything {
            grants::end_everything(self, reason).await?;
        }
        Ok(live)
    }

    /// What programs hold ends with the session that it hangs on, and those that want to know of
    /// the end are told when this is committed.
    async fn end_programs_of(&mut self, session_id: &str) -> Result<(), Error> {
        grants::end_of_session(self, session_id).await?;
        self.tells_clients |= back_channel::note(self, session_id).await?;
        Ok(())
    }

    /// Makes sure that whoever changes something is still signed in: a request may have waited
    /// since its cookie was checked.
    ///
    /// # Errors
    /// [`wire::Error::SignInNeeded`] if the session has ended meanwhile.
    pub(in crate::server) async fn require_live(&mut self, session: &Session) -> Result<(), Error> {
        let live: Option<(String,)> =
            sqlx::query_as("SELECT id FROM sessions WHERE hashed_sid = $1 AND ended_at IS NULL")
                .bind(session.hashed_sid.as_str())
                .fetch_optional(&mut *self.tx)
                .await?;
        Ok(live.map(drop).ok_or(wire::Error::SignInNeeded)?)
    }

    /// Ends a session that was over by its times at this time already, in Unix seconds.
    pub(super) async fn end_if_over(&mut self, session: &Session, at: i64) -> Result<(), Error> {
        let (idle_most_s, most_in_all_s) = self.state.config.session.times(session.is_kept);
        let stamped = sqlx::query(
            "UPDATE sessions SET ended_at = $1, end_reason = 'over' \
             WHERE hashed_sid = $2 AND ended_at IS NULL \
               AND (ends_at <= $3 OR last_seen_at + idle_timeout_s <= $3 \
                    OR last_seen_at + $4 <= $3 OR authenticated_at + $5 <= $3)",
        )
        .bind(self.now_s())
        .bind(session.hashed_sid.as_str())
        .bind(at)
        .bind(idle_most_s)
        .bind(most_in_all_s)
        .execute(&mut *self.tx)
        .await?;
        if stamped.rows_affected() > 0 {
            self.end_programs_of(&session.id).await?;
        }
        self.touch(&session.hashed_sid);
        Ok(())
    }

    /// Makes all of it so, and then forgets what was known before.
    ///
    /// # Errors
    /// If it could not be; then none of it is. Or if an operator's command could not mark it for
    /// the server; the same command once more does that.
    pub async fn commit(self) -> Result<(), Error> {
        let Self {
            state,
            mut tx,
            touched,
            tells_clients,
            refused,
        } = self;
        state
            .hearing
            .tell_nodes(&mut tx, &touched, &refused)
            .await?;
        state.hearing.require_mark()?;
        // A task of its own: whoever asked may hang up between the commit and the forgetting,
        // and a session that has ended would stay in memory (security.md SS-12).
        let committing = tokio::spawn(async move {
            let committed = tx.commit().await;
            for key in &touched {
                state.sessions.forget(key);
            }
            committed?;
            state.api_keys.revoked.add(refused, &state.clock);
            if tells_clients {
                state.back_channel.wake();
            }
            // Whatever was touched: a command that could not leave its mark is given once more.
            state.hearing.leave_mark()
        });
        committing.await?
    }
}

impl Deref for Change {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.tx
    }
}

impl DerefMut for Change {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.tx
    }
}

/// Ends the caller's session and takes the cookie away. Whoever is not signed in is told the
/// same: the state that they asked for holds. A request that comes late, with the cookie of before a
/// newer sign-in, leaves that sign-in's cookie alone. One with the cookie of before a form with a
/// password ends the session, which goes on under another sid.
///
/// # Errors
/// If the database does not answer; the cookie then stays, because the session does.
pub async fn sign_out(caller: &Caller) -> Result<(), Error> {
    if let Some(session) = &caller.session {
        end_one(caller, session, &session.id).await?;
        return Ok(());
    }
    match find_successor(caller).await? {
        Some(Successor::NewSignIn) => {}
        Some(Successor::GoesOn(sid)) => {
            let state = &caller.state;
            match find_by(state.db.pool(), state, &sid).await? {
                Some(session) => {
                    end_one(caller, &session, &session.id).await?;
                }
                None => caller.cookies.end_session(),
            }
        }
        None => caller.cookies.end_session(),
    }
    Ok(())
}

/// Ends one session of the caller's, by its public id. How many that ended: none if it had
/// ended already. The cookie stays if the browser has signed in anew meanwhile, because it is the one of
/// that sign-in.
///
/// # Errors
/// [`wire::Error::NotFound`] for an id that is not one of theirs.
pub async fn end_one(caller: &Caller, session: &Session, id: &str) -> Result<u32, Error> {
    if !is_id(id) {
        return Err(wire::Error::NotFound.into());
    }
    let user_id = &session.user_id;
    let mut change = Change::begin(&caller.state).await?;
    let is_own = id == session.id;
    if !is_own {
        change.require_live(session).await?;
    }
    let reason = if is_own {
        "signed_out"
    } else {
        "ended_by_owner"
    };
    let ended = change.end(reason, Condition::One(id, user_id)).await?;
    let mut is_replaced = false;
    if ended == 0 {
        let known: Option<(Option<String>,)> =
            sqlx::query_as("SELECT end_reason FROM sessions WHERE id = $1 AND user_id = $2")
                .bind(id)
                .bind(user_id)
                .fetch_optional(&mut *change)
                .await?;
        let (reason,) = known.ok_or(wire::Error::NotFound)?;
        is_replaced = reason.as_deref() == Some(REPLACED);
    } else {
        let kind = if is_own {
            Kind::SignedOut
        } else {
            Kind::SessionEnded
        };
        activity::record(&mut change, user_id, kind, Some(id), 1, &caller.visitor).await?;
    }
    change.commit().await?;
    if is_own && !is_replaced {
        caller.cookies.end_session();
    }
    tracing::info!(event = "session_ended", session = id, reason);
    Ok(ended)
}

/// Ends one session of the key's owner, by its public id: a program of theirs asks for it.
///
/// # Errors
/// [`wire::Error::NotFound`] for an id that no live session of theirs has.
pub async fn end_by_key(
    state: &State,
    key: &ApiKey,
    visitor: &Visitor,
    id: &str,
) -> Result<(), Error> {
    if !is_id(id) {
        return Err(wire::Error::NotFound.into());
    }
    let user_id = &key.user_id;
    let mut change = Change::begin(state).await?;
    api_keys::require_live(&mut change, key).await?;
    let which = Condition::One(id, user_id);
    if change.end("ended_by_key", which).await? == 0 {
        return Err(wire::Error::NotFound.into());
    }
    let kind = Kind::SessionEnded;
    activity::record(&mut change, user_id, kind, Some(id), 1, visitor).await?;
    change.commit().await?;
    tracing::info!(event = "session_ended", session = id, key = key.id);
    Ok(())
}

/// Ends a session that no browser can show, because the one that it was started in did not keep the
/// cookie. Another client that asks, such as a scanner of links, ends nothing.
///
/// # Errors
/// If the database does not answer; the session then goes on.
pub async fn end_without_cookie(
    state: &State,
    visitor: &Visitor,
    id: &str,
    user_id: &str,
) -> Result<(), Error> {
    let mut change = Change::begin(state).await?;
    let started_by: Option<(String, String)> =
        sqlx::query_as("SELECT address, user_agent FROM sessions WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *change)
            .await?;
    let asked_by = (visitor.address.to_string(), visitor.user_agent.clone());
    if started_by != Some(asked_by) {
        return Ok(());
    }
    let which = Condition::One(id, user_id);
    if change.end("cookie_not_kept", which).await? > 0 {
        let kind = Kind::SignedOut;
        activity::record(&mut change, user_id, kind, Some(id), 1, visitor).await?;
    }
    change.commit().await
}

/// Ends all sessions of the caller's but this one. How many that ended.
///
/// # Errors
/// If the database does not answer; then none has ended.
pub async fn end_others(caller: &Caller, session: &Session) -> Result<u32, Error> {
    let mut change = Change::begin(&caller.state).await?;
    change.require_live(session).await?;
    let which = Condition::Others(&session.user_id, &session.id);
    let ended = change.end("ended_by_owner", which).await?;
    if ended > 0 {
        activity::record(
            &mut change,
            &session.user_id,
            Kind::SessionEnded,
            Some(&session.id),
            ended,
            &caller.visitor,
        )
        .await?;
    }
    change.commit().await?;
    tracing::info!(event = "other_sessions_ended", session = session.id, ended);
    Ok(ended)
}

/// Ends all sessions of this session's user but this one, within a larger change. How many ended.
///
/// # Errors
/// If the database does not answer.
pub async fn end_others_of(
    change: &mut Change,
    session: &Session,
    reason: &'static str,
) -> Result<u32, Error> {
    let which = Condition::Others(&session.user_id, &session.id);
    change.end(reason, which).await
}

/// Ends all sessions of a user within a larger change, and no more than hangs on them. How many.
///
/// # Errors
/// If the database does not answer.
pub async fn end_sessions_of(
    change: &mut Change,
    user_id: &str,
    reason: &'static str,
) -> Result<u32, Error> {
    change.end(reason, Condition::AllOf(user_id)).await
}

/// Ends all sessions of a user within a larger change, and all that they have allowed programs. How
/// many sessions.
///
/// # Errors
/// If the database does not answer.
pub async fn end_all_of(
    change: &mut Change,
    user_id: &str,
    reason: &'static str,
) -> Result<u32, Error> {
    let ended = change.end(reason, Condition::AllOf(user_id)).await?;
    // Those that outlive a session as well.
    grants::end_all_of(change, user_id, reason).await?;
    Ok(ended)
}

/// Ends everybody's sessions: the operator's way out when the secret may be known to others.
///
/// # Errors
/// If the database does not answer.
pub async fn end_everything(state: &State) -> Result<u32, Error> {
    let mut change = Change::begin(state).await?;
    let ended = change
        .end("ended_by_operator", Condition::Everything)
        .await?;
    change.commit().await?;
    Ok(ended)
}

/// Ends the sessions whose browser has no cookie made after this time, in Unix seconds, within a larger
/// change: the secret of their cookies is dropped. Number of sessions that ended.
///
/// # Errors
/// If the database does not answer.
pub async fn end_with_cookie_until(change: &mut Change, until: i64) -> Result<u32, Error> {
    let which = Condition::CookieUntil(until);
    change.end("secret_dropped", which).await
}

/// Ends the sessions of all users within a larger change, and all grants. The clients that were signed in
/// to are told. Number of sessions that ended.
///
/// # Errors
/// If the database does not answer.
pub async fn end_everything_in(change: &mut Change, reason: &'static str) -> Result<u32, Error> {
    change.tells_clients |= back_channel::note_all(change).await?;
    change.end(reason, Condition::Everything).await
}
