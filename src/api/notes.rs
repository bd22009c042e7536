//! Asked about notes.

use crate::wire::{Error, Form, Json, notes::Note};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// The notes of whoever is signed in, newest first.
#[server(prefix = "/api", endpoint = "list_notes", input = GetUrl, output = Json)]
pub async fn list_notes() -> Result<Vec<Note>, Error> {
    use crate::server::{doors::signed_in, notes};
    let (caller, session) = signed_in()?;
    Ok(notes::list(&caller.state, &session.user_id).await?)
}

/// Keeps a note of whoever is signed in.
#[server(prefix = "/api", endpoint = "write_note", input = Form, output = Json)]
pub async fn write_note(text: String) -> Result<Note, Error> {
    use crate::server::{doors::signed_in, notes};
    let (caller, session) = signed_in()?;
    Ok(notes::write(&caller.state, &session.user_id, &text).await?)
}
