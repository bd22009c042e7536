//! The beginning of a key.

use super::{ApiKey, DAY_S, LONGEST_S, cutoff, lock_owner};
use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        error::Error,
        sessions::{Change, Session},
    },
    wire::{
        self, Problem,
        api_keys::{self, Label, NewApiKey, Scopes},
    },
};

/// Keys of one account that can be used.
const LIVE_MAX: u32 = 50;
/// Revoked keys of one account that every node has in memory, one by one. When there are more, no key
/// is made until the oldest one alive is revoked.
const LISTED_MAX: u32 = 500;

/// Makes a key for the owner of this session, which shows it until they confirm that they have it.
///
/// # Errors
/// Field errors for what cannot be taken, one key too many among them;
/// [`wire::Error::TooManyRequests`] for one that follows the others too fast.
pub async fn mint(
    caller: &Caller,
    session: &Session,
    label: &str,
    scopes: &str,
    expires_in_days: Option<u32>,
) -> Result<NewApiKey, Error> {
    let (label, scopes, days) = read(label, scopes, expires_in_days)?;
    let state = &caller.state;
    let user_id = &session.user_id;
    state.limits.new_key(user_id, &caller.visitor)?;
    let mut change = Change::begin(state).await?;
    // First, as in every transaction that writes both: a key that is made while its owner is being
    // disabled would outlive that.
    lock_owner(&mut change, user_id).await?;
    change.require_live(session).await?;
    require_room(&mut change, user_id).await?;
    let (number,): (i64,) = sqlx::query_as(
        "UPDATE users SET keys_made = keys_made + 1 WHERE id = $1 RETURNING keys_made",
    )
    .bind(user_id)
    .fetch_one(&mut *change)
    .await?;
    let now = change.now_s();
    let key = ApiKey {
        id: state.random.id()?,
        user_id: user_id.clone(),
        number,
        scopes,
        created_at: now,
        expires_at: now + i64::from(days) * DAY_S,
    };
    let plain = state.api_keys.sign(&key)?;
    sqlx::query(
        "INSERT INTO api_keys (id, user_id, label, shown_as, scopes, created_at, expires_at, \
            shown_in, made_in, number) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
    )
    .bind(&key.id)
    .bind(user_id)
    .bind(label.as_str())
    .bind(plain.shown_as())
    .bind(key.scopes.to_string())
    .bind(key.created_at)
    .bind(key.expires_at)
    .bind(&session.id)
    .bind(key.number)
    .execute(&mut *change)
    .await?;
    let (id, visitor) = (Some(session.id.as_str()), &caller.visitor);
    activity::record(&mut change, user_id, Kind::ApiKeyCreated, id, 1, visitor).await?;
    change.commit().await?;
    tracing::info!(event = "api_key_created", user = user_id, key = key.id);
    Ok(NewApiKey {
        id: key.id,
        key: plain.reveal(),
        expires_at: key.expires_at,
        next: "/account/keys".to_owned(),
    })
}

/// Reads all three, so that all problems are told at once.
fn read(
    label: &str,
    scopes: &str,
    expires_in_days: Option<u32>,
) -> Result<(Label, Scopes, u32), wire::Error> {
    let label = Label::parse(label);
    let scopes = Scopes::parse(scopes);
    let days = api_keys::days(expires_in_days);
    match (label, scopes, days) {
        (Ok(label), Ok(scopes), Ok(days)) => Ok((label, scopes, days)),
        (label, scopes, days) => Err(wire::Error::fields([
            ("label", label.err()),
            ("scopes", scopes.err()),
            ("expires_in_days", days.err()),
        ])),
    }
}

async fn require_room(change: &mut Change, user_id: &str) -> Result<(), Error> {
    let now = change.now_s();
    let (live,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM api_keys \
         WHERE user_id = $1 AND expires_at > $2 AND revoked_at IS NULL",
    )
    .bind(user_id)
    .bind(now)
    .fetch_one(&mut **change)
    .await?;
    if live >= i64::from(LIVE_MAX) {
        return Err(no_room(Problem::TooMany { max: LIVE_MAX }));
    }
    if listed(change, user_id).await? >= i64::from(LISTED_MAX) {
        // Keys that expired lately hold the cutoff down, in case the clock is ahead. Here they must not
        // keep their owner without a key.
        cutoff::raise(change, user_id, now).await?;
        if listed(change, user_id).await? >= i64::from(LISTED_MAX) {
            return Err(no_room(Problem::UsedUp { max: LISTED_MAX }));
        }
    }
    Ok(())
}

fn no_room(problem: Problem) -> Error {
    wire::Error::fields([("label", Some(problem))]).into()
}

/// How many revoked keys of this user every node has in memory, one by one.
async fn listed(change: &mut Change, user_id: &str) -> Result<i64, Error> {
    let (listed,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM api_keys k JOIN users u ON u.id = k.user_id \
         WHERE k.user_id = $1 AND k.expires_at > $2 AND k.revoked_at IS NOT NULL \
           AND k.number >= u.keys_refused_below",
    )
    .bind(user_id)
    .bind(change.now_s() - LONGEST_S)
    .fetch_one(&mut **change)
    .await?;
    Ok(listed)
}
