//! The beginning of a key.

use super::ApiKey;
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
/// And keys of one account that have not expired, revoked ones included: those are in every
/// node's memory.
const UNEXPIRED_MAX: u32 = 500;
const DAY_S: i64 = 86_400;

/// Makes a key for the owner of this session, which shows it until they confirm that they have it.
///
/// # Errors
/// Field errors for what cannot be taken, one key too many among them.
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
    let mut change = Change::begin(state).await?;
    lock_user(&mut change, user_id).await?;
    change.require_live(session).await?;
    require_room(&mut change, user_id).await?;
    let now = change.now_s();
    let key = ApiKey {
        id: state.random.id()?,
        user_id: user_id.clone(),
        scopes,
        created_at: now,
        expires_at: now + i64::from(days) * DAY_S,
    };
    let plain = state.api_keys.sign(&key)?;
    sqlx::query(
        "INSERT INTO api_keys (id, user_id, label, shown_as, scopes, created_at, expires_at, \
            shown_in) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&key.id)
    .bind(user_id)
    .bind(label.as_str())
    .bind(plain.shown_as())
    .bind(key.scopes.to_string())
    .bind(key.created_at)
    .bind(key.expires_at)
    .bind(&session.id)
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

/// The user's row first, as everybody who writes both does: a key that is made while its owner is
/// being disabled would outlive that.
async fn lock_user(change: &mut Change, user_id: &str) -> Result<(), Error> {
    let locked = sqlx::query(
        "UPDATE users SET disabled_at = disabled_at WHERE id = $1 AND disabled_at IS NULL",
    )
    .bind(user_id)
    .execute(&mut **change)
    .await?;
    if locked.rows_affected() == 0 {
        return Err(wire::Error::SignInNeeded.into());
    }
    Ok(())
}

async fn require_room(change: &mut Change, user_id: &str) -> Result<(), Error> {
    let now = change.now_s();
    let (unexpired, revoked): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COUNT(revoked_at) FROM api_keys WHERE user_id = $1 AND expires_at > $2",
    )
    .bind(user_id)
    .bind(now)
    .fetch_one(&mut **change)
    .await?;
    let problem = if unexpired >= i64::from(UNEXPIRED_MAX) {
        // To revoke one more would not help.
        Problem::UsedUp { max: UNEXPIRED_MAX }
    } else if unexpired - revoked >= i64::from(LIVE_MAX) {
        Problem::TooMany { max: LIVE_MAX }
    } else {
        return Ok(());
    };
    Err(wire::Error::fields([("label", Some(problem))]).into())
}
