//! One key: made, closed for the database, opened again, published, and signing.

use super::Algorithm;
use crate::server::{error::Error, secret::Seal};
use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    DecodingKey, crypto,
    jwk::{Jwk, PublicKeyUse},
};

/// A key that signs tokens, as it is in memory.
pub struct SigningKey {
    /// The `kid` of what it signs.
    pub id: String,
    /// The one algorithm that it is for (RFC 8725, 3.1).
    pub algorithm: Algorithm,
    /// When it was made and published, in Unix seconds.
    pub created_at: i64,
    /// It signs from here on, in Unix seconds, until a newer one does.
    pub signs_from: i64,
    /// It verifies until here, in Unix seconds, if there is a newer one.
    pub retires_at: Option<i64>,
    pair: Pair,
    verifying: DecodingKey,
}

/// Both parts of a key.
enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(rsa::KeyPair),
}

/// A row of the table.
#[derive(Clone, sqlx::FromRow)]
pub(super) struct Row {
    pub id: String,
    pub algorithm: String,
    pub sealed: String,
    pub created_at: i64,
    pub signs_from: i64,
    pub retires_at: Option<i64>,
}

impl SigningKey {
    /// The private part of a new key, closed for the row of this id. RSA takes a tenth of a
    /// second or more, the others take none.
    ///
    /// # Errors
    /// If it cannot be made or closed.
    pub(super) fn make(algorithm: Algorithm, id: &str, seal: &Seal) -> Result<String, Error> {
        let failed = |_| Error::Crypto("signing key");
        let private = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            Algorithm::EdDsa => Ed25519KeyPair::generate()
                .and_then(|pair| pair.to_pkcs8v1())
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            Algorithm::Rs256 => rsa::KeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| pair.as_der())
                .map_err(failed)?
                .as_ref()
                .to_vec(),
        };
        seal.close(private, &context(algorithm, id))
    }

    /// Opens a row. `None` if this deployment's secret did not close it.
    pub(super) fn open(row: Row, seal: &Seal) -> Option<Self> {
        let algorithm = Algorithm::parse(&row.algorithm)?;
        let private = seal.open(&row.sealed, &context(algorithm, &row.id))?;
        let (pair, verifying) = match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private);
                let pair = pair.ok()?;
                let verifying = DecodingKey::from_ec_der(pair.public_key().as_ref());
                (Pair::Es256(pair), verifying)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(&private).ok()?;
                let verifying = DecodingKey::from_ed_der(pair.public_key().as_ref());
                (Pair::EdDsa(pair), verifying)
            }
            Algorithm::Rs256 => {
                let pair = rsa::KeyPair::from_pkcs8(&private).ok()?;
                let verifying = DecodingKey::from_rsa_der(pair.public_key().as_ref());
                (Pair::Rs256(pair), verifying)
            }
        };
        Some(Self {
            id: row.id,
            algorithm,
            created_at: row.created_at,
            signs_from: row.signs_from,
            retires_at: row.retires_at,
            pair,
            verifying,
        })
    }

    /// Whether what it signed is still to be believed at this time, in Unix seconds.
    pub fn verifies_at(&self, now: i64) -> bool {
        self.retires_at.is_none_or(|retires_at| now < retires_at)
    }

    /// The public part, as it is published (RFC 7517).
    ///
    /// # Errors
    /// Never in practice: the key is one of ours.
    pub fn jwk(&self) -> Result<Jwk, Error> {
        let mut jwk = Jwk::from_decoding_key(&self.verifying, Some(self.algorithm.of_library()))?;
        jwk.common.key_id = Some(self.id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(jwk)
    }

    /// The first part of each token of this type that it signs, with the dot after it.
    pub(super) fn header(&self, typ: &str) -> String {
        let (algorithm, id) = (self.algorithm.name(), &self.id);
        let header = format!(r#"{{"alg":"{algorithm}","kid":"{id}","typ":"{typ}"}}"#);
        BASE64_URL_SAFE_NO_PAD.encode(header) + "."
    }

    /// The third part of a token, of the first two.
    pub(super) fn sign(&self, text: &[u8]) -> Result<String, Error> {
        let failed = |_| Error::Crypto("signature");
        let signature = match &self.pair {
            Pair::Es256(pair) => pair
                .sign(&SystemRandom::new(), text)
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            Pair::EdDsa(pair) => pair.sign(text).as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &aws_lc_rs::signature::RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    text,
                    &mut signature,
                )
                .map_err(failed)?;
                signature
            }
        };
        Ok(BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whether this is its signature.
    pub(super) fn is_signed(&self, text: &[u8], signature: &str) -> bool {
        let algorithm = self.algorithm.of_library();
        crypto::verify(signature, text, &self.verifying, algorithm).unwrap_or(false)
    }
}

/// A closed key opens in its own row only.
pub(super) fn context(algorithm: Algorithm, id: &str) -> String {
    format!("{} {id}", algorithm.name())
}
