//! The channel on PostgreSQL: what a transaction says on it, and what becomes of that on every node.

use super::{NEVER, Way};
use crate::server::{api_keys::Refused, db::Tx, error::Error, secret::HashedSid, state::State};
use sqlx::{Connection, PgConnection, postgres::PgListener};
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};
use tokio::time::timeout;

/// Payload: hashes of sids, and entries of API keys, separated by spaces; or one of the two control
/// messages below.
const NAME: &str = "cloakroom_sessions";
/// Words in one notification, whose text PostgreSQL bounds at 8,000 bytes.
const WORDS_AT_ONCE: usize = 100;
/// What the entry of a revoked key begins with; no hash does. Its parts are separated by colons.
const KEY: &str = "key:";
/// What the entry of a user's cutoff begins with.
const KEYS_BELOW: &str = "keys-below:";
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
    keys: &[Refused],
) -> Result<(), Error> {
    let keys = keys.iter().map(entry);
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

/// Until nothing comes any more, or what comes cannot be read: a node of another release said it, and the
/// list of revoked keys is then loaded anew.
async fn forget_what_is_ended(state: &State, listener: &mut PgListener, heard_ms: &AtomicI64) {
    let mut is_first = true;
    while let Ok(Ok(Some(word))) = timeout(DEAF_AFTER, listener.try_recv()).await {
        if word.payload() == CHANGED {
            state.hearing.count_change();
            continue;
        }
        let Some(beat) = word.payload().strip_prefix(BEAT) else {
            let words = word.payload().split(' ');
            let unreadable = words.filter(|word| !hear_word(state, word)).count();
            state.back_channel.wake();
            if unreadable > 0 {
                tracing::warn!(
                    event = "unreadable_ending",
                    "a node of another release runs on this database"
                );
                return;
            }
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

/// Hears of a session that another node has touched, or of a key that it has revoked. Whether the word
/// could be read.
fn hear_word(state: &State, word: &str) -> bool {
    if !word.contains(':') {
        state.sessions.forget(&HashedSid::from_row(word.to_owned()));
        return true;
    }
    let entry = read_entry(word);
    let is_readable = entry.is_some();
    state.api_keys.revoked.add(entry, &state.clock);
    is_readable
}

/// Writes API keys as they are said on the channel.
fn entry(keys: &Refused) -> String {
    match keys {
        Refused::Key {
            user_id,
            id,
            number,
            expires_at,
        } => format!("{KEY}{user_id}:{id}:{number}:{expires_at}"),
        Refused::Below {
            user_id,
            number,
            until,
        } => format!("{KEYS_BELOW}{user_id}:{number}:{until}"),
    }
}

/// Reads what [`entry`] wrote.
fn read_entry(text: &str) -> Option<Refused> {
    if let Some(cutoff) = text.strip_prefix(KEYS_BELOW) {
        let (user_id, rest) = cutoff.split_once(':')?;
        let (number, until) = rest.split_once(':')?;
        return Some(Refused::Below {
            user_id: user_id.to_owned(),
            number: number.parse().ok()?,
            until: until.parse().ok()?,
        });
    }
    let (user_id, rest) = text.strip_prefix(KEY)?.split_once(':')?;
    let (id, rest) = rest.split_once(':')?;
    let (number, expires_at) = rest.split_once(':')?;
    Some(Refused::Key {
        user_id: user_id.to_owned(),
        id: id.to_owned(),
        number: number.parse().ok()?,
        expires_at: expires_at.parse().ok()?,
    })
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
