//! `cloakroom user`: accounts, by the operator.

use super::{
    delete::delete,
    explain::explain,
    password,
    print::{count, print},
    set_password::set_password,
};
use crate::server::{
    error::Error,
    fields::Email,
    fields::shown,
    purpose::Purpose,
    sessions,
    state::State,
    users::{self, Found, Listed},
};
use clap::Subcommand;

/// What can be done with an account.
#[derive(Subcommand)]
pub enum Command {
    /// Add an account; the password is asked for at a terminal, or read from standard input
    Add {
        /// The account's e-mail address
        #[arg(long)]
        email: String,
    },
    /// List the accounts: id, address, when it was made, since when disabled (Unix seconds)
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Disable an account: sign-ins are refused, and every device is signed out at once
    Disable {
        /// The account's e-mail address
        #[arg(long)]
        email: String,
    },
    /// Enable an account again
    Enable {
        /// The account's e-mail address
        #[arg(long)]
        email: String,
    },
    /// Give an account another address; every device is signed out
    Rename {
        /// The account's id, as `user list` prints it
        #[arg(long, allow_hyphen_values = true)]
        id: String,
        /// The new e-mail address
        #[arg(long)]
        email: String,
    },
    /// Set a new password, asked for at a terminal or read from standard input; every device is signed
    /// out
    SetPassword {
        /// Which
        #[command(flatten)]
        account: Account,
        /// Also revoke the account's API keys and disconnect its apps, which otherwise keep working
        #[arg(long)]
        keys: bool,
    },
    /// Delete an account and all that belongs to it, for good
    Delete {
        /// Which
        #[command(flatten)]
        account: Account,
        /// Delete without asking; needed where there is no terminal
        #[arg(long)]
        yes: bool,
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

impl Command {
    /// Reason for which it opens the deployment.
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Add { .. } => Purpose::Add,
            _ => Purpose::Command,
        }
    }
}

/// An account, by one of its names.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct Account {
    /// The account's e-mail address
    #[arg(long)]
    email: Option<String>,
    /// The account's id, as `user list` prints it
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
}

impl Account {
    /// Finds it.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn find(&self, state: &State) -> Result<Found, Error> {
        let found = match (&self.email, &self.id) {
            (Some(email), _) => users::find(state, Ok(&read(email)?)).await?,
            (None, id) => users::find(state, Err(id.as_deref().unwrap_or_default())).await?,
        };
        found.ok_or_else(|| self.missing())
    }

    /// The error for one that is not there.
    pub fn missing(&self) -> Error {
        let name = self.email.as_deref().or(self.id.as_deref());
        no_account(name.unwrap_or_default())
    }
}

/// Runs the command.
///
/// # Errors
/// If it cannot be done; the text is for the operator.
pub async fn run(state: &State, command: Command) -> Result<(), Error> {
    match command {
        Command::Add { email } => {
            let password = password::read_new().await?;
            let added = users::add(state, &email, password).await;
            print(&[added.map_err(|error| explain(error, &email))?])
        }
        Command::List { json } => list(state, if json { object } else { line }).await,
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
        Command::SetPassword { account, keys } => set_password(state, &account, keys).await,
        Command::Delete { account, yes } => delete(state, &account, yes).await,
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
            print(&[ended_sessions(ended), keys.to_owned()])
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
    let renamed = users::rename(state, id, &address).await;
    renamed.map_err(|error| explain(error, email))
}

fn no_account(name: &str) -> Error {
    Error::Config(format!(
        "{name}: there is no such account; `cloakroom user list` lists them"
    ))
}

/// Such as "1 session ended".
pub fn ended_sessions(number: u32) -> String {
    format!("{} ended", count(number, "session"))
}

fn print_ended(email: &str, ended: Option<u32>) -> Result<(), Error> {
    let ended = ended.ok_or_else(|| no_account(email))?;
    print(&[ended_sessions(ended)])
}

fn print_signed_out(done: users::SignedOut, with_keys: bool) -> Result<(), Error> {
    let sessions = ended_sessions(done.sessions);
    let lines = match done.live_keys {
        _ if with_keys => vec![format!(
            "{sessions}, {} revoked",
            count(done.revoked_keys, "API key")
        )],
        0 => vec![sessions],
        1 => vec![
            sessions,
            "1 API key still works; --keys revokes it as well".to_owned(),
        ],
        live => vec![
            sessions,
            format!("{live} API keys still work; --keys revokes them as well"),
        ],
    };
    print(&lines)
}

async fn list(state: &State, line: fn(&Listed) -> String) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let page = users::list(state, &after).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after.clone_from(&last.email_key);
        let lines: Vec<String> = page.iter().map(line).collect();
        print(&lines)?;
    }
}

fn line(user: &Listed) -> String {
    let disabled_at = user.disabled_at.map(|at| at.to_string());
    let email = shown(&user.email);
    let (id, created_at) = (&user.id, user.created_at);
    format!(
        "{id}\t{email}\t{created_at}\t{}",
        disabled_at.unwrap_or_default()
    )
}

fn object(user: &Listed) -> String {
    serde_json::json!({
        "id": user.id,
        "email": shown(&user.email),
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    })
    .to_string()
}
