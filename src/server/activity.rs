//! What happened to an account, for its owner to read.

use super::{
    db::Conn,
    error::Error,
    failures::Failed,
    limits::{Refusals, address_key},
    state::State,
};
use crate::wire::{
    self,
    activity::{Activity, Entry},
    sessions::Device,
};
use std::{net::IpAddr, time::Duration};
use tokio::time::timeout;
pub use wire::activity::Kind;

/// Entries on a page.
const PAGE: usize = 25;
/// Failed sign-ins from one device at one address within this time are merged into one entry, in
/// milliseconds.
const ONE_ENTRY_MS: i64 = 600_000;
/// Entries with a device and an address within that time; further devices and addresses are counted
/// together in an entry that names none.
const ENTRIES_MAX: usize = 5;
/// Entries of one network within that time, so that one attacker with many browsers' names leaves room
/// for the user's own.
const ENTRIES_OF_NETWORK_MAX: usize = 2;
/// Refused tries within this time go on in one entry, in milliseconds.
const ONE_FLOOD_MS: i64 = 3_600_000;
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

impl Visitor {
    /// Whether an entry with this address and `User-Agent` shows the device and address of this visitor.
    pub(super) fn is_at(&self, address: &str, user_agent: &str) -> bool {
        let device = Device::from_user_agent;
        self.address.to_string() == address && device(&self.user_agent) == device(user_agent)
    }
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

pub(super) async fn insert(connection: &mut Conn, entry: NewEntry<'_>) -> Result<(), Error> {
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
                address: Some(row.address).filter(|it| !it.is_empty()),
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

/// Whether a user is still there: tries that wait to be written may be of an account that has been
/// deleted since.
async fn is_there(connection: &mut Conn, user_id: &str) -> Result<bool, Error> {
    let found: Option<(String,)> = sqlx::query_as("SELECT id FROM users WHERE id = $1")
        .bind(user_id)
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// Counts failed sign-ins at one account: on the entry of this device and address, on a new one, or on
/// the entry of all others. An entry is true of each try that it counts.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn add_failures(
    state: &State,
    connection: &mut Conn,
    user_id: &str,
    failed: &Failed,
) -> Result<(), Error> {
    let recent: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT id, address, user_agent FROM activity \
         WHERE user_id = $1 AND kind = $2 AND at_ms > $3 AND at_ms < $4 \
         ORDER BY at_ms DESC, id DESC LIMIT 100",
    )
    .bind(user_id)
    .bind(Kind::SignInFailed.code())
    .bind(failed.at_ms - ONE_ENTRY_MS)
    // An entry of a clock that was ahead counts no tries of now.
    .bind(failed.at_ms + ONE_ENTRY_MS)
    .fetch_all(&mut *connection)
    .await?;
    let visitor = failed.visitor.as_ref();
    let own = recent
        .iter()
        .find(|(_, address, agent)| visitor.is_some_and(|it| it.is_at(address, agent)));
    let named = visitor.filter(|it| own.is_some() || has_room(&recent, it));
    let others = recent.iter().find(|(_, address, _)| address.is_empty());
    let known = if named.is_some() { own } else { others };
    if let Some((id, ..)) = known {
        sqlx::query("UPDATE activity SET how_many = how_many + $1 WHERE id = $2")
            .bind(i64::from(failed.how_many))
            .bind(id)
            .execute(&mut *connection)
            .await?;
        return Ok(());
    }
    if !is_there(&mut *connection, user_id).await? {
        return Ok(());
    }
    let address = named.map(|it| it.address.to_string()).unwrap_or_default();
    let entry = NewEntry {
        id: state.random.id()?,
        user_id,
        at_ms: failed.at_ms,
        kind: Kind::SignInFailed,
        session_id: None,
        how_many: failed.how_many,
        user_agent: named.map_or("", |it| &it.user_agent),
        address: &address,
    };
    insert(connection, entry).await
}

/// Whether one more device or address gets an entry of its own beside these.
fn has_room(recent: &[(String, String, String)], visitor: &Visitor) -> bool {
    let network = address_key(visitor.address);
    let named = recent
        .iter()
        .filter_map(|(_, address, _)| address.parse().ok());
    let networks: Vec<String> = named.map(address_key).collect();
    let of_network = networks.iter().filter(|it| **it == network).count();
    networks.len() < ENTRIES_MAX && of_network < ENTRIES_OF_NETWORK_MAX
}

/// Adds tries at one account that were refused to the entry of this flood, or makes one. Where they come
/// from several addresses it names none, and from several devices no device.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn add_refusals(
    state: &State,
    connection: &mut Conn,
    user_id: &str,
    refusals: &Refusals,
) -> Result<(), Error> {
    let visitor = refusals.visitor.as_ref();
    let address = visitor.map_or_else(String::new, |visitor| visitor.address.to_string());
    let going_on: Option<(String, String, String)> = sqlx::query_as(
        "SELECT id, address, user_agent FROM activity \
         WHERE user_id = $1 AND kind = $2 AND at_ms > $3 AND at_ms < $4 \
         ORDER BY at_ms DESC, id DESC LIMIT 1",
    )
    .bind(user_id)
    .bind(Kind::TriesRefused.code())
    .bind(refusals.at_ms - ONE_FLOOD_MS)
    // An entry of a clock that was ahead counts no tries of now.
    .bind(refusals.at_ms + ONE_FLOOD_MS)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some((id, known_address, agent)) = going_on {
        let is_same = visitor.is_some_and(|it| it.is_at(&known_address, &agent));
        sqlx::query(
            "UPDATE activity SET how_many = how_many + $1, \
                 user_agent = CASE WHEN $3 = 1 THEN user_agent ELSE '' END, \
                 address = CASE WHEN address = $2 THEN address ELSE '' END \
             WHERE id = $4",
        )
        .bind(i64::from(refusals.how_many))
        .bind(address)
        .bind(i64::from(is_same))
        .bind(id)
        .execute(&mut *connection)
        .await?;
        return Ok(());
    }
    if !is_there(&mut *connection, user_id).await? {
        return Ok(());
    }
    let entry = NewEntry {
        id: state.random.id()?,
        user_id,
        at_ms: refusals.at_ms,
        kind: Kind::TriesRefused,
        session_id: None,
        how_many: refusals.how_many,
        user_agent: visitor.map_or("", |visitor| &visitor.user_agent),
        address: &address,
    };
    insert(connection, entry).await
}
