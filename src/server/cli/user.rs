//! `cloakroom user`: accounts, by the operator.

use super::print;
use crate::{
    server::{error::Error, fields::Email, fields::shown, sessions, state::State, users},
    wire,
};
use clap::Subcommand;
use std::io::BufRead;

/// What can be done with an account.
#[derive(Subcommand)]
pub enum Command {
    /// Add an account; the password is read from standard input
    Add {
        /// The account's e-mail address
        #[arg(long)]
        email: String,
    },
    /// List the accounts: id, address, when it was made (Unix seconds)
    List,
    /// Keep an account out: nobody signs in to it, and every device is signed out at once
    Disable {
        /// The account's e-mail address
        #[arg(long)]
        email: String,
    },
    /// Let an account in again
    Enable {
        /// The account's e-mail address
        #[arg(long)]
        email: String,
    },
    /// Give an account another address; every device is signed out
    Rename {
        /// The account's id, as `user list` prints it
        #[arg(long)]
        id: String,
        /// The new e-mail address
        #[arg(long)]
        email: String,
    },
    /// Sign out every device of an account, or of all accounts; apps are disconnected with it
    SignOut {
        /// The account's e-mail address
        #[arg(long, required_unless_present = "all")]
        email: Option<String>,
        /// All accounts
        #[arg(long, conflicts_with = "email")]
        all: bool,
        /// Also revoke the account's API keys, which otherwise keep working; needs --email
        #[arg(long, conflicts_with = "all")]
        keys: bool,
    },
}

/// Does it.
///
/// # Errors
/// If it cannot be done; the text is for the operator.
pub async fn run(state: &State, command: Command) -> Result<(), Error> {
    match command {
        Command::Add { email } => {
            let mut password = String::new();
            std::io::stdin()
                .lock()
                .read_line(&mut password)
                .map_err(|source| Error::Io {
                    what: "standard input".to_owned(),
                    source,
                })?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            let id = users::add(state, &email, password).await.map_err(explain)?;
            print(&[id])
        }
        Command::List => list(state).await,
        Command::Disable { email } => {
            let ended = users::set_disabled(state, &read(&email)?, true).await?;
            print_ended(&email, ended)
        }
        Command::Enable { email } => {
            let known = users::set_disabled(state, &read(&email)?, false).await?;
            known.map(drop).ok_or_else(|| no_account(&email))
        }
        Command::Rename { id, email } => {
            let ended = rename(state, &id, &email).await?;
            print_ended(&id, ended)
        }
        Command::SignOut {
            email: Some(email),
            keys,
            ..
        } => {
            let done = users::end_sessions(state, &read(&email)?, keys).await?;
            print_signed_out(done.ok_or_else(|| no_account(&email))?, keys)
        }
        Command::SignOut { email: None, .. } => {
            let ended = sessions::end_everything(state).await?;
            let keys = "API keys still work; revoke those of an account with \
                        user sign-out --email ADDRESS --keys";
            print(&[format!("{ended} sessions ended"), keys.to_owned()])
        }
    }
}

fn read(email: &str) -> Result<Email, Error> {
    Email::parse(email).map_err(|_| no_account(email))
}

async fn rename(state: &State, id: &str, email: &str) -> Result<Option<u32>, Error> {
    let refused = |why: &str| Error::Config(format!("{email}: {why}"));
    let address =
        Email::parse(email).map_err(|_| refused("mail cannot be sent to this address"))?;
    match users::rename(state, id, &address).await {
        Err(Error::Theirs(_)) => Err(refused("another account has this address")),
        renamed => renamed,
    }
}

fn no_account(email: &str) -> Error {
    Error::Config(format!("{email}: there is no such account"))
}

fn print_ended(email: &str, ended: Option<u32>) -> Result<(), Error> {
    let ended = ended.ok_or_else(|| no_account(email))?;
    print(&[format!("{ended} sessions ended")])
}

fn print_signed_out(done: users::SignedOut, with_keys: bool) -> Result<(), Error> {
    let sessions = format!("{} sessions ended", done.sessions);
    let lines = match done.live_keys {
        _ if with_keys => vec![format!(
            "{sessions}, {} API keys revoked",
            done.revoked_keys
        )],
        0 => vec![sessions],
        live => vec![
            sessions,
            format!("{live} API keys still work; --keys revokes them as well"),
        ],
    };
    print(&lines)
}

async fn list(state: &State) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let page = users::list(state, &after).await?;
        let Some((.., last)) = page.last() else {
            return Ok(());
        };
        after.clone_from(last);
        let lines: Vec<String> = page
            .iter()
            .map(|(id, email, created_at, _)| format!("{id}\t{}\t{created_at}", shown(email)))
            .collect();
        print(&lines)?;
    }
}

/// A refusal as a sentence: an operator has no form to show it in.
fn explain(error: Error) -> Error {
    match error {
        Error::Theirs(wire::Error::Fields { fields }) => Error::Config(
            fields
                .iter()
                .map(|error| format!("{}: {:?}", error.field, error.problem))
                .collect::<Vec<_>>()
                .join("; "),
        ),
        other => other,
    }
}
