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
    private,
    purpose::Purpose,
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
    path::PathBuf,
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
    /// Opens a deployment for serving, as [`Self::open_for`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn open(settings: Settings, clock: Clock, random: Random) -> Result<Self, Error> {
        Self::open_for(Purpose::Serve, settings, clock, random).await
    }

    /// Finds or makes the file of an embedded database, then the secret, then opens the database and brings its
    /// tables up to date, then makes the first signing key: what is missing is made where the purpose
    /// allows it.
    ///
    /// # Errors
    /// If any of it cannot be had, or the database belongs to another signing secret.
    pub async fn open_for(
        purpose: Purpose,
        settings: Settings,
        clock: Clock,
        random: Random,
    ) -> Result<Self, Error> {
        let (state, secret) = Self::open_any(purpose, settings, clock, random).await?;
        deployment::check(&state.db, &secret).await?;
        users::rekey(&state.db).await?;
        stand_ins::count_first(&state).await?;
        if purpose.may_make() {
            signing_keys::prepare(&state, Algorithm::Es256).await?;
            state.warn_of_readable_files();
        }
        state.hearing.load_revoked_keys(&state).await?;
        Ok(state)
    }

    /// Opens a deployment whichever secret its database belongs to: for the command that changes that.
    ///
    /// # Errors
    /// If any of it cannot be had.
    pub async fn open_any(
        purpose: Purpose,
        settings: Settings,
        clock: Clock,
        random: Random,
    ) -> Result<(Self, Secret), Error> {
        let Settings { config, leptos, .. } = settings;
        let address = db::address(&config.database_url())?;
        let file = db::sqlite::find(&config, purpose)?;
        let secret = load_secret(&config, purpose, &random)?;
        let connections = config.database.max_connections;
        let db = Db::open(&address, connections, file.as_deref(), purpose).await?;
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

    /// Warns of the database's files that other users of the machine can read.
    fn warn_of_readable_files(&self) {
        let Some(file) = self.db.file() else { return };
        let beside = ["", "-wal", "-shm", "-ended"].map(|what| db::sqlite::beside(file, what));
        private::warn_of_readable(beside.iter().map(PathBuf::as_path));
    }

    /// Begins to serve as one of the nodes: this process hears from now on what others end, and writes what
    /// may be written later.
    ///
    /// # Errors
    /// If the other nodes would refuse what this one signs, or the database does not answer.
    pub async fn begin_to_serve(&self) -> Result<(), Error> {
        nodes::join(self).await?;
        self.db.begin_to_serve();
        sessions::listen(self);
        super::later::write_now_and_then(self);
        stand_ins::count_now_and_then(self);
        back_channel::tell_clients(self);
        nodes::stay(self);
        Ok(())
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

/// Reads the signing secret, and makes it first where it is missing and the purpose allows it.
fn load_secret(config: &Config, purpose: Purpose, random: &Random) -> Result<Secret, Error> {
    let folder = &config.data.dir;
    let file = folder.join("secret.key");
    if !config.secret.key.is_empty() {
        Secret::parse(&config.secret.key)
    } else if purpose.may_make() {
        private::make_folder(folder)?;
        Secret::load_or_make(&file, random)
    } else {
        Secret::load(&file)
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
