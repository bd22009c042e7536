//! Who signed in, told to one client (OpenID Connect Core, 2). It proves nothing to anybody else:
//! Cloakroom takes one back only as a hint of who is meant (`id_token_hint`), and opens nothing for it.

use super::access_tokens;
use crate::server::{
    clients::Client, error::Error, grants::Bought, signing_keys, signing_keys::Algorithm,
    state::State,
};
use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// What clients expect it to be.
const TYPE: &str = "JWT";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    amr: [&'a str; 1],
    /// The session's public id: a logout names it.
    sid: &'a str,
    at_hash: String,
}

/// Makes one, beside this access token.
///
/// # Errors
/// If it cannot be signed.
pub async fn issue(
    state: &State,
    client: &Client,
    bought: &Bought,
    access_token: &str,
) -> Result<String, Error> {
    let now = state.clock.now_s();
    let claims = Claims {
        iss: &state.config.oidc.issuer,
        sub: &bought.grant.user_id,
        aud: &client.id,
        exp: now + access_tokens::LIFE_S,
        iat: now,
        auth_time: bought.authenticated_at,
        nonce: bought.nonce.as_deref(),
        amr: [&bought.authenticated_by],
        sid: &bought.session_id,
        at_hash: half_hash(client.algorithm, access_token),
    };
    signing_keys::sign(state, client.algorithm, TYPE, &claims).await
}

/// The left half of a hash, whose algorithm goes with that of the signature (OpenID Connect Core,
/// 3.1.3.6; Ed25519 hashes with SHA-512).
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let algorithm = match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 => &digest::SHA256,
        Algorithm::EdDsa => &digest::SHA512,
    };
    let hash = digest::digest(algorithm, token.as_bytes());
    let half = &hash.as_ref()[..algorithm.output_len / 2];
    BASE64_URL_SAFE_NO_PAD.encode(half)
}

/// Whom one of ours was about.
#[derive(Deserialize)]
pub struct Hint {
    /// The user's id.
    pub sub: String,
    /// Which client's.
    pub aud: String,
}

/// Reads an `id_token_hint`, however old. `None` if we did not make it.
///
/// # Errors
/// If the database has to be asked and does not answer.
pub async fn read_hint(state: &State, token: &str) -> Result<Option<Hint>, Error> {
    signing_keys::verify_whatever_its_age(state, TYPE, token).await
}
