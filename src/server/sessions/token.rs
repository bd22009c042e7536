//! The cookie's value: a signed JWT of ids and times. The signature turns forgeries away without
//! asking the database; the row that it names decides. So it is a session, not a stateless token.

use crate::server::{
    error::Error,
    jws::Jws,
    secret::{PlainSid, Secret},
};
use serde::{Deserialize, Serialize};

const TYPE: &str = "session+jwt";
const ISSUER: &str = "cloakroom";

/// Ids and times only: a JWT can be read by whoever holds it (NIST 800-63B-4, 5.1.1).
#[derive(Clone, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    /// The user's id.
    pub sub: String,
    sid: String,
    /// Which of the session's cookies this is; renewal counts up.
    #[serde(rename = "gen")]
    pub generation: i64,
    /// When this cookie was made, in Unix seconds.
    pub iat: i64,
    /// The session's absolute end, in Unix seconds.
    pub exp: i64,
}

impl Claims {
    /// What the first cookie of a session says.
    pub fn new(user_id: &str, sid: &PlainSid, now: i64, ends_at: i64) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            sub: user_id.to_owned(),
            sid: sid.reveal().to_owned(),
            generation: 1,
            iat: now,
            exp: ends_at,
        }
    }

    /// What a later cookie of the same session says, whose end may have become earlier.
    #[must_use]
    pub fn renewed(&self, generation: i64, made_at: i64, ends_at: i64) -> Self {
        Self {
            generation,
            iat: made_at,
            exp: self.exp.min(ends_at),
            ..self.clone()
        }
    }

    /// The sid, for looking its row up.
    pub fn sid(&self) -> PlainSid {
        PlainSid::from_token(self.sid.clone())
    }
}

/// Signs and verifies session tokens.
pub struct Signer(Jws);

impl Signer {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        Jws::new(secret, TYPE).map(Self)
    }

    /// Signs with the newest key.
    ///
    /// # Errors
    /// If there is none, or it fails.
    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        self.0.sign(claims)
    }

    /// The claims of a token that one of our keys signed for this purpose and that has not
    /// ended. `None` for anything else; why is nobody's business.
    pub fn verify(&self, token: &str, now: i64) -> Option<Claims> {
        let claims: Claims = self.0.verify(token)?;
        // The times are judged by our clock, and without leeway.
        let is_of_now = claims.exp > now && (0..=now + 60).contains(&claims.iat);
        (claims.iss == ISSUER && is_of_now).then_some(claims)
    }

    /// Names the user of a token that one of our keys signed for this purpose, whether or not it has
    /// ended. It signs no user in: it says whose form waits.
    pub fn user_of(&self, token: &str) -> Option<String> {
        let claims: Claims = self.0.verify(token)?;
        (claims.iss == ISSUER).then_some(claims.sub)
    }
}
