//! The operator's commands.

use super::{
    clients, clock::Clock, deployment, doctor, error::Error, fields::Email, fields::shown, listen,
    random::Random, router::router, sessions, settings::Settings, signing_keys, state::State,
    users,
};
use crate::wire;
use clap::{Parser, Subcommand};
use std::{
    io::{BufRead, Write},
    path::PathBuf,
};

/// Accounts and sessions whose cookie no script can read.
#[derive(Parser)]
#[command(version, about)]
pub struct Cli {
    /// The settings file [default: Leptos.toml of this folder, if there is one]
    #[arg(long, global = true, env = "CLOAKROOM_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (what happens without a command)
    Serve,
    /// Add, list, keep out and sign out the people who have an account
    #[command(subcommand)]
    User(UserCommand),
    /// Register, list, edit and keep out the programs that may ask for tokens
    #[command(subcommand)]
    Client(clients::Command),
    /// Exchange and list the keys that sign what clients get
    #[command(subcommand)]
    Keys(signing_keys::Command),
    /// Exchange the signing secret
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Print the settings in force and where each came from
    Config,
    /// Look at a deployment from outside, with a throw-away account, and say what is weak
    Doctor {
        /// Where it is, such as <https://shop.example>
        #[arg(long)]
        url: String,
    },
}

#[derive(Subcommand)]
enum UserCommand {
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

#[derive(Subcommand)]
enum SecretCommand {
    /// Make this node's secret the deployment's, when the one before is lost: all sessions end
    Adopt,
}

/// Does what the command line says.
///
/// # Errors
/// Whatever keeps it from being done, for the operator to read.
pub async fn run(cli: Cli) -> Result<(), Error> {
    // It asks a server, which has settings of its own.
    if let Some(Command::Doctor { url }) = cli.command {
        return examine(&url).await;
    }
    let settings = Settings::load(cli.config.as_deref())?;
    match cli.command {
        Some(Command::Doctor { .. }) => Ok(()),
        None | Some(Command::Serve) => serve(settings).await,
        Some(Command::Config) => print(&settings.lines()),
        Some(Command::User(command)) => {
            let state = State::open(settings, Clock::system(), Random::system()).await?;
            match command {
                UserCommand::Add { email } => {
                    let mut password = String::new();
                    std::io::stdin()
                        .lock()
                        .read_line(&mut password)
                        .map_err(|source| Error::Io {
                            what: "standard input".to_owned(),
                            source,
                        })?;
                    let password = password.trim_end_matches(['\r', '\n']).to_owned();
                    let id = users::add(&state, &email, password)
                        .await
                        .map_err(explain)?;
                    print(&[id])
                }
                UserCommand::List => list(&state).await,
                UserCommand::Disable { email } => {
                    let ended = users::set_disabled(&state, &read(&email)?, true).await?;
                    print_ended(&email, ended)
                }
                UserCommand::Enable { email } => {
                    let known = users::set_disabled(&state, &read(&email)?, false).await?;
                    known.map(drop).ok_or_else(|| no_account(&email))
                }
                UserCommand::Rename { id, email } => {
                    let ended = rename(&state, &id, &email).await?;
                    print_ended(&id, ended)
                }
                UserCommand::SignOut {
                    email: Some(email),
                    keys,
                    ..
                } => {
                    let done = users::end_sessions(&state, &read(&email)?, keys).await?;
                    print_signed_out(done.ok_or_else(|| no_account(&email))?, keys)
                }
                UserCommand::SignOut { email: None, .. } => {
                    let ended = sessions::end_everything(&state).await?;
                    let keys = "API keys still work; revoke those of an account with \
                                user sign-out --email ADDRESS --keys";
                    print(&[format!("{ended} sessions ended"), keys.to_owned()])
                }
            }
        }
        Some(Command::Client(command)) => {
            let state = State::open(settings, Clock::system(), Random::system()).await?;
            print(&clients::run(&state, command).await?)
        }
        Some(Command::Keys(command)) => {
            let state = State::open(settings, Clock::system(), Random::system()).await?;
            print(&signing_keys::run(&state, command).await?)
        }
        Some(Command::Secret(SecretCommand::Adopt)) => {
            let (clock, random) = (Clock::system(), Random::system());
            let (state, secret) = State::open_any(settings, clock, random).await?;
            let ended = deployment::adopt(&state, &secret).await?;
            print(&[format!("{ended} sessions ended")])
        }
    }
}

async fn examine(url: &str) -> Result<(), Error> {
    let report = doctor::examine(url, &Random::system()).await?;
    print(&report.lines())?;
    match report.failures() {
        0 => Ok(()),
        count => Err(Error::Config(format!(
            "{url}: {count} of the checks failed"
        ))),
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

fn print(lines: &[String]) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
        .map_err(|source| Error::Io {
            what: "standard output".to_owned(),
            source,
        })
}

async fn serve(settings: Settings) -> Result<(), Error> {
    let address = settings.leptos.site_addr;
    let state = State::open(settings, Clock::system(), Random::system()).await?;
    let refused = |source| Error::Io {
        what: format!("listen on {address}"),
        source,
    };
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(refused)?;
    // Port 0 asks the system for one.
    let address = listener.local_addr().map_err(refused)?;
    let _alone = sessions::serve_alone(&state.db)?;
    // Before the log says that it listens: a service manager may ask it to stop from then on.
    let stopped = stop_signals().map_err(|source| Error::Io {
        what: "signals".to_owned(),
        source,
    })?;
    state.begin_to_serve();
    tracing::info!(event = "listening", %address);
    if address.ip().is_loopback() {
        tracing::info!(
            event = "cookie_is_shared_between_ports",
            cookie = state.cookie_names.session,
            "browsers send this cookie to every port of this host: another server here needs \
             another session.cookie_suffix, or each signs the users of the other out"
        );
    }
    let router = router(state.clone());
    #[cfg(feature = "lab")]
    let router = super::lab::open(router, &state).await?;
    listen::serve(listener, router, &state, stopped).await?;
    state.end_serving().await
}

/// Listens for Ctrl-C and for a service manager's request to stop, from this call on. The future is
/// ready when either came.
fn stop_signals() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let (mut interrupt, mut terminate) = {
        use tokio::signal::unix::{SignalKind, signal};
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
