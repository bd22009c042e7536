//! What a client shows to whom it calls: a JWT that lives for five minutes (RFC 9068), verified
//! with the published keys and, where Cloakroom itself is called, against the grant behind it.

use crate::server::{
    clients::Client,
    error::Error,
    grants::{self, Grant},
    oidc::scopes::Scopes,
    signing_keys,
    state::State,
};
use serde::{Deserialize, Serialize};

/// What tells it from every other token of ours (RFC 9068, 2.1).
pub const TYPE: &str = "at+jwt";
/// How long it lives, in seconds.
pub const LIFE_S: i64 = 300;

/// The claims (RFC 9068, 2.2).
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    exp: i64,
    iat: i64,
    jti: String,
    aud: Audience,
    sub: String,
    client_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    scope: String,
    /// The grant of a person, if one is behind it. A client's own token has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant_id: Option<String>,
}

/// One, or several (RFC 7519, 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// A token that is good: what it says.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// Names it, and it alone.
    pub jti: String,
    /// The user's id where a person's grant is behind it, else the client's: no id is both.
    pub subject: String,
    /// Whom it was given to.
    pub client_id: String,
    /// What it allows.
    pub scopes: Scopes,
    /// Whom it may be shown to.
    pub audiences: Vec<String>,
    /// The grant of a person, if one is behind it.
    pub grant_id: Option<String>,
    /// When it was made, in Unix seconds.
    pub issued_at: i64,
    /// When it ends, in Unix seconds.
    pub ends_at: i64,
}

/// Makes one: for a person whose grant is behind it, or, without, for the client itself.
///
/// # Errors
/// If it cannot be signed.
pub async fn issue(
    state: &State,
    client: &Client,
    subject: &str,
    scopes: &Scopes,
    grant: Option<&Grant>,
) -> Result<String, Error> {
    let now = state.clock.now_s();
    let issuer = &state.config.oidc.issuer;
    let audience = client.audience.as_ref().unwrap_or(issuer);
    // With `openid` it may also be shown to Cloakroom itself, for the userinfo.
    let is_for_us_too = grant.is_some() && scopes.contains("openid") && audience != issuer;
    let claims = Claims {
        iss: issuer.clone(),
        exp: now + LIFE_S,
        iat: now,
        jti: state.random.id()?,
        aud: if is_for_us_too {
            Audience::Many(vec![audience.clone(), issuer.clone()])
        } else {
            Audience::One(audience.clone())
        },
        sub: subject.to_owned(),
        client_id: client.id.clone(),
        scope: scopes.to_string(),
        grant_id: grant.map(|grant| grant.id.clone()),
    };
    signing_keys::sign(state, client.algorithm, TYPE, &claims).await
}

/// What a token says that is good now, whomever it is for: it has not ended, was not revoked, its
/// client is not disabled, and the grant behind it is live. Who shows it has to be one whom it is
/// for: see [`AccessToken::is_for`].
///
/// # Errors
/// If the database has to be asked and does not answer.
pub async fn check(state: &State, token: &str) -> Result<Option<AccessToken>, Error> {
    let Some(claims) = signing_keys::verify::<Claims>(state, TYPE, token).await? else {
        return Ok(None);
    };
    let Some(scopes) = Scopes::parse(&claims.scope) else {
        return Ok(None);
    };
    let token = AccessToken {
        jti: claims.jti,
        subject: claims.sub,
        client_id: claims.client_id,
        scopes,
        audiences: match claims.aud {
            Audience::One(audience) => vec![audience],
            Audience::Many(audiences) => audiences,
        },
        grant_id: claims.grant_id,
        issued_at: claims.iat,
        ends_at: claims.exp,
    };
    let is_live = match &token.grant_id {
        Some(grant_id) => grants::is_live(state, grant_id).await?,
        None => token.subject == token.client_id,
    };
    let is_good = is_live
        && super::revoke::is_unrevoked(state, &token).await?
        && crate::server::clients::find(state, &token.client_id)
            .await?
            .is_some();
    Ok(is_good.then_some(token))
}

impl AccessToken {
    /// Whether it may be shown to this one.
    pub fn is_for(&self, audience: &str) -> bool {
        self.audiences.iter().any(|other| other == audience)
    }

    /// Whether a person is behind it, as opposed to the client alone.
    pub fn is_of_a_person(&self) -> bool {
        self.grant_id.is_some()
    }
}
