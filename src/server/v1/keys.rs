//! `/v1/keys`: the account's API keys, without the keys themselves.

use super::{Problem, program::Program};
use crate::{server::api_keys, wire::api_keys::Scope};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

/// The keys that can be used.
#[derive(Serialize, ToSchema)]
pub struct Keys {
    /// The newest first.
    keys: Vec<Key>,
}

/// A key. It opens nothing.
#[derive(Serialize, ToSchema)]
pub struct Key {
    /// Names it.
    id: String,
    /// What its owner calls it.
    label: String,
    /// How it begins and ends.
    shown_as: String,
    /// What it may be used for.
    scopes: Vec<&'static str>,
    /// When it was made, in Unix seconds.
    created_at: i64,
    /// When it expires, in Unix seconds.
    expires_at: i64,
    /// When it was last used, to the minute, if it ever was; Unix seconds.
    last_used_at: Option<i64>,
}

/// List the API keys
///
/// Those that can be used, the newest first. A key itself is shown on the page that made it, and
/// never here.
#[utoipa::path(
    get,
    path = "/v1/keys",
    operation_id = "list_keys",
    tag = "Keys",
    responses((status = 200, description = "The keys that can be used.", body = Keys)),
    security(("api_key" = ["keys:read"]))
)]
pub async fn list(Extension(program): Extension<Program>) -> Result<Json<Keys>, Problem> {
    let key = program.may(Scope::KeysRead)?;
    let listed = api_keys::list(&program.state, &key.user_id).await?;
    let keys = listed.into_iter().map(|key| Key {
        scopes: key.scopes.iter().map(|scope| scope.code()).collect(),
        id: key.id,
        label: key.label,
        shown_as: key.shown_as,
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
    });
    Ok(Json(Keys {
        keys: keys.collect(),
    }))
}
