//! Tokens for an authorization code (RFC 6749, 4.1.3; OpenID Connect Core, 3.1.3).

use super::{access_tokens, error::OauthError, form::Form, id_tokens, token::Tokens};
use crate::server::{
    clients::{Client, GrantType},
    grants::{self, PlainCode},
    sessions::Change,
    state::State,
};

/// Takes the code and gives what it buys.
///
/// # Errors
/// `invalid_grant` if it buys nothing: unknown, used, over, another client's, or for another
/// address or verifier; nobody is told which.
pub async fn give(state: &State, client: &Client, form: &Form) -> Result<Tokens, OauthError> {
    let code = PlainCode::shown(form.require("code")?);
    let redirect_uri = form.require("redirect_uri")?;
    let verifier = form.require("code_verifier")?;
    let mut change = Change::begin(state).await?;
    let bought = grants::buy(state, &mut change, client, &code, redirect_uri, verifier).await?;
    let Some(bought) = bought else {
        // It is used up, and what was found out is kept.
        change.commit().await?;
        return Err(OauthError::INVALID_GRANT);
    };
    let refresh_token = if client.may(GrantType::RefreshToken) {
        Some(grants::hand_out(&mut change, &bought.grant, &bought.scopes).await?)
    } else {
        None
    };
    // Signing may have to write a new key, which would wait for this transaction.
    change.commit().await?;
    let subject = &bought.grant.user_id;
    let access_token =
        access_tokens::issue(state, client, subject, &bought.scopes, Some(&bought.grant)).await?;
    let id_token = if bought.scopes.contains("openid") {
        Some(id_tokens::issue(state, client, &bought, &access_token).await?)
    } else {
        None
    };
    tracing::info!(event = "code_redeemed", client = client.id, user = subject);
    Ok(Tokens {
        refresh_token: refresh_token.map(|it| it.reveal().to_owned()),
        id_token,
        ..Tokens::new(access_token, &bought.scopes)
    })
}
