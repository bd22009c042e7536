//! Refresh tokens. The half that people see fills this in.

use super::{error::OauthError, form::Form, token::Tokens};
use crate::server::{clients::Client, error::Error, state::State};

/// What a refresh token that is good says of itself (RFC 7662, 2.2).
pub struct RefreshToken {
    /// The user's id.
    pub subject: String,
    /// Whose it is.
    pub client_id: String,
    /// What it allows, separated by spaces.
    pub scope: String,
    /// When it was made, in Unix seconds.
    pub issued_at: i64,
    /// When it ends, in Unix seconds.
    pub ends_at: i64,
}

/// Tokens for a refresh token, which is used up.
///
/// # Errors
/// `invalid_grant` if it is not good.
pub async fn give(_: &State, _: &Client, _: &Form) -> Result<Tokens, OauthError> {
    Err(OauthError::INVALID_GRANT)
}

/// A refresh token of this client that is good, for introspection. `None` if it is none.
///
/// # Errors
/// If the database does not answer.
pub async fn find(_: &State, _: &Client, _: &str) -> Result<Option<RefreshToken>, Error> {
    Ok(None)
}

/// Revokes a refresh token of this client and the whole of its family (RFC 7009, 2.1). What is none
/// changes nothing.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke(_: &State, _: &Client, _: &str) -> Result<(), Error> {
    Ok(())
}
