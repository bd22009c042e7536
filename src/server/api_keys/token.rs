//! The key's text: a prefix, a signed JWT and a checksum. Every holder of a key can read it, so it says
//! ids, times and scopes only.

use super::{ApiKey, Keys, OLD_PREFIX, PREFIX, checksum};
use crate::{server::error::Error, wire::api_keys::Scopes};
use serde::{Deserialize, Serialize};

/// Not a session's, and none of another kind (RFC 8725, 3.11).
pub const TYPE: &str = "api-key+jwt";
const ISSUER: &str = "cloakroom";
/// The one place where a key is taken.
const AUDIENCE: &str = "/v1";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    scope: String,
    /// Which of its owner's keys it is. Keys of earlier versions have none.
    #[serde(rename = "num", default, skip_serializing_if = "is_zero")]
    number: i64,
    iat: i64,
    exp: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A key in the clear: in the answer that shows it to its owner, and nowhere else.
pub struct PlainApiKey(String);

impl PlainApiKey {
    /// The text, for its owner.
    pub fn reveal(self) -> String {
        self.0
    }

    /// How it begins and ends: all keys begin alike, and no key can be made from a checksum.
    pub fn shown_as(&self) -> String {
        let end = self.0.len().saturating_sub(checksum::LEN);
        format!("{PREFIX}…{}", self.0.get(end..).unwrap_or_default())
    }
}

impl std::fmt::Debug for PlainApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainApiKey(…)")
    }
}

impl Keys {
    /// Signs a key.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub(super) fn sign(&self, key: &ApiKey) -> Result<PlainApiKey, Error> {
        let token = self.jws.sign(&Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: key.user_id.clone(),
            jti: key.id.clone(),
            scope: key.scopes.to_string(),
            number: key.number,
            iat: key.created_at,
            exp: key.expires_at,
        })?;
        let body = format!("{PREFIX}{token}");
        let checksum = checksum::of(&body);
        Ok(PlainApiKey(body + &checksum))
    }

    /// Reads a key that this server has signed and that has not expired. Whether it has been revoked
    /// is another question.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn read(&self, text: &str, now: i64) -> Result<ApiKey, Refusal> {
        let claims: Claims = self.jws.verify(token_of(text)?).ok_or(Refusal::NotOurs)?;
        // The times are judged by our clock, and without leeway.
        let is_begun = (0..=now + 60).contains(&claims.iat);
        if claims.iss != ISSUER || claims.aud != AUDIENCE || !is_begun {
            return Err(Refusal::NotOurs);
        }
        let scopes = Scopes::parse(&claims.scope).map_err(|_| Refusal::NotOurs)?;
        if claims.exp <= now {
            return Err(Refusal::Expired);
        }
        Ok(ApiKey {
            scopes,
            id: claims.jti,
            user_id: claims.sub,
            number: claims.number,
            created_at: claims.iat,
            expires_at: claims.exp,
        })
    }
}

/// Why a text is no key that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not begin as keys do.
    NotAKey,
    /// Its checksum is wrong.
    Mistyped,
    /// No key of this server has signed it.
    NotOurs,
    /// This server has signed it, and its time is over.
    Expired,
    /// This server has signed it, and it was revoked.
    Revoked,
}

/// The signed part of a key. A wrong checksum costs no signature.
fn token_of(text: &str) -> Result<&str, Refusal> {
    if let Some(token) = text.strip_prefix(OLD_PREFIX) {
        return Ok(token);
    }
    if !text.starts_with(PREFIX) {
        return Err(Refusal::NotAKey);
    }
    let body = checksum::strip(text).and_then(|body| body.strip_prefix(PREFIX));
    body.ok_or(Refusal::Mistyped)
}
