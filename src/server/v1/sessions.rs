//! `/v1/sessions`: the devices that are signed in.

use super::{Problem, cause::Cause, program::Program};
use crate::{
    server::sessions,
    wire::{self, api_keys::Scope},
};
use axum::{Extension, Json, extract::Path};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// The devices that are signed in.
#[derive(Serialize, ToSchema)]
pub struct Sessions {
    /// The last used first.
    sessions: Vec<Session>,
}

/// A device that is signed in.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// Names it; signs nobody in.
    id: String,
    /// The number on its ticket, as the owner sees it.
    number: u16,
    /// Such as "Firefox".
    browser: Option<String>,
    /// Such as "Linux".
    system: Option<String>,
    /// From where somebody signed in.
    address: String,
    /// How somebody signed in: `pwd` is with a password (RFC 8176).
    signed_in_by: String,
    /// When somebody signed in, in Unix seconds.
    first_seen_at: i64,
    /// When it was last used, in Unix seconds.
    last_seen_at: i64,
    /// It ends after this long without use, in seconds.
    idle_timeout_s: i64,
    /// It ends here at the latest, in Unix seconds.
    ends_at: i64,
}

/// List the devices that are signed in
///
/// Every session of the account that is live, the last used first.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    operation_id = "list_sessions",
    tag = "Sessions",
    responses((status = 200, description = "The devices that are signed in.", body = Sessions)),
    security(("api_key" = ["sessions:read"]))
)]
pub async fn list(Extension(program): Extension<Program>) -> Result<Json<Sessions>, Problem> {
    let key = program.may(Scope::SessionsRead)?;
    let devices = sessions::list(&program.state, &key.user_id, None).await?;
    let sessions = devices.sessions.into_iter().map(|device| Session {
        id: device.id,
        number: device.number,
        browser: device.device.browser,
        system: device.device.system,
        address: device.address,
        signed_in_by: device.signed_in_by,
        first_seen_at: device.first_seen_at,
        last_seen_at: device.last_seen_at,
        idle_timeout_s: device.idle_timeout_s,
        ends_at: device.ends_at,
    });
    Ok(Json(Sessions {
        sessions: sessions.collect(),
    }))
}

/// Sign a device out
///
/// Ends one session. Its next request is refused, on every node.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}",
    operation_id = "end_session",
    tag = "Sessions",
    params(("id" = String, Path, description = "The session's id, from the list.", pattern = "^[A-Za-z0-9_-]{22}$")),
    responses(
        (status = 204, description = "The device is signed out."),
        (status = 404, description = "No live session of the account has this id.", body = super::problem::Body, content_type = "application/problem+json"),
    ),
    security(("api_key" = ["sessions:write"]))
)]
pub async fn end(
    Extension(program): Extension<Program>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let key = program.may(Scope::SessionsWrite)?;
    let ended = sessions::end_by_key(&program.state, key, &program.visitor, &id).await;
    ended.map_err(|error| match error.into() {
        wire::Error::NotFound => Problem::because(Cause::UnknownSession),
        other => other.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}
