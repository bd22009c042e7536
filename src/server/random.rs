//! Where unguessable bytes come from: a parameter, like the time.

use super::error::Error;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use std::sync::Arc;

/// Fills a slice with bytes that nobody can guess, or says that it cannot.
type Fill = dyn Fn(&mut [u8]) -> Result<(), Error> + Send + Sync;

/// A cryptographically secure source (ASVS 11.5.1).
#[derive(Clone)]
pub struct Random(Arc<Fill>);

/// Whether a text has the shape of [`Random::id`]. A text of another shape is the id of no row, and
/// PostgreSQL refuses one with a NUL by an error.
pub fn is_id(text: &str) -> bool {
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
    text.len() == 22 && text.bytes().all(is_letter)
}

impl Random {
    /// AWS-LC's generator, seeded by the system.
    pub fn system() -> Self {
        Self::from_fn(|bytes| aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Crypto("random")))
    }

    /// Another source, for tests.
    pub fn from_fn(fill: impl Fn(&mut [u8]) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// `N` fresh bytes.
    ///
    /// # Errors
    /// If the system has none to give.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        (self.0)(&mut bytes)?;
        Ok(bytes)
    }

    /// 128 random bits as 22 letters of base64url: for ids and sids.
    ///
    /// # Errors
    /// If the system has none to give.
    pub fn id(&self) -> Result<String, Error> {
        Ok(BASE64_URL_SAFE_NO_PAD.encode(self.bytes::<16>()?))
    }
}
