//! The channel on PostgreSQL: what a transaction says on it, and what becomes of that on every node.

use super::{NEVER, Way};
use crate::server::{db::Tx, error::Error, secret::HashedSid, state::State};
use sqlx::{Connection, PgConnection, postgres::PgListener};
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};
use tokio::time::timeout;

/// What is said on it are hashes of sids, and keys with the time at which they expire, separated by
/// spaces; or one of the other words.
const NAME: &str = "cloakroom_sessions";
/// Words in one notification, whose text PostgreSQL bounds at 8,000 bytes.
const WORDS_AT_ONCE: usize = 150;
/// What the word of a revoked key begins with; no hash does.
const KEY: &str = "key:";
/// Says that something is another which is held in memory and is no session.
const CHANGED: &str = "changed:";
/// What a word to oneself begins with; no hash does.
const BEAT: &str = "beat:";
/// A node sends a word to itself this often.
const BEAT_EVERY: Duration = Duration::from_millis(250);
/// A connection that says nothing for so long, or takes so long to be made, is made anew.
const DEAF_AFTER: Duration = Duration::from_secs(3);

/// Says which sessions a transaction touched, and which keys it revoked.
pub async fn tell_ended(
    tx: &mut Tx,
    sessions: &[HashedSid],
    keys: &[(String, i64)],
) -> Result<(), Error> {
    let keys = keys
        .iter()
        .map(|(id, expires_at)| format!("{KEY}{id}:{expires_at}"));
    let words: Vec<String> = sessions
        .iter()
        .map(|sid| sid.as_str().to_owned())
        .chain(keys)
        .collect();
    for some in words.chunks(WORDS_AT_ONCE) {
        tell(tx, &some.join(" ")).await?;
    }
    Ok(())
}

/// Says that a transaction changed what every node holds in memory and is no session.
pub async fn tell_changed(tx: &mut Tx) -> Result<(), Error> {
    tell(tx, CHANGED).await
}

async fn tell(tx: &mut Tx, words: &str) -> Result<(), Error> {
    // As text, because the driver for both databases knows no type that is none.
    sqlx::query("SELECT CAST(pg_notify($1, $2) AS TEXT)")
        .bind(NAME)
        .bind(words)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Listens, connects anew when the connection is lost, and forgets what others have ended.
pub async fn hear(state: State) {
    let Way::Postgres { url, heard_ms } = &state.hearing.way else {
        return;
    };
    while !state.db.is_closed() {
        if let Ok(Ok((mut listener, mut speaker))) = timeout(DEAF_AFTER, connect(url)).await {
            tokio::select! {
                () = forget_what_is_ended(&state, &mut listener, heard_ms) => {}
                () = beat(&state, &mut speaker) => {}
            }
            heard_ms.store(NEVER, Ordering::SeqCst);
            tracing::warn!(
                event = "not_hearing_endings",
                "every check asks the database"
            );
        }
        tokio::time::sleep(BEAT_EVERY).await;
    }
}

async fn connect(url: &str) -> Result<(PgListener, PgConnection), sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    // The loss is to be known before the next connection is made.
    listener.eager_reconnect(false);
    listener.listen(NAME).await?;
    // Not one of those that requests wait for: they must not be able to make this node deaf.
    let speaker = PgConnection::connect(url).await?;
    Ok((listener, speaker))
}

/// Until nothing comes any more.
async fn forget_what_is_ended(state: &State, listener: &mut PgListener, heard_ms: &AtomicI64) {
    let mut is_first = true;
    while let Ok(Ok(Some(word))) = timeout(DEAF_AFTER, listener.try_recv()).await {
        if word.payload() == CHANGED {
            state.hearing.count_change();
            continue;
        }
        let Some(beat) = word.payload().strip_prefix(BEAT) else {
            word.payload()
                .split(' ')
                .for_each(|word| hear_word(state, word));
            state.back_channel.wake();
            continue;
        };
        let sent_ms = beat
            .strip_prefix(state.node.as_str())
            .and_then(|rest| rest.strip_prefix(':'))
            .and_then(|sent_ms| sent_ms.parse().ok());
        if let Some(sent_ms) = sent_ms {
            if is_first {
                // What was ended while nobody listened is unknown, so all of it is forgotten
                // before any of it is believed again, and the revoked keys are read.
                state.sessions.clear();
                if state.api_keys.revoked.load(state).await.is_err() {
                    return;
                }
                state.hearing.count_change();
                is_first = false;
                tracing::info!(event = "hearing_endings");
            }
            heard_ms.store(sent_ms, Ordering::SeqCst);
        }
    }
}

/// A session that another node has touched, or a key that it has revoked.
fn hear_word(state: &State, word: &str) {
    let Some(key) = word.strip_prefix(KEY) else {
        return state.sessions.forget(&HashedSid::from_row(word.to_owned()));
    };
    let key = key
        .rsplit_once(':')
        .and_then(|(id, expires_at)| Some((id.to_owned(), expires_at.parse().ok()?)));
    state.api_keys.revoked.add(key, state.clock.now_s());
}

/// Sends words to oneself, until one cannot be sent.
async fn beat(state: &State, speaker: &mut PgConnection) {
    loop {
        let word = format!("{BEAT}{}:{}", state.node, state.hearing.now_ms());
        let said = sqlx::query("SELECT pg_notify($1, $2)")
            .bind(NAME)
            .bind(word)
            .execute(&mut *speaker);
        if !matches!(timeout(DEAF_AFTER, said).await, Ok(Ok(_))) {
            return;
        }
        tokio::time::sleep(BEAT_EVERY).await;
    }
}
