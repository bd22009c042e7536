//! Asked about programs that people sign in to from here.

use crate::wire::{
    Error, Form, Json,
    grants::{AppRequest, Apps},
    sessions::Ended,
    users::GoOn,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// What a program asks for; `request` is the query that it sent the browser with.
#[server(name = Describe, prefix = "/api", endpoint = "describe_authorization", input = GetUrl, output = Json)]
pub async fn describe_authorization(request: String) -> Result<AppRequest, Error> {
    use crate::server::{doors::signed_in, oidc::consent};
    let (caller, session) = signed_in()?;
    Ok(consent::describe(&caller, &session, &request).await?)
}

/// What the person says to it: `allow`, or anything else.
#[server(name = Decide, prefix = "/api", endpoint = "decide_authorization", input = Form, output = Json)]
pub async fn decide_authorization(request: String, decision: String) -> Result<GoOn, Error> {
    use crate::server::{doors::signed_in, oidc::consent};
    let (caller, session) = signed_in()?;
    let is_allowed = decision == "allow";
    Ok(consent::decide(&caller, &session, &request, is_allowed).await?)
}

/// What this account has allowed.
#[server(prefix = "/api", endpoint = "list_apps", input = GetUrl, output = Json)]
pub async fn list_apps() -> Result<Apps, Error> {
    use crate::server::{doors::signed_in, grants};
    let (caller, session) = signed_in()?;
    Ok(grants::list(&caller, &session).await?)
}

/// Takes back all that this account has allowed one program.
#[server(prefix = "/api", endpoint = "revoke_app", input = Form, output = Json)]
pub async fn revoke_app(client_id: String) -> Result<Ended, Error> {
    use crate::server::{doors::signed_in, grants};
    let (caller, session) = signed_in()?;
    grants::end_app(&caller, &session, &client_id).await?;
    Ok(Ended {
        count: 1,
        next: "/account/apps".to_owned(),
    })
}
