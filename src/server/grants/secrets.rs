//! What programs hold: shown once, stored hashed.

use crate::server::{error::Error, random::Random};
use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// 256 random bits: a fast hash is right for them (ASVS 6.5.2).
const BYTES: usize = 32;

macro_rules! secrets {
    ($($(#[$doc:meta])* $plain:ident, $hashed:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        pub struct $plain(String);

        impl $plain {
            /// A new one. What it begins with lets scanners of source code find a leaked one.
            ///
            /// # Errors
            /// If there is no randomness.
            pub fn generate(random: &Random) -> Result<Self, Error> {
                let bytes = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<BYTES>()?);
                Ok(Self(format!(concat!($prefix, "{}"), bytes)))
            }

            /// One that somebody shows.
            pub fn shown(text: &str) -> Self {
                Self(text.to_owned())
            }

            /// The text, for the program that it is for.
            pub fn reveal(&self) -> &str {
                &self.0
            }

            /// What the database keeps.
            pub fn hashed(&self) -> $hashed {
                let digest = digest::digest(&digest::SHA256, self.0.as_bytes());
                $hashed(BASE64_URL_SAFE_NO_PAD.encode(digest))
            }
        }

        impl std::fmt::Debug for $plain {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($plain), "(…)"))
            }
        }

        /// Its SHA-256: whoever has it can show nothing.
        pub struct $hashed(String);

        impl $hashed {
            /// The text of the column.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}

secrets! {
    /// An authorization code (RFC 6749, 1.3.1).
    PlainCode, HashedCode, "co_";
    /// A refresh token (RFC 6749, 1.5).
    PlainRefreshToken, HashedRefreshToken, "rt_";
}
