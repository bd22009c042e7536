//! Asked about people.

use crate::wire::{
    Error, Json,
    users::{GoOn, Viewer},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// Makes an account and signs its owner in.
#[server(prefix = "/api", endpoint = "sign_up", output = Json)]
pub async fn sign_up(email: String, password: String) -> Result<GoOn, Error> {
    use crate::server::{doors::anyone, users};
    let caller = anyone()?;
    Ok(users::sign_up(&caller, &email, password).await?)
}

/// Who is signed in, if anybody is.
#[server(name = WhoIsSignedIn, prefix = "/api", endpoint = "viewer", input = GetUrl, output = Json)]
pub async fn viewer() -> Result<Option<Viewer>, Error> {
    use crate::server::{doors::anyone, users};
    let caller = anyone()?;
    Ok(users::viewer(&caller))
}
