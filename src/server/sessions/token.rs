//! The cookie's value: a signed JWT of ids and times. The signature turns forgeries away without
//! asking the database; the row that it names decides. So it is a session, not a stateless token.

use crate::server::{
    error::Error,
    secret::{DerivedKey, PlainSid, Secret},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
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
pub struct Signer(Vec<Key>);

/// One of the deployment's keys.
struct Key {
    /// The first part of every token that it signs, with the dot after it.
    header: String,
    signing: EncodingKey,
    verifying: DecodingKey,
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
                let header = format!(r#"{{"alg":"HS256","kid":"{id}","typ":"{TYPE}"}}"#);
                Key {
                    header: BASE64_URL_SAFE_NO_PAD.encode(header) + ".",
                    signing: EncodingKey::from_secret(&bytes),
                    verifying: DecodingKey::from_secret(&bytes),
                }
            })
            .collect();
        Ok(Self(keys))
    }

    /// Signs with the newest key.
    ///
    /// # Errors
    /// If there is none, or it fails.
    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let key = self.0.first().ok_or(Error::Crypto("no key"))?;
        let claims = serde_json::to_vec(claims).map_err(|_| Error::Crypto("claims"))?;
        let mut token = key.header.clone();
        BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = crypto::sign(token.as_bytes(), &key.signing, Algorithm::HS256)?;
        Ok(token + "." + &signature)
    }

    /// The claims of a token that one of our keys signed for this purpose and that has not
    /// ended. `None` for anything else; why is nobody's business.
    pub fn verify(&self, token: &str, now: i64) -> Option<Claims> {
        if token.len() > LENGTH_MAX {
            return None;
        }
        // A header is one of ours to the letter, or it is none: it has no say in the algorithm,
        // and no extension, address of a key or other type can be in it (RFC 8725, 3.1 and 3.10;
        // RFC 7515, 4.1.11).
        let (key, rest) = self
            .0
            .iter()
            .find_map(|key| Some((key, token.strip_prefix(&key.header)?)))?;
        let (claims, signature) = rest.split_once('.')?;
        let signed = &token.as_bytes()[..key.header.len() + claims.len()];
        let is_ours = crypto::verify(signature, signed, &key.verifying, Algorithm::HS256);
        if !is_ours.ok()? {
            return None;
        }
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        // The times are judged by our clock, and without leeway.
        let is_of_now = claims.exp > now && (0..=now + 60).contains(&claims.iat);
        (claims.iss == ISSUER && is_of_now).then_some(claims)
    }
}
