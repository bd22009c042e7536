//! `cloakroom secret`: the exchange of the signing secret; and `cloakroom restored`.

use super::print::count;
use crate::server::{
    config::Config,
    deployment,
    error::Error,
    exchange::{self, MayEnd, Source},
    restored,
    secret::Secret,
    state::State,
};
use clap::Subcommand;

/// What can be done with the signing secret.
#[derive(Subcommand)]
pub enum Command {
    /// Take the next of three steps that exchange the secret without signing users out
    Rotate {
        /// Drop the old secret although some sessions have a cookie of it alone: their users sign in
        /// again
        #[arg(long)]
        sign_out: bool,
        /// Also end the API keys that were made with the old secret, because an attacker may have it
        #[arg(long)]
        end_api_keys: bool,
    },
    /// Make this node's secret the deployment's, when the one before is lost: every session, API key
    /// and grant ends
    Adopt,
}

/// Runs the command, where the setting of the secret is at this place; the lines to print.
///
/// # Errors
/// If it cannot be done; the text is for the operator.
pub async fn run(
    state: &State,
    secret: &Secret,
    place: String,
    command: Command,
) -> Result<Vec<String>, Error> {
    match command {
        Command::Adopt => {
            let ended = deployment::adopt(state, secret).await?;
            Ok(vec![format!("{} ended", count(ended, "session"))])
        }
        Command::Rotate {
            sign_out,
            end_api_keys,
        } => {
            deployment::check(&state.db, secret).await?;
            let file = state.config.data.dir.join("secret.key");
            let may_end = MayEnd {
                sessions: sign_out,
                api_keys: end_api_keys,
            };
            let source = if is_set(&state.config) {
                Source::Setting(place)
            } else {
                Source::File(&file)
            };
            exchange::rotate(state, secret, source, may_end).await
        }
    }
}

/// Whether the secret is a setting, and not the file of the data folder.
fn is_set(config: &Config) -> bool {
    !config.secret.key.is_empty()
}

/// `cloakroom restored`.
///
/// # Errors
/// If it cannot be done; the text is for the operator.
pub async fn restored(state: &State, secret: &Secret) -> Result<Vec<String>, Error> {
    let ended = restored::end_everything(state, secret).await?;
    let counted = |count: i64, one: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    };
    Ok(vec![
        format!(
            "{}, {} and {} ended, and all tokens with them.",
            counted(i64::from(ended.sessions), "session"),
            counted(i64::from(ended.api_keys), "API key"),
            counted(ended.grants, "grant"),
        ),
        "Passwords, disabled accounts and clients are as they were when the copy was made."
            .to_owned(),
    ])
}
