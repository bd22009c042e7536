//! `/health`: whether this process runs, and whether it can do its work.

use super::{answer, forward_auth, state::State};
use axum::{
    Router,
    extract::State as Extract,
    response::{IntoResponse, Response},
    routing::get,
};

/// For orchestrators, load balancers and `cloakroom doctor`.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/health/live", get(async || "ok"))
        .route("/health/ready", get(ready))
}

/// Ready when the database answers.
async fn ready(Extract(state): Extract<State>) -> Response {
    match state.db.ping().await {
        Ok(()) => (forward_auth::health::note(&state), "ok").into_response(),
        Err(error) => answer::refuse(error.into()),
    }
}
