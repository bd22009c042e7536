//! `/v1/activity`: what happened to the account.

use super::{Problem, cause::Cause, program::Program};
use crate::{server::activity, wire::api_keys::Scope};
use axum::{
    Extension, Json,
    extract::{Query, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of what happened.
#[derive(Serialize, ToSchema)]
pub struct Activity {
    /// At most 25, the newest first.
    entries: Vec<Entry>,
    /// The cursor of the next page, if there is one.
    next: Option<String>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
pub struct Entry {
    /// When, in Unix seconds.
    at: i64,
    /// What, such as `signed_in`; later versions may know more kinds.
    kind: &'static str,
    /// Number of sessions, API keys, apps or tries that the entry counts.
    how_many: u32,
    /// Such as "Firefox".
    browser: Option<String>,
    /// Such as "Linux".
    system: Option<String>,
    /// From where; null if tries from several devices and addresses are counted together,
    /// or if the operator of the site did it.
    address: Option<String>,
}

/// Where a page begins.
#[derive(Deserialize)]
pub struct Place {
    /// The `next` of the page before; none is the first page.
    after: Option<String>,
}

/// List what happened to the account
///
/// The newest first, 25 at a time. While "next" is not null there is another page: ask for it with
/// "after" set to that.
#[utoipa::path(
    get,
    path = "/v1/activity",
    operation_id = "list_activity",
    tag = "Activity",
    params(("after" = Option<String>, Query, description = "The \"next\" of the page before; without it, the first page.", pattern = "^[0-9]{1,16}\\.[A-Za-z0-9_-]{22}$")),
    responses((status = 200, description = "A page of what happened.", body = Activity)),
    security(("api_key" = ["activity:read"]))
)]
pub async fn list(
    Extension(program): Extension<Program>,
    place: Result<Query<Place>, QueryRejection>,
) -> Result<Json<Activity>, Problem> {
    let key = program.may(Scope::ActivityRead)?;
    let after = place
        .map_err(|_| Problem::because(Cause::CursorTwice))?
        .0
        .after;
    if after.as_deref().is_some_and(|after| !is_cursor(after)) {
        return Err(Problem::because(Cause::NotACursor));
    }
    let after = after.unwrap_or_default();
    let page = activity::list(&program.state, &key.user_id, &after).await?;
    let entries = page.entries.into_iter().map(|entry| Entry {
        at: entry.at,
        kind: entry.kind.code(),
        how_many: entry.how_many,
        browser: entry.device.browser,
        system: entry.device.system,
        address: entry.address,
    });
    Ok(Json(Activity {
        entries: entries.collect(),
        next: page.next,
    }))
}

/// A time in Unix milliseconds and an id, as the list itself writes them.
fn is_cursor(text: &str) -> bool {
    let is_id_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.split_once('.').is_some_and(|(at_ms, id)| {
        (1..=16).contains(&at_ms.len())
            && at_ms.bytes().all(|byte| byte.is_ascii_digit())
            && id.len() == 22
            && id.bytes().all(is_id_letter)
    })
}
