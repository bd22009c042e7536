//! `cloakroom user delete`.

use super::{
    print::{count, print},
    user::Account,
};
use crate::server::{
    error::Error,
    fields::shown,
    state::State,
    users::{self, Found},
};
use std::io::{self, BufRead, IsTerminal, Write};

/// Deletes an account, after the operator has typed which.
///
/// # Errors
/// If there is no such account, or the operator does not confirm.
pub async fn delete(state: &State, account: &Account, is_confirmed: bool) -> Result<(), Error> {
    let found = account.find(state).await?;
    if !is_confirmed {
        confirm(&found)?;
    }
    let done = users::delete(state, &found.id).await?;
    let done = done.ok_or_else(|| account.missing())?;
    print(&[format!(
        "account {} deleted: {} ended, {} revoked",
        found.id,
        count(done.sessions, "session"),
        count(done.keys, "API key")
    )])
}

/// Asks for the address or the id.
fn confirm(found: &Found) -> Result<(), Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::Config(
            "nothing was deleted: standard input is no terminal to ask at; --yes deletes without \
             asking"
                .to_owned(),
        ));
    }
    let failed = |source| Error::Io {
        what: "the terminal".to_owned(),
        source,
    };
    let address = shown(&found.email);
    let question = format!(
        "This deletes {address} ({}) and all that belongs to it, for good.\n\
         Type the address or the id to go on: ",
        found.id
    );
    let mut terminal = io::stderr();
    terminal
        .write_all(question.as_bytes())
        .and_then(|()| terminal.flush())
        .map_err(failed)?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed).map_err(failed)?;
    if [&address, &found.email, &found.id]
        .iter()
        .any(|name| typed.trim() == *name)
    {
        return Ok(());
    }
    Err(Error::Config(
        "nothing was deleted: that is neither the address nor the id".to_owned(),
    ))
}
