//! A node in this process, on either database, so that what it asks the database can be counted
//! and what is behind its door can be called without the door.

use crate::load::Request;
use cloakroom::{
    server::{
        activity::Visitor, clock::Clock, listen, random::Random, router::router, secret::PlainSid,
        sessions::token::Claims, settings::Settings, state::State,
    },
    wire::{
        Error, Json,
        sessions::{Device, ThisSession},
        users::Viewer,
    },
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

/// The signing secret that all nodes share.
pub const SECRET: &str = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4";
pub const PASSWORD: &str = "a quiet lamp over seven stairs";

/// Answers as much as `/api/viewer` does, and asks nobody anything.
#[server(prefix = "/api", endpoint = "same_size", input = GetUrl, output = Json)]
pub async fn same_size() -> Result<Option<Viewer>, Error> {
    Ok(Some(Viewer {
        email: "viewer@example.com".to_owned(),
        created_at: 1_800_000_000,
        session: ThisSession {
            number: 4827,
            device: Device::default(),
            started_at: 1_800_000_000,
            idle_timeout_s: 3_600,
            ends_at: 1_800_086_400,
            copied_at: None,
        },
        now: 1_800_000_000,
    }))
}

/// Which database a node is on.
#[derive(Clone)]
pub enum Database {
    Sqlite,
    Postgres(String),
}

impl Database {
    /// A new one of each kind.
    pub fn both() -> [(&'static str, Self); 2] {
        [("SQLite", Self::Sqlite), ("PostgreSQL", Self::postgres())]
    }

    pub fn postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let admin = env::var("CLOAKROOM_TEST_POSTGRES")
            .expect("make bench runs this under scripts/with-postgres");
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bench_{}_{count}", std::process::id());
        Runtime::new().expect("a runtime").block_on(async {
            let mut connection = PgConnection::connect(&admin).await.expect("PostgreSQL");
            let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
            sqlx::query(sql)
                .execute(&mut connection)
                .await
                .expect("a database");
        });
        let (server, _) = admin.rsplit_once('/').expect("a URL");
        Self::Postgres(format!("{server}/{name}"))
    }
}

pub struct Node {
    pub runtime: Runtime,
    pub state: State,
    pub port: String,
    folder: PathBuf,
    _stop: oneshot::Sender<()>,
}

impl Node {
    pub fn start(database: &Database) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("cloakroom-node-{}-{count}", std::process::id()));
        let mut settings = Settings::load(None).expect("settings");
        let config = &mut settings.config;
        config.data.dir.clone_from(&folder);
        config.database.url = match database {
            Database::Sqlite => String::new(),
            Database::Postgres(url) => url.clone(),
        };
        SECRET.clone_into(&mut config.secret.key);
        // The least that Argon2 knows: sessions are what is measured here.
        (config.passwords.memory_kib, config.passwords.iterations) = (64, 1);
        config.session.max_per_user = 1000;
        for limit in [
            &mut config.limits.sign_ins_per_address,
            &mut config.limits.sign_ins_per_account,
            &mut config.limits.sign_ins_per_account_and_address,
            &mut config.limits.sign_ups_per_address,
            &mut config.limits.requests_per_key,
        ] {
            *limit = 10_000_000;
        }
        let runtime = Runtime::new().expect("a runtime");
        let (state, port, stop) = runtime.block_on(async {
            let state = State::open(settings, Clock::system(), Random::system()).await;
            let state = state.expect("a database");
            state
                .begin_to_serve()
                .await
                .expect("a node of the deployment");
            while !state.hearing.is_good(&state.sessions, &state.db) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener
                .local_addr()
                .expect("an address")
                .port()
                .to_string();
            let (stop, stopped) = oneshot::channel::<()>();
            let serving = state.clone();
            tokio::spawn(async move {
                let stopped = async move { drop(stopped.await) };
                listen::serve(listener, router(serving.clone()), &serving, stopped).await
            });
            (state, port, stop)
        });
        Self {
            runtime,
            state,
            port,
            folder,
            _stop: stop,
        }
    }

    /// Makes an account; its cookie.
    pub fn sign_up(&self, email: &str) -> String {
        Request::sign_up(email, PASSWORD)
            .answer(&self.port)
            .cookie()
    }

    /// Signs in; the cookie.
    pub fn sign_in(&self, email: &str) -> String {
        Request::sign_in(email, PASSWORD)
            .answer(&self.port)
            .cookie()
    }

    /// Stores live sessions until there are so many, and returns the tokens of some of them.
    pub fn store(&self, sessions: u32) -> Vec<String> {
        const KNOWN: u32 = 1000;
        let state = &self.state;
        self.runtime.block_on(async {
            let now = state.clock.now_s();
            let mut tx = state.db.write().await.expect("a transaction");
            let (users, others) = if state.db.file().is_some() {
                (SQLITE_USERS, SQLITE_OTHERS)
            } else {
                (POSTGRES_USERS, POSTGRES_OTHERS)
            };
            sqlx::query(users).execute(&mut *tx).await.expect("users");
            let mut tokens = Vec::new();
            for known in 0..KNOWN {
                let sid = PlainSid::generate(&state.random).expect("a sid");
                let user = format!("user-{known}");
                sqlx::query(INSERT_ONE)
                    .bind(state.random.id().expect("an id"))
                    .bind(sid.hashed().as_str())
                    .bind(&user)
                    .bind(now)
                    .bind(now + 86_400)
                    .execute(&mut *tx)
                    .await
                    .expect("a session");
                let claims = Claims::new(&user, &sid, now, now + 86_400);
                tokens.push(state.signer.sign(&claims).expect("a token"));
            }
            if sessions > KNOWN {
                sqlx::query(others)
                    .bind(now)
                    .bind(now + 86_400)
                    .bind(i64::from(sessions - KNOWN))
                    .execute(&mut *tx)
                    .await
                    .expect("other sessions");
            }
            tx.commit().await.expect("all of them");
            if state.db.file().is_none() {
                sqlx::query("ANALYZE")
                    .execute(state.db.pool())
                    .await
                    .expect("statistics");
            }
            tokens
        })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.runtime.block_on(self.state.db.close());
        // Tasks may still hold a file of it for a moment.
        thread::sleep(Duration::from_millis(50));
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Somebody on this machine.
pub fn visitor() -> Visitor {
    Visitor {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: String::new(),
    }
}

const SQLITE_USERS: &str = "INSERT INTO users (id, email, email_key, password_hash, created_at) \
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
    SELECT 'user-' || i, 'user-' || i || '@example.com', 'user-' || i || '@example.com', '', 0 FROM n";
const POSTGRES_USERS: &str = "INSERT INTO users (id, email, email_key, password_hash, created_at) \
    SELECT 'user-' || i, 'user-' || i || '@example.com', 'user-' || i || '@example.com', '', 0 \
    FROM generate_series(0, 999) AS n (i)";
const INSERT_ONE: &str = "INSERT INTO sessions (id, hashed_sid, user_id, created_at, last_seen_at, \
    generation, renewed_at, successor_seen_at, authenticated_at, authenticated_by, user_agent, address, is_kept, \
    idle_timeout_s, ends_at) \
    VALUES ($1, $2, $3, $4, $4, 1, $4, $4, $4, 'pwd', 'Firefox Linux', '127.0.0.1', 0, 86400, $5)";
const SQLITE_OTHERS: &str = "INSERT INTO sessions (id, hashed_sid, user_id, created_at, last_seen_at, \
    generation, renewed_at, successor_seen_at, authenticated_at, authenticated_by, user_agent, address, is_kept, \
    idle_timeout_s, ends_at) \
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3) \
    SELECT hex(randomblob(11)), hex(randomblob(21)), 'user-' || (i % 1000), $1, $1, 1, $1, $1, $1, \
        'pwd', 'Firefox Linux', '127.0.0.1', 0, 86400, $2 FROM n";
const POSTGRES_OTHERS: &str = "INSERT INTO sessions (id, hashed_sid, user_id, created_at, last_seen_at, \
    generation, renewed_at, successor_seen_at, authenticated_at, authenticated_by, user_agent, address, is_kept, \
    idle_timeout_s, ends_at) \
    SELECT md5(random()::text || i), md5(random()::text || i) || '0123456789a', \
        'user-' || (i % 1000), CAST($1 AS BIGINT), CAST($1 AS BIGINT), 1, CAST($1 AS BIGINT), \
        CAST($1 AS BIGINT), CAST($1 AS BIGINT), 'pwd', 'Firefox Linux', '127.0.0.1', 0, 86400, CAST($2 AS BIGINT) \
    FROM generate_series(1, CAST($3 AS BIGINT)) AS n (i)";
