//! `/oauth2/userinfo` (OpenID Connect Core, 5.3): whose an access token is. A bearer token in the
//! header, and nothing else (RFC 6750, 2.1).

use super::access_tokens::{self, AccessToken};
use crate::server::{answer::InItsOwnWords, error::Error, grants, state::State};
use axum::{
    Json,
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

/// The endpoint.
pub async fn answer(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    let Some(shown) = bearer(&headers) else {
        return challenge(StatusCode::UNAUTHORIZED, r#"Bearer realm="userinfo""#);
    };
    match about(&state, shown).await {
        Ok(Ok(said)) => Json(said).into_response(),
        Ok(Err(refused)) => refused,
        Err(error) => super::error::OauthError::from(error).into_response(),
    }
}

async fn about(state: &State, shown: &str) -> Result<Result<serde_json::Value, Response>, Error> {
    let issuer = &state.config.oidc.issuer;
    let token = access_tokens::check(state, shown).await?;
    let token = token.filter(|token| token.is_for(issuer));
    let grant = match token.as_ref().and_then(|it| it.grant_id.as_deref()) {
        Some(id) => grants::find(state, id).await?,
        None => None,
    };
    let (Some(AccessToken { scopes, .. }), Some(grant)) = (token, grant) else {
        let invalid = r#"Bearer realm="userinfo", error="invalid_token", error_description="the access token is unknown, expired or revoked""#;
        return Ok(Err(challenge(StatusCode::UNAUTHORIZED, invalid)));
    };
    if !scopes.contains("openid") {
        let insufficient = r#"Bearer realm="userinfo", error="insufficient_scope", error_description="the access token lacks the scope", scope="openid""#;
        return Ok(Err(challenge(StatusCode::FORBIDDEN, insufficient)));
    }
    let mut said = json!({ "sub": grant.user_id });
    if scopes.contains("email") {
        said["email"] = json!(grant.email);
        // No mail has been sent there yet.
        said["email_verified"] = json!(false);
    }
    Ok(Ok(said))
}

/// The one token of the one header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let is_one = values.next().is_none() && scheme.eq_ignore_ascii_case("bearer");
    is_one.then_some(token)
}

fn challenge(status: StatusCode, challenge: &'static str) -> Response {
    tracing::info!(
        event = "userinfo_refused",
        challenge,
        "a request for the userinfo was refused"
    );
    let mut response = status.into_response();
    response.extensions_mut().insert(InItsOwnWords);
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    );
    response
}
