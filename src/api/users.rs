//! Asked about people.

use crate::wire::{
    Error, Flag, Form, Json,
    sessions::Ended,
    users::{GoOn, Viewer},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// Makes an account and signs its owner in.
#[server(prefix = "/api", endpoint = "sign_up", input = Form, output = Json)]
pub async fn sign_up(
    email: String,
    password: String,
    #[server(default)] next: Option<String>,
) -> Result<GoOn, Error> {
    use crate::server::{doors::anyone, users};
    let caller = anyone()?;
    let next = next.unwrap_or_default();
    Ok(users::sign_up(&caller, &email, password, &next).await?)
}

/// Changes the password of whoever is signed in. Every other session ends, unless they are to be
/// kept.
#[server(prefix = "/api", endpoint = "change_password", input = Form, output = Json)]
pub async fn change_password(
    current_password: String,
    new_password: String,
    #[server(default)] keep_others: Flag,
) -> Result<Ended, Error> {
    use crate::server::{doors::signed_in, users};
    let (caller, session) = signed_in()?;
    let keep_others = keep_others.read("keep_others")?;
    let count = users::change_password(
        &caller,
        &session,
        current_password,
        new_password,
        keep_others,
    )
    .await?;
    Ok(Ended {
        count,
        next: "/account/security".to_owned(),
    })
}

/// Shows once more who is signed in, before something that asks for it.
#[server(prefix = "/api", endpoint = "confirm_password", input = Form, output = Json)]
pub async fn confirm_password(
    password: String,
    #[server(default)] next: Option<String>,
) -> Result<GoOn, Error> {
    use crate::server::{doors::signed_in, users};
    let (caller, session) = signed_in()?;
    let next = next.unwrap_or_default();
    Ok(users::confirm_password(&caller, &session, password, &next).await?)
}

/// Who is signed in, if anybody is.
#[server(name = WhoIsSignedIn, prefix = "/api", endpoint = "viewer", input = GetUrl, output = Json)]
pub async fn viewer() -> Result<Option<Viewer>, Error> {
    use crate::server::{doors::anyone, users};
    let caller = anyone()?;
    Ok(users::viewer(&caller))
}
