//! `/v1`: the JSON API for other people's programs. A key in the header is all that counts; the
//! cookie is not looked at, so that nothing a browser does by itself can act here.
//!
//! One file a noun; each handler opens with the scope that it asks for. `program.rs` finds out who
//! calls, `problem.rs` says what went wrong, `openapi.rs` describes all of it.

mod activity;
mod keys;
mod me;
mod openapi;
mod problem;
mod program;
mod reference;
mod sessions;

pub use problem::Problem;
pub use program::{LIMIT, POLICY};
pub use reference::reference;

use super::{answer::refuse, state::State};
use crate::wire;
use axum::{
    Router, middleware,
    response::Response,
    routing::{any, delete, get},
};

/// Whether a path is one of the API's.
pub fn is_below(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

/// Every route of the API.
pub fn routes(state: &State) -> Router<State> {
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
        .route("/v1/openapi.json", get(openapi::show))
}

async fn nothing() -> Response {
    refuse(wire::Error::NotFound)
}
