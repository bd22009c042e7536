//! Asked about sessions.

use crate::wire::{Error, Json, users::GoOn};
use leptos::prelude::*;

/// Signs in, in place of whoever the browser had signed in.
#[server(prefix = "/api", endpoint = "sign_in", output = Json)]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] keep_me_signed_in: Option<String>,
    #[server(default)] next: Option<String>,
) -> Result<GoOn, Error> {
    use crate::server::{doors::anyone, users};
    let caller = anyone()?;
    let is_kept = matches!(keep_me_signed_in.as_deref(), Some("true" | "on" | "1"));
    let next = next.unwrap_or_default();
    Ok(users::sign_in(&caller, &email, password, is_kept, &next).await?)
}

/// Ends this browser's session.
#[server(prefix = "/api", endpoint = "sign_out", output = Json)]
pub async fn sign_out() -> Result<GoOn, Error> {
    use crate::server::{doors::anyone, sessions};
    let caller = anyone()?;
    sessions::sign_out(&caller).await?;
    Ok(GoOn {
        next: "/?done=signed_out".to_owned(),
    })
}
