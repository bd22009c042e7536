//! The key's text: `ck_` and a signed JWT. It can be read by whoever holds it, so that it says ids,
//! times and scopes only.

use super::{ApiKey, Keys, PREFIX};
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
    iat: i64,
    exp: i64,
}

/// A key in the clear: in the answer that shows it to its owner, and nowhere else.
pub struct PlainApiKey(String);

impl PlainApiKey {
    /// The text, for its owner.
    pub fn reveal(self) -> String {
        self.0
    }

    /// How it begins and ends: all keys begin alike, and six letters of a signature sign nothing.
    pub fn shown_as(&self) -> String {
        let text = &self.0;
        let (begin, end) = (text.get(..7), text.get(text.len().saturating_sub(6)..));
        format!("{}…{}", begin.unwrap_or_default(), end.unwrap_or_default())
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
            iat: key.created_at,
            exp: key.expires_at,
        })?;
        Ok(PlainApiKey(format!("{PREFIX}{token}")))
    }

    /// What a text says, if it is a key that we have signed and that has not expired. Whether
    /// it has been revoked is another question.
    pub(super) fn read(&self, text: &str, now: i64) -> Option<ApiKey> {
        let claims: Claims = self.jws.verify(text.strip_prefix(PREFIX)?)?;
        // The times are judged by our clock, and without leeway.
        let is_of_now = claims.exp > now && (0..=now + 60).contains(&claims.iat);
        let is_ours = claims.iss == ISSUER && claims.aud == AUDIENCE;
        if !is_ours || !is_of_now {
            return None;
        }
        Some(ApiKey {
            scopes: Scopes::parse(&claims.scope).ok()?,
            id: claims.jti,
            user_id: claims.sub,
            created_at: claims.iat,
            expires_at: claims.exp,
        })
    }
}
