//! Asked about sessions.

use crate::wire::{
    Error, Flag, Form, Json,
    sessions::{Devices, Ended, Inspected},
    users::GoOn,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// Signs in, in place of whoever the browser had signed in.
#[server(prefix = "/api", endpoint = "sign_in", input = Form, output = Json)]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] keep_me_signed_in: Flag,
    #[server(default)] next: Option<String>,
) -> Result<GoOn, Error> {
    use crate::server::{doors::anyone, users};
    let caller = anyone()?;
    let is_kept = keep_me_signed_in.read("keep_me_signed_in")?;
    let next = next.unwrap_or_default();
    Ok(users::sign_in(&caller, &email, password, is_kept, &next).await?)
}

/// Ends this browser's session.
#[server(prefix = "/api", endpoint = "sign_out", input = Form, output = Json)]
pub async fn sign_out() -> Result<GoOn, Error> {
    use crate::server::{doors::anyone, sessions};
    let caller = anyone()?;
    sessions::sign_out(&caller).await?;
    Ok(GoOn {
        next: "/?done=signed_out".to_owned(),
    })
}

/// What is signed in to this account.
#[server(prefix = "/api", endpoint = "list_sessions", input = GetUrl, output = Json)]
pub async fn list_sessions() -> Result<Devices, Error> {
    use crate::server::{doors::signed_in, sessions};
    let (caller, session) = signed_in()?;
    Ok(sessions::list(&caller.state, &session.user_id, Some(&session.id)).await?)
}

/// What the server sees of this browser's cookie, for the page that looks for it.
#[server(prefix = "/api", endpoint = "inspect_session", input = GetUrl, output = Json)]
pub async fn inspect_session() -> Result<Inspected, Error> {
    use crate::server::{doors::signed_in, sessions};
    let (caller, session) = signed_in()?;
    Ok(sessions::inspect(&caller, &session))
}

/// Ends one session of this account, by its public id.
#[server(prefix = "/api", endpoint = "end_session", input = Form, output = Json)]
pub async fn end_session(id: String) -> Result<Ended, Error> {
    use crate::server::{doors::recently_signed_in, sessions};
    let (caller, session) = recently_signed_in()?;
    let count = sessions::end_one(&caller, &session, &id).await?;
    Ok(Ended {
        count,
        next: "/account/sessions".to_owned(),
    })
}

/// Ends every session of this account but this one.
#[server(prefix = "/api", endpoint = "end_other_sessions", input = Form, output = Json)]
pub async fn end_other_sessions() -> Result<Ended, Error> {
    use crate::server::{doors::recently_signed_in, sessions};
    let (caller, session) = recently_signed_in()?;
    let count = sessions::end_others(&caller, &session).await?;
    Ok(Ended {
        count,
        next: "/account/sessions".to_owned(),
    })
}
