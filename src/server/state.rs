//! What the server holds while it runs: made once, provided once.

use super::{
    api_keys,
    clients::Clients,
    clock::Clock,
    config::Config,
    cookie, cookie_check,
    db::{self, Db},
    deployment,
    error::Error,
    forms::Seal,
    forward_auth::CheckRenewals,
    headers, known_browsers,
    later::Later,
    limits::Limits,
    nodes,
    oidc::back_channel::{self, BackChannel},
    page_account,
    passwords::Hasher,
    random::Random,
    secret::Secret,
    sessions::{self, Hearing, SessionCache, token::Signer},
    settings::Settings,
    signing_keys::{self, Algorithm, SigningKeys},
    stand_ins::{self, StandIns},
    tasks::Tasks,
    users,
};
use axum::extract::FromRef;
use http::HeaderValue;
use leptos::config::LeptosOptions;
use std::{
    ops::Deref,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Cheap to clone: every request has one.
#[derive(Clone)]
pub struct State(Arc<Inner>);

/// See [`State`].
pub struct Inner {
    /// The settings in force.
    pub config: Config,
    /// Leptos's own.
    pub leptos: LeptosOptions,
    /// Names of the cookies.
    pub cookie_names: cookie::Names,
    /// Value of `Strict-Transport-Security`, if it is sent.
    pub hsts: Option<HeaderValue>,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Tells this process from others of the deployment.
    pub node: String,
    /// Fingerprints of the signing secrets that this process has, the newest first.
    pub secrets: Vec<String>,
    /// Unguessable bytes.
    pub random: Random,
    /// Passwords.
    pub hasher: Hasher,
    /// What the password of an unknown address is verified against.
    pub stand_ins: StandIns,
    /// Session tokens.
    pub signer: Signer,
    /// API keys.
    pub api_keys: api_keys::Keys,
    /// Live sessions in memory.
    pub sessions: SessionCache,
    /// Of what others end.
    pub hearing: Hearing,
    /// What may be written a little later.
    pub later: Later,
    /// Forms on their way back to their page.
    pub seal: Seal,
    /// Names of sessions on their way to the check of their cookie.
    pub cookie_check: cookie_check::Seal,
    /// Marks of browsers that have signed in to an account before.
    pub known_browsers: known_browsers::Seal,
    /// Tags by which pages name their account.
    pub page_accounts: page_account::Tags,
    /// How often something may be tried.
    pub limits: Limits,
    /// Renewals that checks of forward auth handed out.
    pub check_renewals: CheckRenewals,
    /// Clients that are told of endings.
    pub back_channel: BackChannel,
    /// Clients in memory.
    pub clients: Clients,
    /// The keys that sign what clients get.
    pub signing_keys: SigningKeys,
    /// Tasks that have ended early.
    pub tasks: Tasks,
    /// Set when the process was asked to stop.
    draining: AtomicBool,
}

impl State {
    /// Makes the data folder and the secret where there are none, opens the database and brings
    /// its tables up to date.
    ///
    /// # Errors
    /// If any of it cannot be had, or the database belongs to another signing secret.
    pub async fn open(settings: Settings, clock: Clock, random: Random) -> Result<Self, Error> {
        let (state, secret) = Self::open_any(settings, clock, random).await?;
        deployment::check(&state.db, &secret).await?;
        users::rekey(&state.db).await?;
        stand_ins::count_first(&state).await?;
        signing_keys::prepare(&state, Algorithm::Es256).await?;
        state.hearing.load_revoked_keys(&state).await?;
        Ok(state)
    }

    /// The same whatever secret the database belongs to: for the command that changes that.
    ///
    /// # Errors
    /// If any of it cannot be had.
    pub async fn open_any(
        settings: Settings,
        clock: Clock,
        random: Random,
    ) -> Result<(Self, Secret), Error> {
        let Settings { config, leptos, .. } = settings;
        let address = db::address(&config.database_url())?;
        make_private_folder(&config.data.dir).map_err(|source| Error::Io {
            what: config.data.dir.display().to_string(),
            source,
        })?;
        let secret = if config.secret.key.is_empty() {
            Secret::load_or_make(&config.data.dir.join("secret.key"), &random)?
        } else {
            Secret::parse(&config.secret.key)?
        };
        let db = Db::open(&address, config.database.max_connections).await?;
        let hasher = Hasher::new(&config.passwords, random.clone())?;
        let state = Self(Arc::new(Inner {
            stand_ins: StandIns::new(&secret, &hasher)?,
            hasher,
            sessions: SessionCache::new(u64::from(config.session.kept_in_memory)),
            hearing: Hearing::new(&db, &address.url),
            later: Later::default(),
            signer: Signer::new(&secret)?,
            api_keys: api_keys::Keys::load(&db, &secret, clock.now_s()).await?,
            secrets: secret.fingerprints()?,
            seal: Seal::new(&secret)?,
            cookie_check: cookie_check::Seal::new(&secret)?,
            known_browsers: known_browsers::Seal::new(&secret)?,
            page_accounts: page_account::Tags::new(&secret)?,
            limits: Limits::new(&config.limits, &clock),
            check_renewals: CheckRenewals::default(),
            back_channel: BackChannel::default(),
            clients: Clients::default(),
            signing_keys: SigningKeys::new(&secret)?,
            tasks: Tasks::default(),
            hsts: headers::strict_transport_security(&config.server),
            draining: AtomicBool::new(false),
            cookie_names: cookie::Names::new(&config.session.cookie_suffix),
            config,
            leptos,
            db,
            clock,
            node: random.id()?,
            random,
        }));
        Ok((state, secret))
    }

    /// From now on this process serves: it hears what others end, and writes what may be written
    /// later.
    pub fn begin_to_serve(&self) {
        self.db.begin_to_serve();
        sessions::listen(self);
        super::later::write_now_and_then(self);
        stand_ins::count_now_and_then(self);
        back_channel::tell_clients(self);
        nodes::stay(self);
    }

    /// Answers "not ready" from now on, so that a load balancer sends no more requests.
    pub fn begin_to_drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the process was asked to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The end of serving: what waits is written, and the database closed.
    ///
    /// # Errors
    /// If something could not be written.
    pub async fn end_serving(&self) -> Result<(), Error> {
        let written = self.later.flush(self).await;
        nodes::leave(self).await;
        self.db.close().await;
        written
    }
}

/// What is in it is the server's alone: other users of the machine may not even list it.
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
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
