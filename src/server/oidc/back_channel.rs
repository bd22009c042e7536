//! Clients are told that a session has ended (OpenID Connect Back-Channel Logout), behind the
//! browser's back: by a task, after the ending is in, and a bounded number of times.

use crate::server::{
    clients::{self, Client},
    error::Error,
    sessions::Change,
    signing_keys,
    state::State,
    tasks::supervise,
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::Notify, task::JoinSet, time::timeout};

/// What tells it from every other token of ours (2.4).
const TYPE: &str = "logout+jwt";
/// How long the token lives, in seconds (ASVS 10.5.5: two minutes at most).
const LIFE_S: i64 = 120;
/// After each try that failed the next waits so long, in seconds; after the last there is none.
const WAITS_S: [i64; 4] = [10, 60, 300, 1_800];
/// No next try is further ahead than this, in seconds, clocks of nodes that differ included.
const LONGEST_WAIT_S: i64 = 1_860;
/// A client answers within this long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Told in one go.
const AT_ONCE: i64 = 50;
/// While there is nothing to tell, the task looks so often whether another process has left
/// something, and whether this one is about to end.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Wakes the task when there is something to tell.
#[derive(Default)]
pub struct BackChannel {
    wake: Notify,
}

impl BackChannel {
    /// There is something to tell.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Notes, in the ending itself, which clients are to be told: those that somebody has signed in
/// to in this session. Whether there are any.
///
/// # Errors
/// If the database does not answer.
pub async fn note(change: &mut Change, session_id: &str) -> Result<bool, Error> {
    let clients: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT g.client_id, g.user_id FROM authorization_codes c \
         JOIN grants g ON g.id = c.grant_id JOIN clients k ON k.id = g.client_id \
         WHERE c.session_id = $1 AND c.used_at IS NOT NULL \
           AND k.backchannel_logout_uri IS NOT NULL",
    )
    .bind(session_id)
    .fetch_all(&mut **change)
    .await?;
    for (client_id, user_id) in &clients {
        sqlx::query(
            "INSERT INTO logout_notices (id, client_id, user_id, session_id, tries, next_try_at) \
             VALUES ($1, $2, $3, $4, 0, $5)",
        )
        .bind(change.state().random.id()?)
        .bind(client_id)
        .bind(user_id)
        .bind(session_id)
        .bind(change.now_s())
        .execute(&mut **change)
        .await?;
    }
    Ok(!clients.is_empty())
}

/// Notes the clients that are to be told of the end of all live sessions. Whether there are any.
///
/// # Errors
/// If the database does not answer.
pub async fn note_all(change: &mut Change) -> Result<bool, Error> {
    let sessions: Vec<(String,)> = sqlx::query_as(
        "SELECT DISTINCT c.session_id FROM authorization_codes c \
         JOIN sessions s ON s.id = c.session_id \
         WHERE c.used_at IS NOT NULL AND s.ended_at IS NULL",
    )
    .fetch_all(&mut **change)
    .await?;
    let mut is_any = false;
    for (session_id,) in &sessions {
        is_any |= note(change, session_id).await?;
    }
    Ok(is_any)
}

/// Starts the task. What an earlier process left is told first.
pub fn tell_clients(state: &State) {
    supervise(state, "back_channel_logout", |state| async move {
        let mut is_waiting = true;
        let mut changes = state.hearing.changes();
        while !state.db.is_closed() {
            if is_waiting {
                is_waiting = tell_due(&state).await.unwrap_or_else(|error| {
                    tracing::warn!(event = "clients_not_told", %error);
                    true
                });
            }
            is_waiting |= timeout(LOOK_EVERY, state.back_channel.wake.notified())
                .await
                .is_ok();
            // An operator's command ends sessions in a process of its own, and leaves a mark.
            state.hearing.is_good(&state.sessions, &state.db);
            let heard = state.hearing.changes();
            is_waiting |= heard != changes;
            changes = heard;
        }
    });
}

#[derive(sqlx::FromRow)]
struct Notice {
    id: String,
    client_id: String,
    user_id: String,
    session_id: String,
    tries: i64,
}

/// Tells what is due. Whether something is left for later.
async fn tell_due(state: &State) -> Result<bool, Error> {
    let now = state.clock.now_s();
    let due: Vec<Notice> = sqlx::query_as(
        "SELECT id, client_id, user_id, session_id, tries FROM logout_notices \
         WHERE next_try_at <= $1 OR next_try_at > $3 ORDER BY next_try_at, id LIMIT $2",
    )
    .bind(now)
    .bind(AT_ONCE)
    // No try is that far ahead: a clock that has been set back since wrote it.
    .bind(now + LONGEST_WAIT_S)
    .fetch_all(state.db.for_tasks())
    .await?;
    // At once: one that does not answer keeps no other waiting.
    let mut telling = JoinSet::new();
    for notice in due {
        let state = state.clone();
        telling.spawn(async move { try_once(&state, &notice, now).await });
    }
    let mut tried = Ok(());
    while let Some(one) = telling.join_next().await {
        tried = tried.and(one?);
    }
    tried?;
    let (left,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM logout_notices WHERE next_try_at IS NOT NULL")
            .fetch_one(state.db.for_tasks())
            .await?;
    Ok(left > 0)
}

/// Tells one client, unless another node does.
async fn try_once(state: &State, notice: &Notice, now: i64) -> Result<(), Error> {
    // Whichever node is first tells it; the others find another number of tries.
    let index = usize::try_from(notice.tries).unwrap_or(usize::MAX);
    let next = WAITS_S.get(index).map(|wait_s| now + wait_s);
    let mut tx = state.db.write().await?;
    let taken = sqlx::query(
        "UPDATE logout_notices SET tries = tries + 1, next_try_at = $1 \
         WHERE id = $2 AND tries = $3 AND told_at IS NULL",
    )
    .bind(next)
    .bind(&notice.id)
    .bind(notice.tries)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    if taken.rows_affected() == 0 {
        return Ok(());
    }
    if tell(state, notice).await? {
        let mut tx = state.db.write().await?;
        sqlx::query("UPDATE logout_notices SET told_at = $1, next_try_at = NULL WHERE id = $2")
            .bind(state.clock.now_s())
            .bind(&notice.id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    } else if next.is_none() {
        tracing::warn!(event = "client_not_told", client = notice.client_id);
    }
    Ok(())
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    sid: &'a str,
    events: BTreeMap<&'static str, BTreeMap<String, String>>,
}

/// Tells one client. Whether it has taken it, or is no longer there to be told.
async fn tell(state: &State, notice: &Notice) -> Result<bool, Error> {
    let Some(client) = clients::find(state, &notice.client_id).await? else {
        return Ok(true);
    };
    let Some(address) = &client.backchannel_logout_uri else {
        return Ok(true);
    };
    let token = token(state, &client, notice).await?;
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("logout_token", &token)
        .finish();
    // One each: sessions end seldom, and no connection is kept.
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build();
    let sent = match http {
        Ok(http) => {
            let post = http.post(address);
            let post = post.header("content-type", "application/x-www-form-urlencoded");
            post.body(body).send().await
        }
        Err(error) => Err(error),
    };
    Ok(match sent {
        Ok(answer) => answer.status().is_success(),
        // What the client's server says is for its own operator; the address may have secrets.
        Err(error) => {
            tracing::info!(
                event = "client_unreachable",
                client = client.id,
                timeout = error.is_timeout()
            );
            false
        }
    })
}

async fn token(state: &State, client: &Client, notice: &Notice) -> Result<String, Error> {
    let now = state.clock.now_s();
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let claims = Claims {
        iss: &state.config.oidc.issuer,
        sub: &notice.user_id,
        aud: &client.id,
        iat: now,
        exp: now + LIFE_S,
        jti: &notice.id,
        sid: &notice.session_id,
        events: BTreeMap::from([(event, BTreeMap::new())]),
    };
    signing_keys::sign(state, client.algorithm, TYPE, &claims).await
}
