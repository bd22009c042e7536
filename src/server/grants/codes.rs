//! Authorization codes: bound to a client, an address and a challenge, good for a minute, once.

use super::{Grant, PlainCode, find_in, mark_used, revoke, still_allowed};
use crate::server::{
    clients::Client,
    error::Error,
    oidc::scopes::Scopes,
    sessions::{Change, Session},
    state::State,
};
use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// A code is good for so long, in seconds (ASVS 10.4.3).
const CODE_FOR_S: i64 = 60;

/// Clocks of nodes differ by less, in seconds: a code with more time left was made by a clock that has
/// been set back since, and would live for longer than a minute.
const AHEAD_MAX_S: i64 = 60;

/// What a code is bound to.
pub struct NewCode<'a> {
    /// The grant that it is for.
    pub grant_id: &'a str,
    /// Where it is sent.
    pub redirect_uri: &'a str,
    /// SHA-256 of what its buyer must show (RFC 7636).
    pub challenge: &'a str,
    /// Comes back in the id token.
    pub nonce: Option<&'a str>,
    /// What was asked for.
    pub scopes: &'a Scopes,
    /// The session in which it was asked for.
    pub session: &'a Session,
}

/// Makes a code.
///
/// # Errors
/// If the database does not answer.
pub async fn sell(change: &mut Change, new: NewCode<'_>) -> Result<PlainCode, Error> {
    let code = PlainCode::generate(&change.state().random)?;
    let ends_at = change.now_s() + CODE_FOR_S;
    sqlx::query(
        "INSERT INTO authorization_codes (hashed_code, grant_id, redirect_uri, challenge, nonce, \
            scopes, session_id, authenticated_at, authenticated_by, ends_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pwd', $9)",
    )
    .bind(code.hashed().as_str())
    .bind(new.grant_id)
    .bind(new.redirect_uri)
    .bind(new.challenge)
    .bind(new.nonce)
    .bind(new.scopes.to_string())
    .bind(&new.session.id)
    .bind(new.session.authenticated_at)
    .bind(ends_at)
    .execute(&mut **change)
    .await?;
    Ok(code)
}

/// What a code buys.
pub struct Bought {
    /// Under which grant.
    pub grant: Grant,
    /// What was asked for.
    pub scopes: Scopes,
    /// For the id token.
    pub nonce: Option<String>,
    /// The session in which it was asked for, by its public id.
    pub session_id: String,
    /// When its owner had last proved who they are, in Unix seconds.
    pub authenticated_at: i64,
    /// And how (RFC 8176).
    pub authenticated_by: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    grant_id: String,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    scopes: String,
    session_id: String,
    authenticated_at: i64,
    authenticated_by: String,
    ends_at: i64,
}

/// Takes a code, once. `None` if it buys nothing; it is used up all the same. One that was used
/// before has been seen by somebody else, so that whatever hangs on its grant stops (ASVS 10.4.2).
/// The caller commits either way.
///
/// # Errors
/// If the database does not answer.
pub async fn buy(
    state: &State,
    change: &mut Change,
    client: &Client,
    code: &PlainCode,
    redirect_uri: &str,
    verifier: &str,
) -> Result<Option<Bought>, Error> {
    let now = change.now_s();
    let hashed = code.hashed();
    let row: Option<Row> = sqlx::query_as(
        "UPDATE authorization_codes SET used_at = $1 WHERE hashed_code = $2 AND used_at IS NULL \
         RETURNING grant_id, redirect_uri, challenge, nonce, scopes, session_id, \
            authenticated_at, authenticated_by, ends_at",
    )
    .bind(now)
    .bind(hashed.as_str())
    .fetch_optional(&mut **change)
    .await?;
    let Some(row) = row else {
        let used: Option<(String,)> =
            sqlx::query_as("SELECT grant_id FROM authorization_codes WHERE hashed_code = $1")
                .bind(hashed.as_str())
                .fetch_optional(&mut **change)
                .await?;
        if let Some((grant_id,)) = used {
            tracing::warn!(
                event = "code_replayed",
                grant = grant_id,
                client = client.id
            );
            revoke(change, &grant_id, "code_replayed").await?;
        }
        return Ok(None);
    };
    let is_of_live_session = hold_session(change, &row.session_id).await?;
    let Some(grant) = find_in(state, change, &row.grant_id).await? else {
        return Ok(None);
    };
    let is_right = is_of_live_session
        && grant.client_id == client.id
        && row.redirect_uri == redirect_uri
        && (1..=CODE_FOR_S + AHEAD_MAX_S).contains(&(row.ends_at - now))
        && is_verified(verifier, &row.challenge);
    if !is_right {
        return Ok(None);
    }
    mark_used(change, &grant).await?;
    Ok(Some(Bought {
        grant,
        scopes: still_allowed(client, &row.scopes),
        nonce: row.nonce,
        session_id: row.session_id,
        authenticated_at: row.authenticated_at,
        authenticated_by: row.authenticated_by,
    }))
}

/// Whether the session in which a code was asked for has not ended. Whoever ends it just now goes
/// first, or waits and finds that the code was used: then its client is told of the end.
async fn hold_session(change: &mut Change, id: &str) -> Result<bool, Error> {
    let held = sqlx::query(
        "UPDATE sessions SET last_seen_at = last_seen_at WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(id)
    .execute(&mut **change)
    .await?;
    Ok(held.rows_affected() > 0)
}

/// Whether this is what the challenge was made from (RFC 7636, 4.6: S256, and nothing else).
fn is_verified(verifier: &str, challenge: &str) -> bool {
    let is_verifier = (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let made = digest::digest(&digest::SHA256, verifier.as_bytes());
    let made = BASE64_URL_SAFE_NO_PAD.encode(made);
    is_verifier && verify_slices_are_equal(made.as_bytes(), challenge.as_bytes()).is_ok()
}
