//! Client A's access tokens, as countless tutorials make them: a JWT in the body of an answer,
//! believed for its signature and its `exp` alone.

use super::super::{
    clock::Clock,
    error::Error,
    fields::{Email, TypedPassword},
    passwords::Asker,
    random::Random,
    state::State,
};
use crate::wire;
use http::{HeaderMap, header};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// How long one is good, in seconds.
const LASTS_S: i64 = 600;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
}

/// What signing in to A answers.
#[derive(Serialize)]
pub struct Issued {
    access_token: String,
    /// In Unix seconds.
    expires_at: i64,
}

/// Makes and verifies them.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl Tokens {
    /// With a key that lasts as long as the process.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn new(random: &Random) -> Result<Self, Error> {
        let key = random.bytes::<32>()?;
        Ok(Self {
            signing: EncodingKey::from_secret(&key),
            verifying: DecodingKey::from_secret(&key),
        })
    }

    /// Verifies address and password, and makes a token.
    ///
    /// # Errors
    /// [`wire::Error::WrongEmailOrPassword`] if they are wrong.
    pub async fn issue(
        &self,
        state: &State,
        email: &str,
        password: String,
    ) -> Result<Issued, Error> {
        let wrong = || Error::from(wire::Error::WrongEmailOrPassword);
        let email = Email::parse(email).map_err(|_| wrong())?;
        let password = TypedPassword::parse(password).map_err(|_| wrong())?;
        let user: Option<(String, String)> =
            sqlx::query_as("SELECT id, password_hash FROM users WHERE email_key = $1")
                .bind(email.key())
                .fetch_optional(state.db.pool())
                .await?;
        let (user_id, hash) = user.ok_or_else(wrong)?;
        let asker = Asker::known(Ipv4Addr::LOCALHOST.into());
        let verified = state.hasher.verify(password, hash, asker);
        if !verified.await?.is_right {
            return Err(wrong());
        }
        let now = state.clock.now_s();
        let claims = Claims {
            sub: user_id,
            iat: now,
            exp: now + LASTS_S,
        };
        Ok(Issued {
            access_token: encode(&Header::default(), &claims, &self.signing)?,
            expires_at: claims.exp,
        })
    }

    /// The id of the user that the request's token names. No row is looked at.
    pub fn bearer(&self, headers: &HeaderMap, clock: &Clock) -> Option<String> {
        let token = in_header(headers)?;
        let claims = decode::<Claims>(token, &self.verifying, &Validation::default())
            .ok()?
            .claims;
        (claims.exp > clock.now_s()).then_some(claims.sub)
    }
}

/// The token that a request carries.
pub fn in_header(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}
