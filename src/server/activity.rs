//! What happened to an account, for its owner to read.

use super::{error::Error, state::State};
use crate::wire::{
    self,
    activity::{Activity, Entry},
    sessions::Device,
};
use sqlx::AnyConnection;
use std::{net::IpAddr, time::Duration};
use tokio::time::timeout;
pub use wire::activity::Kind;

/// Entries on a page.
const PAGE: usize = 25;
/// Whoever goes on guessing within this time goes on in one entry, in milliseconds.
const ONE_ENTRY_MS: i64 = 600_000;
/// And there are so many of these entries in that time.
const ENTRIES_MAX: usize = 5;
/// How long the list waits for what is not written yet.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// From where, and with what: whoever makes a request, signed in or not.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The client's address, as far as it can be trusted.
    pub address: IpAddr,
    /// What the client calls itself.
    pub user_agent: String,
}

/// Writes down what a change does, in the change itself.
///
/// # Errors
/// If the database does not answer.
pub async fn record(
    change: &mut super::sessions::Change,
    user_id: &str,
    kind: Kind,
    session_id: Option<&str>,
    how_many: u32,
    visitor: &Visitor,
) -> Result<(), Error> {
    let id = change.state().random.id()?;
    let at_ms = change.state().clock.now_ms();
    let entry = NewEntry {
        id,
        user_id,
        at_ms,
        kind,
        session_id,
        how_many,
        user_agent: &visitor.user_agent,
        address: &visitor.address.to_string(),
    };
    insert(change, entry).await
}

/// A row to be.
pub(super) struct NewEntry<'a> {
    pub id: String,
    pub user_id: &'a str,
    pub at_ms: i64,
    pub kind: Kind,
    pub session_id: Option<&'a str>,
    pub how_many: u32,
    pub user_agent: &'a str,
    pub address: &'a str,
}

pub(super) async fn insert(
    connection: &mut AnyConnection,
    entry: NewEntry<'_>,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO activity (id, user_id, at_ms, kind, session_id, how_many, user_agent, \
            address) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(entry.id)
    .bind(entry.user_id)
    .bind(entry.at_ms)
    .bind(entry.kind.code())
    .bind(entry.session_id)
    .bind(i64::from(entry.how_many))
    .bind(entry.user_agent)
    .bind(entry.address)
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    at_ms: i64,
    kind: String,
    how_many: i64,
    user_agent: String,
    address: String,
}

/// What happened to this user's account, newest first, from before the entry that `after` names.
///
/// # Errors
/// [`wire::Error::BadRequest`] if `after` is not the end of an earlier page.
pub async fn list(state: &State, user_id: &str, after: &str) -> Result<Activity, Error> {
    // What waits to be written has happened as well; a disk that is full is no reason to keep the
    // rest from being read.
    let flushed = timeout(FLUSH_WITHIN, state.later.flush(state)).await;
    if let Ok(Err(error)) = flushed {
        tracing::warn!(event = "not_written_yet", %error);
    }
    let (at_ms, id) = read_key(after).ok_or(wire::Error::BadRequest)?;
    let mut rows: Vec<Row> = sqlx::query_as(
        "SELECT id, at_ms, kind, how_many, user_agent, address FROM activity \
         WHERE user_id = $1 AND (at_ms < $2 OR (at_ms = $2 AND id < $3)) \
         ORDER BY at_ms DESC, id DESC LIMIT $4",
    )
    .bind(user_id)
    .bind(at_ms)
    .bind(id)
    .bind(i64::try_from(PAGE + 1).unwrap_or(i64::MAX))
    .fetch_all(state.db.pool())
    .await?;
    let has_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows
        .last()
        .filter(|_| has_more)
        .map(|row| format!("{}.{}", row.at_ms, row.id));
    let entries = rows
        .into_iter()
        .filter_map(|row| {
            Some(Entry {
                at: row.at_ms.div_euclid(1000),
                kind: Kind::from_code(&row.kind)?,
                how_many: u32::try_from(row.how_many).unwrap_or(1),
                device: Device::from_user_agent(&row.user_agent),
                address: row.address,
            })
        })
        .collect();
    Ok(Activity {
        entries,
        next,
        now: state.clock.now_s(),
    })
}

/// The place in the list that an earlier page ended at; none is the beginning.
fn read_key(after: &str) -> Option<(i64, &str)> {
    if after.is_empty() {
        return Some((i64::MAX, ""));
    }
    let (at_ms, id) = after.split_once('.')?;
    let is_id = id.len() <= 32
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    Some((at_ms.parse().ok()?, is_id.then_some(id)?))
}

/// Tries that failed, of one address at one account: an entry that is written now and then.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn add_failures(
    state: &State,
    connection: &mut AnyConnection,
    user_id: &str,
    failed: &super::later::Failed,
) -> Result<(), Error> {
    // They cannot fill the list: whoever goes on goes on in their entry, and when many are at it
    // the latest entry counts for all of them.
    let since = failed.at_ms - ONE_ENTRY_MS;
    let address = failed.visitor.address.to_string();
    let recent: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, address FROM activity \
         WHERE user_id = $1 AND kind = $2 AND at_ms > $3 ORDER BY at_ms DESC, id DESC LIMIT 100",
    )
    .bind(user_id)
    .bind(Kind::SignInFailed.code())
    .bind(since)
    .fetch_all(&mut *connection)
    .await?;
    let own = recent.iter().find(|(_, other)| *other == address);
    let full = recent.first().filter(|_| recent.len() >= ENTRIES_MAX);
    if let Some((id, _)) = own.or(full) {
        sqlx::query("UPDATE activity SET how_many = how_many + $1 WHERE id = $2")
            .bind(i64::from(failed.how_many))
            .bind(id)
            .execute(&mut *connection)
            .await?;
        return Ok(());
    }
    let entry = NewEntry {
        id: state.random.id()?,
        user_id,
        at_ms: failed.at_ms,
        kind: Kind::SignInFailed,
        session_id: None,
        how_many: failed.how_many,
        user_agent: &failed.visitor.user_agent,
        address: &address,
    };
    insert(connection, entry).await
}
