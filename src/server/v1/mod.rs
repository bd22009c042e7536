//! `/v1`: the JSON API for other people's programs. A key in the header is all that counts; the
//! cookie is not looked at, so that nothing a browser does by itself can act here.
//!
//! One file a noun; each handler opens with the scope that it asks for. `program.rs` finds out who
//! calls, `problem.rs` says what went wrong, `openapi.rs` describes all of it.

mod activity;
mod cause;
mod keys;
mod me;
mod openapi;
mod problem;
mod program;
mod reference;
mod sessions;

pub use problem::{CONTENT_TYPE, Problem, unreadable_head};
pub use program::{LIMIT, POLICY};
pub use reference::reference;

use super::state::State;
use axum::{
    Router, middleware,
    routing::{any, delete, get},
};
use cause::Cause;
use std::future::ready;

/// Whether a path is one of the API's. A slash too many at its beginning does not change what its
/// client expects for an answer.
pub fn is_below(path: &str) -> bool {
    let path = path.trim_start_matches('/');
    path == "v1" || path.starts_with("v1/")
}

/// Every route of the API.
pub fn routes(state: &State) -> Router<State> {
    let document = openapi::published(&state.config.oidc.issuer);
    let identify = middleware::from_fn_with_state(state.clone(), program::identify);
    Router::new()
        .route("/v1/me", get(me::show))
        .route("/v1/sessions", get(sessions::list))
        .route("/v1/sessions/{id}", delete(sessions::end))
        .route("/v1/activity", get(activity::list))
        .route("/v1/keys", get(keys::list))
        .route("/v1", any(nothing))
        .route("/v1/", any(nothing))
        .route("/v1/{*path}", any(nothing))
        .layer(identify)
        .route(
            "/v1/openapi.json",
            get(move || ready(openapi::show(&document))),
        )
}

async fn nothing() -> Problem {
    Problem::because(Cause::UnknownPath)
}
