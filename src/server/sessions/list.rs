//! The sessions of one person, as a list.

use super::{following, number};
use crate::{
    server::{error::Error, state::State},
    wire::sessions::{Device, DeviceSession, Devices},
};
use std::collections::HashSet;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    created_at: i64,
    last_seen_at: i64,
    idle_timeout_s: i64,
    ends_at: i64,
    authenticated_by: String,
    authenticated_at: i64,
    is_kept: i64,
    user_agent: String,
    address: String,
}

/// Gives every ticket a number of its own. Of two with the same number the first in the list keeps it.
fn tell_apart(sessions: &mut [DeviceSession]) {
    let mut taken = HashSet::new();
    for session in sessions {
        while !taken.insert(session.number) {
            session.number = following(session.number);
        }
    }
}

/// The live sessions of this user: the one that asks first, if it is one that asks, then the last
/// used.
///
/// # Errors
/// If the database does not answer.
pub async fn list(state: &State, user_id: &str, asking: Option<&str>) -> Result<Devices, Error> {
    let now = state.clock.now_s();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, created_at, last_seen_at, idle_timeout_s, ends_at, authenticated_by, \
                authenticated_at, is_kept, user_agent, address \
         FROM sessions \
         WHERE user_id = $1 AND ended_at IS NULL AND ends_at > $2 \
           AND last_seen_at + idle_timeout_s > $2 \
         ORDER BY last_seen_at DESC, created_at DESC, id LIMIT 1000",
    )
    .bind(user_id)
    .bind(now)
    .fetch_all(state.db.pool())
    .await?;
    let mut sessions: Vec<DeviceSession> = rows
        .into_iter()
        .map(|row| {
            let written = (row.idle_timeout_s, row.ends_at);
            let times = &state.config.session;
            let (idle_timeout_s, ends_at) =
                times.shorten(row.is_kept != 0, row.authenticated_at, written);
            DeviceSession {
                number: number(&row.id),
                is_this: asking == Some(row.id.as_str()),
                device: Device::from_user_agent(&row.user_agent),
                first_seen_at: row.created_at,
                last_seen_at: state
                    .later
                    .seen_at(&row.id)
                    .map_or(row.last_seen_at, |seen_at| seen_at.max(row.last_seen_at)),
                address: row.address,
                signed_in_by: row.authenticated_by,
                idle_timeout_s,
                ends_at,
                id: row.id,
            }
        })
        // The times in force may be shorter than those of the rows.
        .filter(|it| now < it.ends_at && now < it.last_seen_at + it.idle_timeout_s)
        .collect();
    sessions.sort_by_key(|device| (!device.is_this, -device.last_seen_at));
    tell_apart(&mut sessions);
    Ok(Devices { sessions, now })
}
