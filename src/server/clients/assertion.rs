//! `private_key_jwt`: a client proves itself by a short-lived token that it signs with a key of
//! which we have the public part alone (RFC 7523, 2.2 and 3).

use super::Client;
use crate::server::{error::Error, oidc::error::OauthError, secret, state::State};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, crypto,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk},
};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// Nothing longer is looked at (RFC 8725, 3.7).
const LENGTH_MAX: usize = 4_096;
/// An assertion is good for this long at most, in seconds.
const LIFE_MAX_S: i64 = 300;
/// A client's clock may be so far ahead of ours, in seconds.
const AHEAD_MAX_S: i64 = 30;
/// Keys of one client.
const KEYS_MAX: usize = 10;

/// The public keys of a client.
pub struct ClientKeys(Vec<ClientKey>);

struct ClientKey {
    id: Option<String>,
    /// Of the key, not of the token (RFC 8725, 3.1).
    algorithm: Algorithm,
    key: DecodingKey,
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientKeys({})", self.0.len())
    }
}

impl ClientKeys {
    /// Reads a JWK set (RFC 7517, 5).
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_str(text).map_err(|_| "expected a JWK set")?;
        if set.keys.is_empty() || set.keys.len() > KEYS_MAX {
            return Err("expected 1 to 10 keys");
        }
        set.keys
            .into_iter()
            .map(ClientKey::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl ClientKey {
    fn parse(mut jwk: Value) -> Result<Self, &'static str> {
        let members = jwk.as_object_mut().ok_or("expected JWKs")?;
        // Whoever can read our database would be the client.
        if members.contains_key("d") {
            return Err("expected public keys; one has its private part");
        }
        // The library does not know every name that there is for an algorithm, and needs none.
        let named = members.remove("alg");
        let jwk: Jwk = serde_json::from_value(jwk).map_err(|_| "expected JWKs")?;
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
                Algorithm::ES256
            }
            AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {
                Algorithm::EdDSA
            }
            AlgorithmParameters::RSA(rsa) => {
                let length = BASE64_URL_SAFE_NO_PAD.decode(&rsa.n).map_or(0, |n| n.len());
                if length < 256 {
                    return Err("expected RSA keys of 2048 bits or more");
                }
                match named.as_ref().and_then(Value::as_str) {
                    Some("PS256") => Algorithm::PS256,
                    _ => Algorithm::RS256,
                }
            }
            _ => return Err("expected keys for ES256, EdDSA, RS256 or PS256"),
        };
        Ok(Self {
            id: jwk.common.key_id.clone(),
            algorithm,
            key: DecodingKey::from_jwk(&jwk).map_err(|_| "expected JWKs")?,
        })
    }
}

/// What it says of itself. Whatever else is in a header has no say: no address of a key, no key.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// An assertion that nobody has verified yet.
pub(super) struct Assertion<'a> {
    signed: &'a str,
    signature: &'a str,
    header: Header,
    claims: Claims,
}

impl<'a> Assertion<'a> {
    /// Takes it apart.
    pub(super) fn read(token: &'a str) -> Option<Self> {
        if token.len() > LENGTH_MAX {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let bytes = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            signed,
            signature,
            header: serde_json::from_slice(&bytes(header)?).ok()?,
            claims: serde_json::from_slice(&bytes(claims)?).ok()?,
        })
    }

    /// Who it says it is from.
    pub(super) fn client_id(&self) -> &str {
        &self.claims.sub
    }

    /// Whether this client signed it for us, now, and for the first time.
    pub(super) async fn verify(
        &self,
        state: &State,
        client: &Client,
        keys: &ClientKeys,
    ) -> Result<bool, OauthError> {
        let claims = &self.claims;
        let now = state.clock.now_s();
        let is_signed = keys.0.iter().any(|key| {
            // Unsupported extensions are a reason to refuse (RFC 7515, 4.1.11).
            self.header.crit.is_none()
                && names(key.algorithm).contains(&&*self.header.alg)
                && (self.header.kid.is_none() || self.header.kid == key.id)
                && crypto::verify(
                    self.signature,
                    self.signed.as_bytes(),
                    &key.key,
                    key.algorithm,
                )
                .unwrap_or(false)
        });
        let is_for_us = |audience: &String| {
            let issuer = &state.config.oidc.issuer;
            audience
                .strip_prefix(issuer.as_str())
                .is_some_and(|rest| ["", "/oauth2/token"].contains(&rest))
        };
        // For us alone: whoever else it is for could show it to us (RFC 9700, 4.9).
        let is_for_us = match &claims.aud {
            Audience::One(audience) => is_for_us(audience),
            Audience::Many(audiences) => !audiences.is_empty() && audiences.iter().all(is_for_us),
        };
        // Some libraries say an hour, whatever it is for. Five minutes from when it was made are
        // enough for everybody.
        let made_at = claims.iat.unwrap_or(now);
        let ends_at = claims.iat.map_or(claims.exp, |made_at| {
            claims.exp.min(made_at.saturating_add(LIFE_MAX_S))
        });
        let is_of_now = now < ends_at
            && ends_at <= now + LIFE_MAX_S + AHEAD_MAX_S
            && made_at <= now + AHEAD_MAX_S
            && claims.nbf.unwrap_or(now) <= now + AHEAD_MAX_S;
        let is_from_it = claims.iss == client.id && claims.sub == client.id;
        if !(is_signed && is_for_us && is_of_now && is_from_it && !claims.jti.is_empty()) {
            return Ok(false);
        }
        let id = secret::fingerprint(&[&client.id, &claims.jti]);
        Ok(use_once(state, &id, ends_at).await?)
    }
}

/// As headers have it; for Ed25519 also the newer name (RFC 9864, 2.2).
fn names(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::ES256 => &["ES256"],
        Algorithm::EdDSA => &["EdDSA", "Ed25519"],
        Algorithm::RS256 => &["RS256"],
        Algorithm::PS256 => &["PS256"],
        _ => &[],
    }
}

/// Notes that an assertion has been used; whether that is the first time, on any node.
async fn use_once(state: &State, id: &str, ends_at: i64) -> Result<bool, Error> {
    let mut tx = state.db.write().await?;
    let first: Option<(String,)> = sqlx::query_as(
        "INSERT INTO used_assertions (id, ends_at) VALUES ($1, $2) \
         ON CONFLICT (id) DO NOTHING RETURNING id",
    )
    .bind(id)
    .bind(ends_at)
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(first.is_some())
}
