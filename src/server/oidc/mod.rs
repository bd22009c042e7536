//! OAuth 2 and OpenID Connect: tokens for programs, each verified by whoever it is for. One file
//! per endpoint.
//!
//! These endpoints look at no cookie. A client shows who it is by what it was registered with,
//! and whoever calls from a browser's page calls without credentials of the browser's.

pub mod access_tokens;
pub mod authorize;
pub mod back_channel;
mod client_credentials;
mod codes;
pub mod consent;
mod discovery;
pub mod error;
pub mod form;
mod id_tokens;
mod introspect;
pub mod logout;
pub mod refresh;
mod request;
mod revoke;
pub mod scopes;
mod token;
mod userinfo;

use super::state::State;
use axum::{
    Router,
    routing::{get, post},
};
use http::{Method, header};
use std::time::Duration;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

/// Whether this is an authorization request of a registered client, with an address of its own.
pub async fn is_of_client(state: &State, query: &str) -> bool {
    matches!(request::Addressed::read(state, query).await, Ok(Ok(_)))
}

/// What programs ask. No layer of the pages is around it: nothing here acts by a cookie.
pub fn routes() -> Router<State> {
    // A program in a browser, on its own site, may ask these and read the answers. The browser
    // adds no cookie: any origin, and therefore no credentials (Fetch, 3.3.5).
    let from_pages = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        // Tracing and the like add headers to the requests of a page. None of them is a credential of
        // the browser's.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER])
        .max_age(Duration::from_hours(1));
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::answer))
        .route(
            "/.well-known/oauth-authorization-server",
            get(discovery::answer),
        )
        .route("/oauth2/jwks", get(discovery::jwks))
        .route("/oauth2/token", post(token::answer))
        .route(
            "/oauth2/userinfo",
            get(userinfo::answer).post(userinfo::answer),
        )
        .route("/oauth2/revoke", post(revoke::answer))
        .layer(from_pages)
        .route("/oauth2/introspect", post(introspect::answer))
        .merge(authorize::routes_by_post())
        .merge(logout::routes_by_post())
}
