//! Signed JWTs of one kind each (RFC 7515, RFC 7519), for what only Cloakroom itself verifies:
//! HS256, under a key that is derived for the kind and for nothing else. A token of one kind is
//! none of another, whatever it says (RFC 8725, 3.11).

use super::{
    error::Error,
    secret::{DerivedKey, Secret},
};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::atomic::{AtomicBool, Ordering};

/// Ours are under 600 bytes; nothing longer is parsed (RFC 8725, 3.7).
const LENGTH_MAX: usize = 1024;

/// Signs and verifies tokens of one kind.
pub struct Jws {
    keys: Vec<Key>,
    typ: &'static str,
    /// A token of another secret was shown, and the log says so.
    has_warned: AtomicBool,
}

/// The characters of a `kid` of ours.
const KID_LEN: usize = 8;

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
        Ok(Self::of(secret.derive(typ)?, typ))
    }

    /// For tokens of this `typ` alone, with these keys, newest first.
    pub fn of(keys: Vec<DerivedKey>, typ: &'static str) -> Self {
        let keys = keys
            .into_iter()
            .map(|DerivedKey { id, bytes }| {
                let header = format!(r#"{{"alg":"HS256","kid":"{id}","typ":"{typ}"}}"#);
                Key {
                    header: BASE64_URL_SAFE_NO_PAD.encode(header) + ".",
                    hmac: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
                }
            })
            .collect();
        Self {
            keys,
            typ,
            has_warned: AtomicBool::new(false),
        }
    }

    /// Signs with the newest key.
    ///
    /// # Errors
    /// If there is none, or it fails.
    pub fn sign<T: Serialize>(&self, claims: &T) -> Result<String, Error> {
        let key = self.keys.first().ok_or(Error::Crypto("no key"))?;
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
        let found = self
            .keys
            .iter()
            .find_map(|key| Some((key, token.strip_prefix(&key.header)?)));
        let Some((key, rest)) = found else {
            self.warn_of_another_secret(token);
            return None;
        };
        let (claims, signature) = rest.split_once('.')?;
        let signed = &token.as_bytes()[..key.header.len() + claims.len()];
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        // In the same time whatever is shown.
        hmac::verify(&key.hmac, signed, &signature).ok()?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    /// Says once in the log that a token is of a secret that this process does not have. Anonymous
    /// visitors can send such a header too, so that the line accuses no node.
    fn warn_of_another_secret(&self, token: &str) {
        if self.has_warned.load(Ordering::Relaxed) {
            return;
        }
        let Some(kid) = self.kid_of_this_kind(token) else {
            return;
        };
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                event = "unknown_secret",
                kid,
                typ = self.typ,
                "a token is signed with a secret that this node does not have: of another node, or of \
                 a secret that was dropped; this is logged once"
            );
        }
    }

    /// The `kid` of a token whose header has the form of ours.
    fn kid_of_this_kind(&self, token: &str) -> Option<String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Header {
            alg: String,
            kid: String,
            typ: String,
        }
        let (header, _) = token.split_once('.')?;
        let header = BASE64_URL_SAFE_NO_PAD.decode(header).ok()?;
        let header: Header = serde_json::from_slice(&header).ok()?;
        let is_ours = header.alg == "HS256"
            && header.typ == self.typ
            && header.kid.len() == KID_LEN
            && BASE64_URL_SAFE_NO_PAD.decode(&header.kid).is_ok();
        is_ours.then_some(header.kid)
    }
}
