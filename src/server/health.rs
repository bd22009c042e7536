//! `/health`: whether this process runs, and whether it can do its work.

use super::{answer, error::Error, forward_auth, state::State};
use crate::wire;
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

/// Ready when every task runs, and the database answers and takes writes, until the process was asked to stop.
async fn ready(Extract(state): Extract<State>) -> Response {
    if state.is_draining() {
        return answer::refuse(wire::Error::Unavailable);
    }
    match is_ready(&state).await {
        Ok(()) => (forward_auth::health::note(&state), "ok").into_response(),
        Err(error) => answer::refuse(error.into()),
    }
}

async fn is_ready(state: &State) -> Result<(), Error> {
    state.tasks.require_all()?;
    state.db.require_writable().await
}
