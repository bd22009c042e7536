//! The operator's commands about clients.

use super::{
    Authentication, Client, GrantType, Registration,
    register::{self, NewAuthentication},
};
use crate::server::{
    error::Error, oidc::scopes::Scopes, purpose::Purpose, secret::PlainClientSecret,
    signing_keys::Algorithm, state::State,
};
use std::path::PathBuf;

/// `cloakroom client …`
#[derive(clap::Subcommand)]
pub enum Command {
    /// Register a client; prints its id and, this once, its secret
    Add {
        /// What people read when they are asked for consent
        #[arg(long)]
        name: String,
        /// A program on somebody's device, which can keep no secret
        #[arg(long, conflicts_with = "jwks")]
        public: bool,
        /// The rest
        #[command(flatten)]
        options: Options,
    },
    /// List the clients: id, name, how they may ask, what they prove themselves by, since when
    /// disabled (Unix seconds)
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Change what is said of a client; what is not named stays, a list that is named is replaced
    Edit {
        /// Its id
        id: String,
        /// What people read when they are asked for consent
        #[arg(long)]
        name: Option<String>,
        /// Make and print a new secret; the one before is refused at once
        #[arg(long, conflicts_with = "jwks")]
        new_secret: bool,
        /// The rest
        #[command(flatten)]
        options: Options,
    },
    /// Keep a client out: it gets no more tokens
    Disable {
        /// Its id
        id: String,
    },
    /// Let a client in again
    Enable {
        /// Its id
        id: String,
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

/// What can be said of a client.
#[derive(clap::Args)]
pub struct Options {
    /// How it asks for tokens; more than once for several
    #[arg(long = "grant-type", value_enum)]
    grant_types: Vec<GrantType>,
    /// Where codes may be sent, to the letter; more than once for several
    #[arg(long = "redirect-uri")]
    redirect_uris: Vec<String>,
    /// Where browsers may be sent after signing out; more than once for several
    #[arg(long = "post-logout-redirect-uri")]
    post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a session has ended
    #[arg(long)]
    backchannel_logout_uri: Option<String>,
    /// What it may ask for, separated by spaces
    #[arg(long)]
    scope: Option<String>,
    /// What its access tokens are for, such as <https://api.shop.example>
    #[arg(long)]
    audience: Option<String>,
    /// What signs its tokens
    #[arg(long, value_enum)]
    algorithm: Option<Algorithm>,
    /// A file with its public keys, a JWK set: it proves itself by tokens that it signs
    #[arg(long)]
    jwks: Option<PathBuf>,
    /// Whether people are not asked for consent
    #[arg(long)]
    trusted: Option<bool>,
}

impl Options {
    fn read(self) -> Result<Registration, Error> {
        let scopes = self.scope.map(|scope| {
            let refused = || Error::Config("--scope: expected names and spaces".to_owned());
            Scopes::parse(&scope).ok_or_else(refused)
        });
        let authentication = self.jwks.map(|file| {
            let text = std::fs::read_to_string(&file).map_err(|source| Error::Io {
                what: file.display().to_string(),
                source,
            });
            text.map(NewAuthentication::PrivateKeyJwt)
        });
        let named = |list: Vec<String>| (!list.is_empty()).then_some(list);
        Ok(Registration {
            name: None,
            redirect_uris: named(self.redirect_uris),
            post_logout_redirect_uris: named(self.post_logout_redirect_uris),
            backchannel_logout_uri: self.backchannel_logout_uri,
            scopes: scopes.transpose()?,
            grant_types: (!self.grant_types.is_empty()).then_some(self.grant_types),
            audience: self.audience,
            algorithm: self.algorithm,
            authentication: authentication.transpose()?,
            is_trusted: self.trusted,
        })
    }
}

/// Does it; the lines to print.
///
/// # Errors
/// Says what cannot be taken, or that there is no such client.
pub async fn run(state: &State, command: Command) -> Result<Vec<String>, Error> {
    match command {
        Command::Add {
            name,
            public,
            options,
        } => {
            let mut said = options.read()?;
            said.name = Some(name);
            if public {
                said.authentication = Some(NewAuthentication::None);
            } else if said.authentication.is_none() {
                said.authentication = Some(NewAuthentication::ClientSecret);
            }
            let (id, secret) = register::add(state, said).await?;
            let mut lines = vec![format!("client_id\t{id}")];
            lines.extend(secret.as_ref().map(shown_once));
            Ok(lines)
        }
        Command::List { json } => list(state, if json { object } else { line }).await,
        Command::Edit {
            id,
            name,
            new_secret,
            options,
        } => {
            let mut said = options.read()?;
            said.name = name;
            if new_secret {
                said.authentication = Some(NewAuthentication::ClientSecret);
            }
            let secret = register::edit(state, &id, said).await?;
            Ok(secret.as_ref().map(shown_once).into_iter().collect())
        }
        Command::Disable { id } => {
            register::set_disabled(state, &id, true).await?;
            Ok(Vec::new())
        }
        Command::Enable { id } => {
            register::set_disabled(state, &id, false).await?;
            Ok(Vec::new())
        }
    }
}

fn shown_once(secret: &PlainClientSecret) -> String {
    format!("client_secret\t{}", secret.reveal())
}

async fn list(state: &State, line: fn(&Client) -> String) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    let mut after = String::new();
    loop {
        let page = register::list(state, &after).await?;
        let Some(last) = page.last() else {
            return Ok(lines);
        };
        after.clone_from(&last.id);
        lines.extend(page.iter().map(line));
    }
}

fn object(client: &Client) -> String {
    let grant_types: Vec<&str> = client.grant_types.iter().map(|it| it.name()).collect();
    serde_json::json!({
        "id": client.id,
        "name": client.name,
        "grant_types": grant_types,
        "authentication": authentication(client),
        "disabled_at": client.disabled_at,
    })
    .to_string()
}

fn authentication(client: &Client) -> &'static str {
    match client.authentication {
        Authentication::None => "none",
        Authentication::ClientSecret(_) => "client_secret",
        Authentication::PrivateKeyJwt(_) => "private_key_jwt",
    }
}

fn line(client: &Client) -> String {
    let grant_types: Vec<&str> = client.grant_types.iter().map(|it| it.name()).collect();
    let disabled_at = client
        .disabled_at
        .map_or_else(String::new, |at| at.to_string());
    [
        &*client.id,
        &client.name,
        &grant_types.join(" "),
        authentication(client),
        &disabled_at,
    ]
    .join("\t")
}
