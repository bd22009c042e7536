//! What the server holds while it runs: made once, provided once.

use super::{
    clock::Clock,
    config::{Config, Settings},
    db::Db,
    error::Error,
    forms::Seal,
    limits::Limit,
    passwords::Hasher,
    random::Random,
    secret::Secret,
    session_token::Signer,
};
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use std::{ops::Deref, sync::Arc, time::Duration};

/// Cheap to clone: every request has one.
#[derive(Clone)]
pub struct State(Arc<Inner>);

/// See [`State`].
pub struct Inner {
    /// The settings in force.
    pub config: Config,
    /// Leptos's own.
    pub leptos: LeptosOptions,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Unguessable bytes.
    pub random: Random,
    /// Passwords.
    pub hasher: Hasher,
    /// Session tokens.
    pub signer: Signer,
    /// Forms on their way back to their page.
    pub seal: Seal,
    /// Sign-ins, by address.
    pub sign_ins_by_address: Limit,
    /// Failed sign-ins, by account.
    pub sign_ins_by_account: Limit,
    /// Sign-ups, by address.
    pub sign_ups_by_address: Limit,
}

impl State {
    /// Makes the data folder and the secret where there are none, opens the database and brings
    /// its tables up to date.
    ///
    /// # Errors
    /// If any of it cannot be had.
    pub async fn open(settings: Settings, clock: Clock, random: Random) -> Result<Self, Error> {
        let Settings { config, leptos, .. } = settings;
        std::fs::create_dir_all(&config.data.dir).map_err(|source| Error::Io {
            what: config.data.dir.display().to_string(),
            source,
        })?;
        let secret = if config.secret.key.is_empty() {
            Secret::load_or_make(&config.data.dir.join("secret.key"), &random)?
        } else {
            Secret::parse(&config.secret.key)?
        };
        let db = Db::open(&config.database_url(), config.database.max_connections).await?;
        let limit = |tries| Limit::new(clock.clone(), tries, Duration::from_mins(1));
        Ok(Self(Arc::new(Inner {
            hasher: Hasher::new(&config.passwords, random.clone())?,
            signer: Signer::new(&secret)?,
            seal: Seal::new(&secret)?,
            sign_ins_by_address: limit(config.limits.sign_ins_per_address),
            sign_ins_by_account: limit(config.limits.sign_ins_per_account),
            sign_ups_by_address: limit(config.limits.sign_ups_per_address),
            config,
            leptos,
            db,
            clock,
            random,
        })))
    }
}

impl Deref for State {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl FromRef<State> for LeptosOptions {
    fn from_ref(state: &State) -> Self {
        state.leptos.clone()
    }
}
