//! The keys that sign tokens for others: clients and resource servers verify with the public
//! parts, which `/oauth2/jwks` publishes.
//!
//! A key is published when it is made, signs some minutes later, when everybody has had time to
//! fetch it, and is published on until the last token that it signed is over. Its private part
//! is in the database, closed with a key from `data/secret.key` (promise 4).

mod close_anew;
mod commands;
mod key;
mod rotate;

pub use close_anew::close_anew;
pub use commands::{Command, run};
pub use key::SigningKey;
pub use rotate::{Rotation, prepare, retire_all, rotate};

use super::{
    clock::NowAndThen,
    error::Error,
    secret::{Seal, Secret},
    state::State,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use key::Row;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::{Arc, PoisonError, RwLock};

/// No token of ours lives longer, in seconds: a key that signs no more is published for so long.
pub const LONGEST_TOKEN_S: i64 = 3_600;
/// Nothing longer is looked at (RFC 8725, 3.7). Ours are under 2 KB.
const LENGTH_MAX: usize = 4_096;
/// Whoever cannot be asked for a rotation that is due is asked again after this long, in seconds.
const TRY_AGAIN_S: i64 = 60;

/// What signs tokens (RFC 7518, 3.1; RFC 8037, 3.1). ES256 unless a client asks for another.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    #[value(name = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, for clients that know no other.
    #[serde(rename = "RS256")]
    #[value(name = "RS256")]
    Rs256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    #[value(name = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// All of them, the usual one first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::Rs256, Self::EdDsa];

    /// As the `alg` of a header has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    fn of_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

/// The keys in memory.
pub struct SigningKeys {
    seal: Seal,
    held: RwLock<Option<Held>>,
    /// A rotation that is due is tried now and then.
    tried: NowAndThen,
}

/// All keys, and the change after which they were read.
#[derive(Clone)]
struct Held {
    keys: Arc<Vec<SigningKey>>,
    changes: u64,
}

impl SigningKeys {
    /// None in memory yet.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        Ok(Self {
            seal: Seal::new(secret, "signing keys")?,
            held: RwLock::default(),
            tried: NowAndThen::default(),
        })
    }
}

/// All keys that verify, the newest first: from memory where it can be believed.
///
/// # Errors
/// If they have to be asked for and the database does not answer.
pub async fn all(state: &State) -> Result<Arc<Vec<SigningKey>>, Error> {
    let keys = held(state).await?;
    let now = state.clock.now_s();
    if !rotate::is_due(state, &keys, now) {
        return Ok(keys);
    }
    if state.signing_keys.tried.is_due(&state.clock, TRY_AGAIN_S) {
        // What is held signs on: nobody is refused because a new key could not be written.
        match rotate::rotate_what_is_due(state, &keys).await {
            Ok(()) => return held(state).await,
            Err(error) => tracing::error!(event = "keys_not_rotated", %error),
        }
    }
    Ok(keys)
}

async fn held(state: &State) -> Result<Arc<Vec<SigningKey>>, Error> {
    let ours = &state.signing_keys;
    let is_hearing = state.hearing.is_good(&state.sessions, &state.db);
    // Before the rows are read: what changes meanwhile makes what was read old.
    let changes = state.hearing.changes();
    if is_hearing {
        let held = ours.held.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.as_ref().filter(|held| held.changes == changes) {
            return Ok(Arc::clone(&held.keys));
        }
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, algorithm, sealed, created_at, signs_from, retires_at FROM signing_keys \
         WHERE retires_at IS NULL OR retires_at > $1 ORDER BY signs_from DESC, id",
    )
    .bind(state.clock.now_s())
    .fetch_all(state.db.pool())
    .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id.clone();
        if let Some(key) = SigningKey::open(row, &ours.seal) {
            keys.push(key);
        } else {
            // Of a secret that is lost.
            tracing::warn!(event = "signing_key_not_opened", key = id);
        }
    }
    let keys = Arc::new(keys);
    let mut held = ours.held.write().unwrap_or_else(PoisonError::into_inner);
    *held = Some(Held {
        keys: Arc::clone(&keys),
        changes,
    });
    Ok(keys)
}

/// Signs these claims as a token of this type, which is to the letter what [`verify`] asks for.
///
/// # Errors
/// If there is no key and none can be made.
pub async fn sign(
    state: &State,
    algorithm: Algorithm,
    typ: &str,
    claims: &impl Serialize,
) -> Result<String, Error> {
    let now = state.clock.now_s();
    let mut keys = all(state).await?;
    if !keys.iter().any(|key| key.algorithm == algorithm) {
        prepare(state, algorithm).await?;
        keys = all(state).await?;
    }
    // The newest that has been published long enough; without one, better the newest than none.
    let mut of_algorithm = keys.iter().filter(|key| key.algorithm == algorithm);
    let newest = of_algorithm.clone().next();
    let key = of_algorithm
        .find(|key| key.signs_from <= now)
        .or(newest)
        .ok_or(Error::Crypto("no signing key"))?;
    let claims = serde_json::to_vec(claims).map_err(|_| Error::Crypto("claims"))?;
    let mut token = key.header(typ);
    BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = key.sign(token.as_bytes())?;
    Ok(token + "." + &signature)
}

/// Every token of ours has both.
#[derive(Deserialize)]
struct Times {
    exp: i64,
    iat: i64,
}

/// The claims of a token of this type that one of our keys signed and that has not ended. `None`
/// for anything else; why is nobody's business.
///
/// # Errors
/// If the keys have to be asked for and the database does not answer.
pub async fn verify<Claims: DeserializeOwned>(
    state: &State,
    typ: &str,
    token: &str,
) -> Result<Option<Claims>, Error> {
    let Some(claims) = read_signed(state, typ, token).await? else {
        return Ok(None);
    };
    let now = state.clock.now_s();
    let times = serde_json::from_slice::<Times>(&claims).ok();
    // Our own clocks are nearly one; the times are judged without leeway.
    let is_of_now =
        times.is_some_and(|it| now < it.exp && (0..=now.saturating_add(60)).contains(&it.iat));
    if !is_of_now {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&claims).ok())
}

/// The same of a token that may be over: an `id_token_hint` (OpenID Connect RP-Initiated
/// Logout, 2). It says who it was about, and lets nobody in.
///
/// # Errors
/// If the keys have to be asked for and the database does not answer.
pub async fn verify_whatever_its_age<Claims: DeserializeOwned>(
    state: &State,
    typ: &str,
    token: &str,
) -> Result<Option<Claims>, Error> {
    let claims = read_signed(state, typ, token).await?;
    Ok(claims.and_then(|claims| serde_json::from_slice(&claims).ok()))
}

/// The claims, if one of our keys signed them for this issuer and this type.
async fn read_signed(state: &State, typ: &str, token: &str) -> Result<Option<Vec<u8>>, Error> {
    if token.len() > LENGTH_MAX {
        return Ok(None);
    }
    let keys = all(state).await?;
    let now = state.clock.now_s();
    let read = || {
        // A header is one of ours to the letter, or it is none: it has no say in the algorithm,
        // and no other type, extension or address of a key can be in it (RFC 8725, 3.1, 3.10
        // and 3.11; RFC 7515, 4.1.11).
        let (key, header) = keys
            .iter()
            .filter(|key| key.verifies_at(now))
            .map(|key| (key, key.header(typ)))
            .find(|(_, header)| token.starts_with(header))?;
        let (claims, signature) = token.get(header.len()..)?.split_once('.')?;
        let signed = token.get(..header.len() + claims.len())?;
        if !key.is_signed(signed.as_bytes(), signature) {
            return None;
        }
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        let issuer = serde_json::from_slice::<Issuer>(&claims).ok()?;
        (issuer.iss == state.config.oidc.issuer).then_some(claims)
    };
    Ok(read())
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}
