//! Asked about API keys.

use crate::wire::{
    Error, Form, Json,
    api_keys::{ApiKeys, NewApiKey},
    sessions::Ended,
    users::GoOn,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// The keys of this account that can be used, and the text of those that this session still shows.
#[server(prefix = "/api", endpoint = "list_api_keys", input = GetUrl, output = Json)]
pub async fn list_api_keys() -> Result<ApiKeys, Error> {
    use crate::server::{api_keys, doors::signed_in};
    let (caller, session) = signed_in()?;
    Ok(api_keys::list_for(&caller.state, &session).await?)
}

/// Makes a key, which this session shows until its owner has it. `scopes` are separated by spaces.
#[server(prefix = "/api", endpoint = "create_api_key", input = Form, output = Json)]
pub async fn create_api_key(
    #[server(default)] label: String,
    #[server(default)] scopes: String,
    #[server(default)] expires_in_days: Option<u32>,
) -> Result<NewApiKey, Error> {
    use crate::server::{api_keys, doors::recently_signed_in};
    let (caller, session) = recently_signed_in()?;
    Ok(api_keys::mint(&caller, &session, &label, &scopes, expires_in_days).await?)
}

/// Stops a key of this account, by its public id. Whoever finds one where it should not be must
/// not have to look for the password first.
#[server(prefix = "/api", endpoint = "revoke_api_key", input = Form, output = Json)]
pub async fn revoke_api_key(id: String) -> Result<Ended, Error> {
    use crate::server::{api_keys, doors::signed_in};
    let (caller, session) = signed_in()?;
    let count = api_keys::revoke(&caller, &session, &id).await?;
    Ok(Ended {
        count,
        next: "/account/keys".to_owned(),
    })
}

/// Stops showing a new key of this account, by its public id: its owner has it.
#[server(prefix = "/api", endpoint = "acknowledge_api_key", input = Form, output = Json)]
pub async fn acknowledge_api_key(id: String) -> Result<GoOn, Error> {
    use crate::server::{api_keys, doors::signed_in};
    let (caller, session) = signed_in()?;
    api_keys::acknowledge(&caller.state, &session.user_id, &id).await?;
    Ok(GoOn {
        next: "/account/keys".to_owned(),
    })
}
