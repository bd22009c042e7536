//! Asked about what happened.

use crate::wire::{Error, Json, activity::Activity};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// What happened to this account, newest first, from the place that an earlier page ended at.
#[server(prefix = "/api", endpoint = "list_activity", input = GetUrl, output = Json)]
pub async fn list_activity(#[server(default)] after: Option<String>) -> Result<Activity, Error> {
    use crate::server::{activity, doors::signed_in};
    let (caller, session) = signed_in()?;
    Ok(activity::list(&caller.state, &session.user_id, &after.unwrap_or_default()).await?)
}
