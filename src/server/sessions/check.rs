//! The check, at every request: signature, row, times, generation.

use super::{Change, Session, end::Condition, find, renew::Renewal, token::Claims};
use crate::server::{
    activity::{self, Kind, Visitor},
    api_keys,
    error::Error,
    grants,
    state::State,
};
use std::sync::{Arc, atomic::Ordering};

/// A session that is over by its times is stamped so this much later: another node may have seen
/// it and not yet written it down. In seconds.
const STAMP_AFTER_S: i64 = 180;

/// What a cookie came to.
#[derive(Default)]
pub struct Resumed {
    /// The live session, if it names one.
    pub session: Option<Arc<Session>>,
    /// What the response is to do about the cookie.
    pub renewal: Option<Renewal>,
    /// We signed it once, so whoever holds it was signed in here.
    pub was_ours: bool,
}

/// What a cookie is to the row that it names.
enum Verdict {
    /// The newest.
    Current,
    /// The newest, shown for the first time.
    FirstSight,
    /// The one before, still good.
    Predecessor,
    /// The one before; the newest was made a while ago and has never been shown.
    Unanswered,
    /// One that its browser has replaced long ago: somebody has a copy.
    Copy,
    /// The session is over by its times.
    Over,
    /// Of another user, or newer than the newest.
    Impossible,
}

impl Session {
    /// `grace_s` is how long the cookie before stays good once its successor has been seen:
    /// requests under way, and the other tabs of a browser that is being restored.
    fn judge(&self, claims: &Claims, now: i64, grace_s: i64) -> Verdict {
        if now >= self.ends_at || now >= self.last_seen_at() + self.idle_timeout_s {
            return Verdict::Over;
        }
        if claims.sub != self.user_id {
            return Verdict::Impossible;
        }
        match (claims.generation - self.generation, self.successor_seen_at) {
            (0, None) if self.generation > 1 => Verdict::FirstSight,
            (0, _) => Verdict::Current,
            (-1, None) if now >= self.renewed_at + grace_s => Verdict::Unanswered,
            (-1, None) => Verdict::Predecessor,
            (-1, Some(seen_at)) if now < seen_at + grace_s => Verdict::Predecessor,
            (..0, _) => Verdict::Copy,
            (1.., _) => Verdict::Impossible,
        }
    }
}

/// Checks what a cookie holds: signature, then row, then whether it is still live.
///
/// Whoever is not signed in keeps the cookie as it is, because a failed request that cleared it
/// could sign out a browser that has meanwhile signed in (security.md CK-13).
///
/// # Errors
/// If the database does not answer: then nobody is let in, and nobody is called signed out.
pub async fn resume(state: &State, token: &str, visitor: &Visitor) -> Result<Resumed, Error> {
    let now = state.clock.now_s();
    let Some(claims) = state.signer.verify(token, now) else {
        return Ok(Resumed::default());
    };
    let key = claims.sid().hashed();
    let grace_s = i64::from(state.config.session.renewal_grace_s);
    let is_good = state.hearing.is_good(&state.sessions, &state.db);
    let kept = is_good.then(|| state.sessions.get(&key)).flatten();
    if let Some(session) = kept {
        // Whatever else memory says, the row has the last word.
        if let verdict @ (Verdict::Current | Verdict::Predecessor) =
            session.judge(&claims, now, grace_s)
        {
            return Ok(live(state, claims, session, &verdict, now));
        }
    }

    let ticket = state.sessions.ticket(&key);
    let found = find(state, &key).await?.map(Arc::new);
    let nobody = Resumed {
        was_ours: true,
        ..Resumed::default()
    };
    let Some(session) = found else {
        return Ok(nobody);
    };
    let verdict = session.judge(&claims, now, grace_s);
    match verdict {
        Verdict::Current | Verdict::Predecessor => {
            state.sessions.keep(&ticket, Arc::clone(&session));
        }
        Verdict::FirstSight => see_successor(state, &session, now).await,
        Verdict::Unanswered => {}
        Verdict::Copy => {
            end_copied(state, &session, visitor).await?;
            return Ok(nobody);
        }
        Verdict::Over => {
            stamp(state, &session, now).await;
            return Ok(nobody);
        }
        Verdict::Impossible => return Ok(nobody),
    }
    Ok(live(state, claims, session, &verdict, now))
}

fn live(
    state: &State,
    claims: Claims,
    session: Arc<Session>,
    verdict: &Verdict,
    now: i64,
) -> Resumed {
    if session.see(now) {
        state.later.note_seen(&session.id, now);
    }
    let times = &state.config.session;
    let is_again = matches!(verdict, Verdict::Unanswered);
    // Not while the cookie before is still good: of three generations at once the oldest would
    // look like a copy.
    let is_alone = session.generation == 1
        || session
            .successor_seen_at
            .is_some_and(|seen_at| now >= seen_at + i64::from(times.renewal_grace_s));
    let is_due = matches!(verdict, Verdict::Current)
        && is_alone
        && now >= claims.iat + i64::from(times.renew_after_s);
    let renewal = (is_again || is_due).then_some(Renewal { claims, is_again });
    Resumed {
        session: Some(session),
        renewal,
        was_ours: true,
    }
}

/// The newest cookie has arrived: from now on the one before has a minute left.
async fn see_successor(state: &State, session: &Session, now: i64) {
    let written = async {
        let mut change = Change::begin(state).await?;
        sqlx::query(
            "UPDATE sessions SET successor_seen_at = $1 \
             WHERE id = $2 AND generation = $3 AND successor_seen_at IS NULL",
        )
        .bind(now)
        .bind(&session.id)
        .bind(session.generation)
        .execute(&mut *change)
        .await?;
        change.touch(&session.hashed_sid);
        change.commit().await
    };
    // It is seen again at the next request; nobody is kept out for a row that cannot be written.
    if let Err(error) = written.await {
        tracing::warn!(event = "successor_not_noted", %error);
    }
}

/// Somebody shows a cookie that its browser has replaced: of the two who hold the session nobody
/// can say which is its owner, so that it ends for both.
async fn end_copied(state: &State, session: &Session, visitor: &Visitor) -> Result<(), Error> {
    let (id, user_id) = (&session.id, &session.user_id);
    let mut change = Change::begin(state).await?;
    // The user's row first, as everybody who writes both does.
    tell_owner(&mut change, user_id).await?;
    if change.end("copied", Condition::One(id, user_id)).await? == 0 {
        // Another request was first.
        return Ok(());
    }
    // Whoever had the copy may have allowed a program something.
    grants::end_all_of(&mut change, user_id, "session_copied").await?;
    // Or have made a key, which would outlive the session for up to a year.
    let revoked = api_keys::revoke_made_since(&mut change, user_id, session.created_at).await?;
    if revoked > 0 {
        let kind = Kind::ApiKeyRevoked;
        activity::record(&mut change, user_id, kind, Some(id), revoked, visitor).await?;
    }
    let kind = Kind::SessionCopied;
    activity::record(&mut change, user_id, kind, Some(id), 1, visitor).await?;
    change.commit().await?;
    tracing::warn!(event = "session_copied", session = id, user = user_id);
    Ok(())
}

/// The one place that tells people of a copy: on the pages of their account, from their next
/// sign-in on.
async fn tell_owner(change: &mut Change, user_id: &str) -> Result<(), Error> {
    let now = change.now_s();
    sqlx::query("UPDATE users SET copied_at = $1 WHERE id = $2")
        .bind(now)
        .bind(user_id)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// Writes down that a session is over, when that is beyond doubt.
async fn stamp(state: &State, session: &Session, now: i64) {
    let over_since = session
        .ends_at
        .min(session.last_seen_at.load(Ordering::Relaxed) + session.idle_timeout_s);
    if now < over_since + STAMP_AFTER_S {
        return;
    }
    let written = async {
        let mut change = Change::begin(state).await?;
        change.end_if_over(session, now - STAMP_AFTER_S).await?;
        change.commit().await
    };
    if let Err(error) = written.await {
        tracing::warn!(event = "end_not_written", %error);
    }
}
