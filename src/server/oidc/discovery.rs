//! What clients read before they ask: where the endpoints are (OpenID Connect Discovery, 3;
//! RFC 8414, 2), and the keys that verify the tokens (RFC 7517, 5).

use super::{error::OauthError, scopes::OF_PEOPLE};
use crate::server::{
    clients::GrantType, error::Error, signing_keys, signing_keys::Algorithm, state::State,
};
use axum::{
    Json,
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use http::header;
use serde_json::{Value, json};

/// How long answers may be kept at most, in seconds.
const KEPT_MAX_S: u32 = 300;

/// The metadata. All of it comes from the configuration: a `Host` has no say (security.md OA-13).
pub async fn answer(Extract(state): Extract<State>) -> Response {
    kept(&state, metadata(&state))
}

/// Whoever keeps it for so long has every new key before it signs.
fn kept(state: &State, answer: Value) -> Response {
    let kept_s = KEPT_MAX_S.min(state.config.oidc.publish_keys_before_s / 2);
    let kept = format!("public, max-age={kept_s}");
    ([(header::CACHE_CONTROL, kept)], Json(answer)).into_response()
}

fn metadata(state: &State) -> Value {
    let issuer = &state.config.oidc.issuer;
    let at = |path: &str| format!("{issuer}/oauth2/{path}");
    let authentication = [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ];
    // Ed25519 has two names (RFC 9864, 2.2).
    let signing = ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"];
    let with_none = [&authentication[..], &["none"]].concat();
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "end_session_endpoint": at("logout"),
        "jwks_uri": at("jwks"),
        "introspection_endpoint": at("introspect"),
        "revocation_endpoint": at("revoke"),
        "scopes_supported": OF_PEOPLE,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "amr", "sid",
                             "email", "email_verified"],
        "prompt_values_supported": ["none", "login", "select_account", "consent"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GrantType::ALL.map(GrantType::name),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported": with_none,
        "token_endpoint_auth_signing_alg_values_supported": signing,
        "introspection_endpoint_auth_methods_supported": authentication,
        "introspection_endpoint_auth_signing_alg_values_supported": signing,
        "revocation_endpoint_auth_methods_supported": with_none,
        "revocation_endpoint_auth_signing_alg_values_supported": signing,
        // Whoever says nothing of it says that it is (OpenID Connect Discovery, 3).
        "request_uri_parameter_supported": false,
    })
}

/// The keys, those that sign no more or not yet among them.
pub async fn jwks(Extract(state): Extract<State>) -> Response {
    match published(&state).await {
        Ok(keys) => kept(&state, keys),
        Err(error) => OauthError::from(error).into_response(),
    }
}

async fn published(state: &State) -> Result<Value, Error> {
    let keys = signing_keys::all(state).await?;
    let now = state.clock.now_s();
    let keys = keys.iter().filter(|key| key.verifies_at(now));
    let keys = keys.map(signing_keys::SigningKey::jwk);
    Ok(json!({ "keys": keys.collect::<Result<Vec<_>, _>>()? }))
}
