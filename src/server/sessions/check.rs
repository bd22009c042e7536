//! The check, at every request: signature, row, times, generation.

use super::{
    Change, Session,
    end::Condition,
    find,
    generations::{RenewalTimes, Verdict},
    renew::{Renewal, RenewalNeed},
    token::Claims,
};
use crate::server::{
    activity::{self, Kind, Visitor},
    api_keys,
    error::Error,
    grants,
    secret::HashedSid,
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
    /// The user whom it names, if we signed it and its session is over.
    pub signed_out_user: Option<String>,
    /// Its sid, unless its times alone say that it is over.
    pub signed_out_sid: Option<HashedSid>,
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
        return Ok(Resumed {
            signed_out_user: state.signer.user_of(token),
            ..Resumed::default()
        });
    };
    let key = claims.sid().hashed();
    let times = state.config.session.renewal_times();
    let judge = |session: &Session| session.judge(&claims, now, times);
    let is_good = state.hearing.is_good(&state.sessions, &state.db);
    let kept = is_good.then(|| state.sessions.get(&key)).flatten();
    if let Some(session) = kept {
        // Whatever else memory says, the row has the last word.
        if let Some(verdict @ (Verdict::Valid | Verdict::Due)) = judge(&session) {
            return Ok(live(state, claims, session, verdict, now));
        }
    }

    let ticket = state.sessions.ticket(&key);
    let found = find(state, &key).await?.map(Arc::new);
    let signed_out = Resumed {
        signed_out_user: Some(claims.sub.clone()),
        signed_out_sid: Some(key),
        ..Resumed::default()
    };
    let Some(session) = found else {
        return Ok(signed_out);
    };
    let Some(verdict) = judge(&session) else {
        stamp(state, &session, now).await;
        return Ok(signed_out);
    };
    match verdict {
        Verdict::Valid | Verdict::Due => {
            state.sessions.keep(&ticket, Arc::clone(&session));
        }
        Verdict::FirstSight => see_newest(state, &session, now).await,
        Verdict::RenewalLost => {}
        Verdict::Copy | Verdict::Unconfirmed => {
            end_shared(state, &session, verdict, visitor).await?;
            return Ok(signed_out);
        }
        Verdict::Mismatch => return Ok(signed_out),
    }
    Ok(live(state, claims, session, verdict, now))
}

impl Session {
    /// Judges a cookie by the rule of generations; `None` if the session is over by its times.
    fn judge(&self, claims: &Claims, now: i64, times: RenewalTimes) -> Option<Verdict> {
        if now >= self.ends_at || now >= self.last_seen_at() + self.idle_timeout_s {
            return None;
        }
        if claims.sub != self.user_id {
            return Some(Verdict::Mismatch);
        }
        let generations = &self.generations;
        Some(generations.judge(claims.generation, claims.iat, now, times))
    }
}

fn live(
    state: &State,
    claims: Claims,
    session: Arc<Session>,
    verdict: Verdict,
    now: i64,
) -> Resumed {
    if session.see(now) {
        state.later.note_seen(&session.id, now);
    }
    let need = match verdict {
        Verdict::Due => Some(RenewalNeed::Due),
        Verdict::RenewalLost => Some(RenewalNeed::Lost),
        _ => None,
    };
    let renewal = need.map(|need| Renewal { claims, need });
    Resumed {
        session: Some(session),
        renewal,
        signed_out_user: None,
        signed_out_sid: None,
    }
}

/// Notes that the newest cookie was shown: the one before stays valid for a grace from now on.
async fn see_newest(state: &State, session: &Session, now: i64) {
    let written = async {
        let mut change = Change::begin(state).await?;
        sqlx::query(
            "UPDATE sessions SET successor_seen_at = $1 \
             WHERE id = $2 AND generation = $3 AND successor_seen_at IS NULL",
        )
        .bind(now)
        .bind(&session.id)
        .bind(session.generations.newest)
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

/// Ends a session that two seem to hold. Which of them is its owner cannot be told, so it ends for
/// both.
async fn end_shared(
    state: &State,
    session: &Session,
    verdict: Verdict,
    visitor: &Visitor,
) -> Result<(), Error> {
    let (id, user_id) = (&session.id, &session.user_id);
    let (reason, kind) = match verdict {
        Verdict::Unconfirmed => ("renewal_unconfirmed", Kind::RenewalUnconfirmed),
        _ => ("copied", Kind::SessionCopied),
    };
    let mut change = Change::begin(state).await?;
    // The user's row first, in the order of every transaction that writes both.
    tell_owner(&mut change, user_id).await?;
    if change.end(reason, Condition::One(id, user_id)).await? == 0 {
        // Another request was first.
        return Ok(());
    }
    // The other holder may have allowed an app something.
    grants::end_all_of(&mut change, user_id, "session_copied").await?;
    // Or have made a key, which would outlive the session for up to a year.
    let revoked = api_keys::revoke_made_since(&mut change, session).await?;
    if revoked > 0 {
        let kind = Kind::ApiKeyRevoked;
        activity::record(&mut change, user_id, kind, Some(id), revoked, visitor).await?;
    }
    activity::record(&mut change, user_id, kind, Some(id), 1, visitor).await?;
    change.commit().await?;
    tracing::warn!(
        event = "session_copied",
        session = id,
        user = user_id,
        reason,
        "a session ended because two seem to hold its cookie"
    );
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
