//! Closes texts for this deployment alone.

use super::Secret;
use crate::server::error::Error;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use std::ops::Range;

/// Closes and opens what only this deployment may read (AES-256-GCM): the newest key closes, all
/// open.
pub struct Seal(Vec<RandomizedNonceKey>);

/// Octets that a seal adds to a text: a nonce and a tag.
pub const SEAL_OVERHEAD: usize = 12 + 16;

impl Seal {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret, purpose: &'static str) -> Result<Self, Error> {
        let keys = secret.derive(purpose)?;
        keys.iter()
            .map(|key| {
                RandomizedNonceKey::new(&AES_256_GCM, &key.bytes).map_err(|_| Error::Crypto("seal"))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Closes it, in base64url. It opens with the same `context` only, which is not a secret: so
    /// an attacker cannot put it in another's place.
    ///
    /// # Errors
    /// If there is no key.
    pub fn close(&self, mut text: Vec<u8>, context: &str) -> Result<String, Error> {
        let failed = || Error::Crypto("seal");
        let key = self.0.first().ok_or_else(failed)?;
        let nonce = key
            .seal_in_place_append_tag(Aad::from(context), &mut text)
            .map_err(|_| failed())?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &text].concat()))
    }

    /// Closes with the newest key what an older one closed in this context. `None` if the newest did, or
    /// none of them.
    ///
    /// # Errors
    /// If it cannot be closed.
    pub fn renew(&self, sealed: &str, context: &str) -> Result<Option<String>, Error> {
        if self.opens(sealed, context, 0..1).is_some() {
            return Ok(None);
        }
        let text = self.open(sealed, context);
        text.map(|text| self.close(text, context)).transpose()
    }

    /// Opens it, if one of our keys closed it in this context.
    pub fn open(&self, sealed: &str, context: &str) -> Option<Vec<u8>> {
        self.opens(sealed, context, 0..self.0.len())
    }

    fn opens(&self, sealed: &str, context: &str, keys: Range<usize>) -> Option<Vec<u8>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        self.0.get(keys)?.iter().find_map(|key| {
            let (nonce, text) = bytes.split_at_checked(12)?;
            let mut text = text.to_vec();
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let open = key.open_in_place(nonce, Aad::from(context), &mut text);
            open.ok().map(|open| open.to_vec())
        })
    }
}
