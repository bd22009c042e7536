//! Asked about people.

use crate::wire::{
    Error, Flag, Form, Json,
    users::{GoOn, PasswordChanged, Revocables, Viewer},
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

/// Changes the password of the signed-in user. Every other session ends, unless they are to be kept.
/// `listed` and `revoke` are ids of API keys and apps, separated by spaces: those that the form listed, and
/// those that were ticked. New ones that it did not list are revoked as well.
#[server(prefix = "/api", endpoint = "change_password", input = Form, output = Json)]
pub async fn change_password(
    current_password: String,
    new_password: String,
    #[server(default)] keep_others: Flag,
    #[server(default)] listed: Option<String>,
    #[server(default)] revoke: Option<String>,
    #[server(default)] revoke_others: Flag,
) -> Result<PasswordChanged, Error> {
    use crate::server::{doors::signed_in_or_repeating, users};
    let caller = signed_in_or_repeating()?;
    let keep_others = keep_others.read("keep_others")?;
    let others = revoke_others.read("revoke_others")?;
    let choice = users::Choice::read(listed.as_deref(), revoke.as_deref(), others);
    let (current, new) = (current_password, new_password);
    Ok(users::change_password(&caller, current, new, keep_others, &choice).await?)
}

/// Lists what a change of the password can revoke: the API keys and apps of this account.
#[server(prefix = "/api", endpoint = "list_revocable", input = GetUrl, output = Json)]
pub async fn list_revocable() -> Result<Revocables, Error> {
    use crate::server::{doors::signed_in, users};
    let (caller, session) = signed_in()?;
    Ok(users::list_revocable(&caller, &session).await?)
}

/// Shows once more who is signed in, before something that asks for it.
#[server(prefix = "/api", endpoint = "confirm_password", input = Form, output = Json)]
pub async fn confirm_password(
    password: String,
    #[server(default)] next: Option<String>,
) -> Result<GoOn, Error> {
    use crate::server::{doors::signed_in_or_repeating, users};
    let caller = signed_in_or_repeating()?;
    let next = next.unwrap_or_default();
    Ok(users::confirm_password(&caller, password, &next).await?)
}

/// Who is signed in, if anybody is.
#[server(name = WhoIsSignedIn, prefix = "/api", endpoint = "viewer", input = GetUrl, output = Json)]
pub async fn viewer() -> Result<Option<Viewer>, Error> {
    use crate::server::{doors::anyone, users};
    let caller = anyone()?;
    Ok(users::viewer(&caller))
}
