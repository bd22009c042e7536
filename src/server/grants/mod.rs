//! What a person has allowed a program: one row, on which codes, refresh tokens and access tokens
//! hang. It ends with the session in which it was given, or outlives it (`offline_access`).
//!
//! It is also the memory of consent: whoever has allowed something is not asked again, until they
//! take it back or their account was in danger.

mod codes;
mod end;
mod list;
mod refresh;
mod revocable;
mod secrets;

pub use codes::{Bought, NewCode, buy, sell};
pub use end::{end_all_of, end_app, end_everything, end_of_session, revoke};
pub use list::list;
pub use refresh::{FAMILY_FOR_S, Refreshed, hand_out, refresh};
pub use revocable::{end_chosen, list_revocable};
pub use secrets::{PlainCode, PlainRefreshToken};

use super::{
    clients::{Client, GrantType},
    db::Conn,
    error::Error,
    oidc::scopes::Scopes,
    sessions::{Change, Session},
    state::State,
};

/// Consent that was given so long ago, in seconds, answers a request that asks for it anew.
const JUST_NOW_S: i64 = 60;

/// Whose it is, and what it allows.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Grant {
    /// Public.
    pub id: String,
    /// Whose.
    pub user_id: String,
    /// Which program's.
    pub client_id: String,
    /// The session with which it ends, by its public id; none: it outlives it.
    pub session_id: Option<String>,
    /// When that session ends at the latest, in Unix seconds.
    pub session_ends_at: Option<i64>,
    /// Their address.
    pub email: String,
    #[sqlx(rename = "idle_from")]
    last_seen_at: Option<i64>,
    idle_timeout_s: Option<i64>,
    is_kept: Option<i64>,
    authenticated_at: Option<i64>,
}

/// A grant that nobody has revoked, of somebody who is not kept out, and whose session, if it
/// hangs on one, has not ended.
const FIND: &str = "SELECT g.id, g.user_id, g.client_id, g.session_id, \
        s.ends_at AS session_ends_at, u.email, s.last_seen_at AS idle_from, s.idle_timeout_s, \
        s.is_kept, s.authenticated_at \
     FROM grants g JOIN users u ON u.id = g.user_id \
     LEFT JOIN sessions s ON s.id = g.session_id \
     WHERE g.id = $1 AND g.revoked_at IS NULL AND u.disabled_at IS NULL AND s.ended_at IS NULL";

/// The grant of this id, if it is live.
///
/// # Errors
/// If the database does not answer.
pub async fn find(state: &State, id: &str) -> Result<Option<Grant>, Error> {
    let mut connection = state.db.pool().acquire().await?;
    find_in(state, &mut connection, id).await
}

/// Whether a grant is live: neither it, nor the session that it hangs on, nor the account has
/// ended.
///
/// # Errors
/// If the database does not answer.
pub async fn is_live(state: &State, id: &str) -> Result<bool, Error> {
    Ok(find(state, id).await?.is_some())
}

/// The same within a transaction.
async fn find_in(state: &State, connection: &mut Conn, id: &str) -> Result<Option<Grant>, Error> {
    let found: Option<Grant> = sqlx::query_as(FIND)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(found
        .map(|grant| grant.shortened(state))
        .filter(|grant| grant.is_within_session(state)))
}

impl Grant {
    /// Applies times of sessions that have become shorter since the session was started.
    fn shortened(mut self, state: &State) -> Self {
        if let (Some(ends_at), Some(idle_s), Some(is_kept), Some(since)) = (
            self.session_ends_at,
            self.idle_timeout_s,
            self.is_kept,
            self.authenticated_at,
        ) {
            let times = &state.config.session;
            let (idle_s, ends_at) = times.shorten(is_kept != 0, since, (idle_s, ends_at));
            (self.idle_timeout_s, self.session_ends_at) = (Some(idle_s), Some(ends_at));
        }
        self
    }

    /// A session may be over by its times without anybody having looked at it since.
    fn is_within_session(&self, state: &State) -> bool {
        let (Some(id), Some(ends_at)) = (&self.session_id, self.session_ends_at) else {
            return true;
        };
        let now = state.clock.now_s();
        let written = self.last_seen_at.unwrap_or_default();
        // What this node has seen and not yet written counts as well.
        let seen_at = state
            .later
            .seen_at(id)
            .map_or(written, |it| it.max(written));
        now < ends_at && now < seen_at + self.idle_timeout_s.unwrap_or_default()
    }
}

/// Something was bought under this grant.
async fn mark_used(change: &mut Change, grant: &Grant) -> Result<(), Error> {
    sqlx::query("UPDATE grants SET last_used_at = $1 WHERE id = $2")
        .bind(change.now_s())
        .bind(&grant.id)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// What was once asked for, as far as the client may have it today: its operator may have taken
/// some of it away.
fn still_allowed(client: &Client, scopes: &str) -> Scopes {
    let asked = Scopes::parse(scopes).unwrap_or_default();
    asked.among(&client.scopes)
}

/// Whoever changes their password meanwhile, or takes back what they have allowed, goes first or
/// waits: what is allowed here is either among what that ends, or allowed after it, by a session
/// that outlived it.
///
/// # Errors
/// [`wire::Error::SignInNeeded`] if the session has ended meanwhile.
///
/// [`wire::Error::SignInNeeded`]: crate::wire::Error::SignInNeeded
pub async fn hold(change: &mut Change, session: &Session) -> Result<(), Error> {
    sqlx::query("UPDATE users SET email = email WHERE id = $1")
        .bind(&session.user_id)
        .execute(&mut **change)
        .await?;
    change.require_live(session).await
}

/// Whether the caller has allowed this client these scopes, so that nobody has to be asked.
///
/// # Errors
/// If the database does not answer.
pub async fn is_consented(
    change: &mut Change,
    session: &Session,
    client: &Client,
    scopes: &Scopes,
    redirect_uri: &str,
) -> Result<bool, Error> {
    if client.is_trusted {
        return Ok(true);
    }
    let rows: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT scopes, consented_at, consented_in FROM grants \
         WHERE user_id = $1 AND client_id = $2 AND consented_at IS NOT NULL \
           AND (revoked_at IS NULL OR revoked_reason = 'session_ended') \
         ORDER BY consented_at DESC LIMIT 100",
    )
    .bind(&session.user_id)
    .bind(&client.id)
    .fetch_all(&mut **change)
    .await?;
    let now = change.now_s();
    // Whoever can be imitated is asked about each time: a program without a secret, at an address
    // that any program of the same device can take (RFC 8252, 8.6; ASVS 10.7.1).
    let is_uncertain = client.is_public() && !redirect_uri.starts_with("https://");
    Ok(rows.iter().any(|(allowed, at, in_session)| {
        let is_just_now = now < at + JUST_NOW_S && *in_session == session.id;
        let allowed = Scopes::parse(allowed).unwrap_or_default();
        scopes.are_within(&allowed) && (is_just_now || !is_uncertain)
    }))
}

/// The grant under which this session asks for these scopes: the one that there is, or a new one.
/// `is_consented` if its owner has just been asked, and has allowed it.
///
/// # Errors
/// If the database does not answer.
pub async fn open(
    change: &mut Change,
    session: &Session,
    client: &Client,
    scopes: &Scopes,
    is_consented: bool,
) -> Result<String, Error> {
    let now = change.now_s();
    let outlives = scopes.contains("offline_access") && client.may(GrantType::RefreshToken);
    let session_id = (!outlives).then_some(&session.id);
    // One a session; of those that outlive it each is a family of its own, so that a new one is
    // begun for each sign-in.
    let known: Option<(String, String)> = sqlx::query_as(
        "SELECT id, scopes FROM grants \
         WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL \
           AND (session_id = $3 OR (session_id IS NULL AND $4 = 1 AND last_used_at IS NULL \
                AND consented_in = $5)) \
         ORDER BY created_at DESC, id LIMIT 1",
    )
    .bind(&session.user_id)
    .bind(&client.id)
    .bind(session_id)
    .bind(i64::from(outlives))
    .bind(&session.id)
    .fetch_optional(&mut **change)
    .await?;
    let consented_at = is_consented.then_some(now);
    let consented_in = is_consented.then_some(&session.id);
    let Some((id, before)) = known else {
        let id = change.state().random.id()?;
        sqlx::query(
            "INSERT INTO grants (id, user_id, client_id, session_id, scopes, created_at, \
                consented_at, consented_in) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&id)
        .bind(&session.user_id)
        .bind(&client.id)
        .bind(session_id)
        .bind(scopes.to_string())
        .bind(now)
        .bind(consented_at)
        .bind(consented_in)
        .execute(&mut **change)
        .await?;
        return Ok(id);
    };
    let all = Scopes::parse(&format!("{before} {scopes}")).unwrap_or_default();
    sqlx::query(
        "UPDATE grants SET scopes = $1, consented_at = COALESCE($2, consented_at), \
            consented_in = COALESCE($3, consented_in), kept_at = NULL WHERE id = $4",
    )
    .bind(all.to_string())
    .bind(consented_at)
    .bind(consented_in)
    .bind(&id)
    .execute(&mut **change)
    .await?;
    Ok(id)
}
