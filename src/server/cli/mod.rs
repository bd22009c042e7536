//! The operator's commands.

mod backup;
mod delete;
mod descriptors;
mod explain;
mod health;
mod migrate;
mod password;
mod print;
mod secret;
mod serve;
mod set_password;
mod signals;
mod user;

use super::{
    clients, clock::Clock, doctor, error::Error, purpose::Purpose, random::Random,
    settings::Settings, signing_keys, state::State,
};
use clap::{Parser, Subcommand};
use print::{print, unless_closed};
use serve::serve;
use std::{io::Write, path::PathBuf};

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
    /// Add, list, change, disable, sign out and delete accounts
    #[command(subcommand)]
    User(user::Command),
    /// Register, list, edit and keep out the programs that may ask for tokens
    #[command(subcommand)]
    Client(clients::Command),
    /// Exchange and list the keys that sign what clients get
    #[command(subcommand)]
    Keys(signing_keys::Command),
    /// Exchange the signing secret
    #[command(subcommand)]
    Secret(secret::Command),
    /// Copy an SQLite database to a new file, also while a server has it open
    Backup(backup::Backup),
    /// End every session, API key and grant of a database that was restored from a copy, before it is
    /// served
    Restored,
    /// Print the settings in force and where each came from
    Config,
    /// Make the tables of the database or bring them up to date, for a server whose role may not
    Migrate,
    /// Ask the server of these settings, on this machine, whether it is ready; exits with 1 if not
    Health,
    /// Look at a deployment from outside, with a throw-away account, and say what is weak
    Doctor {
        /// Where it is, such as <https://shop.example>
        #[arg(long)]
        url: String,
    },
}

impl Cli {
    /// Whether it serves.
    pub fn is_server(&self) -> bool {
        matches!(self.command, None | Some(Command::Serve))
    }

    /// Reads the settings. The doctor has none: it asks a server, which has settings of its own.
    ///
    /// # Errors
    /// If a setting is wrong.
    pub fn settings(&self) -> Result<Option<Settings>, Error> {
        if matches!(self.command, Some(Command::Doctor { .. })) {
            return Ok(None);
        }
        Settings::load(self.config.as_deref()).map(Some)
    }
}

/// Does what the command line says.
///
/// # Errors
/// The reason why the command failed, for the operator to read.
pub async fn run(cli: Cli, settings: Option<Settings>) -> Result<(), Error> {
    unless_closed(run_command(cli, settings).await)
}

async fn run_command(cli: Cli, settings: Option<Settings>) -> Result<(), Error> {
    if let Some(Command::Doctor { url }) = cli.command {
        return examine(&url).await;
    }
    let Some(settings) = settings else {
        return Ok(());
    };
    match cli.command {
        Some(Command::Doctor { .. }) => Ok(()),
        None | Some(Command::Serve) => serve(settings).await,
        Some(Command::Config) => print(&settings.lines()),
        Some(Command::Migrate) => migrate::migrate(&settings).await,
        Some(Command::Health) => health::ask(settings.leptos.site_addr).await,
        Some(Command::Backup(backup)) => backup.run(&settings).await,
        Some(Command::User(command)) => {
            let state = open(command.purpose(), settings).await?;
            let done = user::run(&state, command).await;
            close(&state, done).await
        }
        Some(Command::Client(command)) => {
            let state = open(command.purpose(), settings).await?;
            let done = clients::run(&state, command).await;
            print(&close(&state, done).await?)
        }
        Some(Command::Keys(command)) => {
            let state = open(Purpose::Command, settings).await?;
            let done = signing_keys::run(&state, command).await;
            print(&close(&state, done).await?)
        }
        Some(Command::Secret(command)) => {
            let place = settings.place_of("secret.key");
            let (clock, random) = (Clock::system(), Random::system());
            let opened = State::open_any(Purpose::Command, settings, clock, random).await;
            let (state, secret) = opened?;
            name_database(&state);
            let done = secret::run(&state, &secret, place, command).await;
            print(&close(&state, done).await?)
        }
        Some(Command::Restored) => {
            let (clock, random) = (Clock::system(), Random::system());
            let opened = State::open_any(Purpose::Command, settings, clock, random).await;
            let (state, secret) = opened?;
            name_database(&state);
            let done = secret::restored(&state, &secret).await;
            print(&close(&state, done).await?)
        }
    }
}

/// Closes the database after a command, whether or not it succeeded. SQLite then moves its log into the
/// database file, so that a plain copy of that file is whole.
async fn close<T>(state: &State, done: Result<T, Error>) -> Result<T, Error> {
    state.db.close().await;
    done
}

/// Opens the deployment for a command.
async fn open(purpose: Purpose, settings: Settings) -> Result<State, Error> {
    let (clock, random) = (Clock::system(), Random::system());
    let state = State::open_for(purpose, settings, clock, random).await?;
    name_database(&state);
    Ok(state)
}

/// Says on standard error which database the command uses. A closed standard error keeps no command from
/// its work.
fn name_database(state: &State) {
    let _ = writeln!(std::io::stderr(), "Database: {}", state.db.name());
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
