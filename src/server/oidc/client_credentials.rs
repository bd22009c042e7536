//! A client that asks for itself (RFC 6749, 4.4): no person is behind the token.

use super::{access_tokens, error::OauthError, form::Form, scopes::Scopes, token::Tokens};
use crate::server::{clients::Client, state::State};

/// A token for what was asked for, or for all that the client may have.
pub async fn give(state: &State, client: &Client, form: &Form) -> Result<Tokens, OauthError> {
    let allowed = client.scopes.of_programs();
    let scopes = match form.get("scope") {
        None => allowed,
        // What is about a person is nothing that a client has by itself.
        Some(asked) => Scopes::parse(asked)
            .filter(|asked| asked.are_within(&allowed))
            .ok_or(OauthError::INVALID_SCOPE)?,
    };
    let token = access_tokens::issue(state, client, &client.id, &scopes, None).await?;
    Ok(Tokens::new(token, &scopes))
}
