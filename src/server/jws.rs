//! Signed JWTs of one kind each (RFC 7515, RFC 7519), for what only Cloakroom itself verifies:
//! HS256, under a key that is derived for the kind and for nothing else. A token of one kind is
//! none of another, whatever it says (RFC 8725, 3.11).

use super::{
    error::Error,
    secret::{DerivedKey, Secret},
};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

/// Ours are under 600 bytes; nothing longer is parsed (RFC 8725, 3.7).
const LENGTH_MAX: usize = 1024;

/// Signs and verifies tokens of one kind.
pub struct Jws(Vec<Key>);

/// One of the deployment's keys.
struct Key {
    /// The first part of every token that it signs, with the dot after it.
    header: String,
    /// Made ready once, and not at every token.
    hmac: hmac::Key,
}

impl Jws {
    /// For tokens of this `typ` alone, with keys from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret, typ: &'static str) -> Result<Self, Error> {
        let keys = secret
            .derive(typ)?
            .into_iter()
            .map(|DerivedKey { id, bytes }| {
                let header = format!(r#"{{"alg":"HS256","kid":"{id}","typ":"{typ}"}}"#);
                Key {
                    header: BASE64_URL_SAFE_NO_PAD.encode(header) + ".",
                    hmac: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
                }
            })
            .collect();
        Ok(Self(keys))
    }

    /// Signs with the newest key.
    ///
    /// # Errors
    /// If there is none, or it fails.
    pub fn sign<T: Serialize>(&self, claims: &T) -> Result<String, Error> {
        let key = self.0.first().ok_or(Error::Crypto("no key"))?;
        let claims = serde_json::to_vec(claims).map_err(|_| Error::Crypto("claims"))?;
        let mut token = key.header.clone();
        BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = hmac::sign(&key.hmac, token.as_bytes());
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The claims of a token of this kind that one of our keys signed. Whose they are, and
    /// whether their time has come or gone, is for the caller to say. `None` for anything else;
    /// why is nobody's business.
    pub fn verify<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
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
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        // In the same time whatever is shown.
        hmac::verify(&key.hmac, signed, &signature).ok()?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        serde_json::from_slice(&claims).ok()
    }
}
