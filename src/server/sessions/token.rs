//! The cookie's value: a signed JWT of ids and times. The signature turns forgeries away without
//! asking the database; the row that it names decides. So it is a session, not a stateless token.

use crate::server::{
    error::Error,
    secret::{DerivedKey, PlainSid, Secret},
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};

const TYPE: &str = "session+jwt";
const ISSUER: &str = "cloakroom";
/// Ours are under 400 bytes; nothing longer is parsed (RFC 8725, 3.7).
const LENGTH_MAX: usize = 1024;

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

    /// What a later cookie of the same session says.
    #[must_use]
    pub fn renewed(&self, generation: i64, made_at: i64) -> Self {
        Self {
            generation,
            iat: made_at,
            ..self.clone()
        }
    }

    /// The sid, for looking its row up.
    pub fn sid(&self) -> PlainSid {
        PlainSid::from_token(self.sid.clone())
    }
}

/// Signs and verifies session tokens.
pub struct Signer {
    keys: Vec<(String, EncodingKey, DecodingKey)>,
    validation: Validation,
}

impl Signer {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        let keys = secret
            .derive(TYPE)?
            .into_iter()
            .map(|DerivedKey { id, bytes }| {
                (
                    id,
                    EncodingKey::from_secret(&bytes),
                    DecodingKey::from_secret(&bytes),
                )
            })
            .collect();
        let mut validation = Validation::new(Algorithm::HS256);
        // A claim that is named here must be there, and the type of `Claims` must fit. The times
        // are judged below, by our clock and without leeway.
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.set_issuer(&[ISSUER]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Ok(Self { keys, validation })
    }

    /// Signs with the newest key.
    ///
    /// # Errors
    /// If there is none, or it fails.
    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let (id, key, _) = self.keys.first().ok_or(Error::Crypto("no key"))?;
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(id.clone());
        Ok(encode(&header, claims, key)?)
    }

    /// The claims of a token that one of our keys signed for this purpose and that has not
    /// ended. `None` for anything else; why is nobody's business.
    pub fn verify(&self, token: &str, now: i64) -> Option<Claims> {
        if token.len() > LENGTH_MAX {
            return None;
        }
        let header = decode_header(token).ok()?;
        // The key pins the algorithm; the header only names the key (RFC 8725, 3.1 and 3.10).
        if header.typ.as_deref() != Some(TYPE) || header.alg != Algorithm::HS256 {
            return None;
        }
        // We understand no extension, so a token that needs one is refused (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return None;
        }
        let (_, _, key) = self
            .keys
            .iter()
            .find(|(id, ..)| Some(id) == header.kid.as_ref())?;
        let claims: Claims = decode(token, key, &self.validation).ok()?.claims;
        let is_of_now = claims.exp > now && (0..=now + 60).contains(&claims.iat);
        (claims.iss == ISSUER && is_of_now).then_some(claims)
    }
}
