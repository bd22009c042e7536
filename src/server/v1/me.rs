//! `/v1/me`: whose key it is.

use super::{Problem, program::Program};
use crate::wire::api_keys::Scope;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

/// Whose key it is.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// The account's id. It stays the same for as long as there is the account.
    id: String,
    /// The key that asks.
    key: ThisKey,
}

/// The key that asks.
#[derive(Serialize, ToSchema)]
pub struct ThisKey {
    /// Names it.
    id: String,
    /// What it may be used for.
    scopes: Vec<&'static str>,
    /// When it was made, in Unix seconds.
    created_at: i64,
    /// When it expires, in Unix seconds.
    expires_at: i64,
}

/// Whose key this is
///
/// The account that the key belongs to, and what the key may be used for. The signature says it,
/// so that this asks no database.
#[utoipa::path(
    get,
    path = "/v1/me",
    operation_id = "show_me",
    tag = "Account",
    responses((status = 200, description = "Whose key it is.", body = Me)),
    security(("api_key" = ["profile:read"]))
)]
pub async fn show(Extension(program): Extension<Program>) -> Result<Json<Me>, Problem> {
    let key = program.may(Scope::ProfileRead)?;
    Ok(Json(Me {
        id: key.user_id.clone(),
        key: ThisKey {
            id: key.id.clone(),
            scopes: key.scopes.list().iter().map(|scope| scope.code()).collect(),
            created_at: key.created_at,
            expires_at: key.expires_at,
        },
    }))
}
