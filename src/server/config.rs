//! What can be set, its defaults, and its rules. `settings.rs` reads it.

use super::passwords::{ITERATIONS_MAX, LANES_MAX, MEMORY_MAX_KIB};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::path::PathBuf;

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident { $($(#[$key_doc:meta])* $key:ident: $type:ty = $default:expr,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Serialize, Deserialize)]
            #[serde(deny_unknown_fields, default)]
            pub struct $table { $($(#[$key_doc])* pub $key: $type,)* }

            impl Default for $table {
                fn default() -> Self {
                    Self { $($key: $default,)* }
                }
            }
        )*
    };
}

tables! {
    /// Where files are kept.
    Data {
        /// The folder of the embedded database and of the signing secret.
        dir: PathBuf = PathBuf::from("data"),
    }
    /// Which database.
    Database {
        /// Empty: SQLite in the data folder. Else `sqlite://…` or `postgres://…`.
        url: String = String::new(),
        /// Connections held at most.
        max_connections: u32 = 8,
    }
    /// The signing secret.
    SecretKey {
        /// Empty: `secret.key` in the data folder. Else 32 bytes in base64url; several with commas.
        key: String = String::new(),
    }
    /// How requests are taken.
    Server {
        /// How many proxies of yours stand in front; each adds one entry to `X-Forwarded-For`.
        trusted_proxy_hops: u32 = 0,
        /// The largest body taken, in bytes.
        body_limit_bytes: u32 = 65_536,
        /// A request is answered within this long, in seconds.
        request_timeout_s: u32 = 30,
        /// The headers of a request arrive within this long, in seconds.
        header_timeout_s: u32 = 10,
        /// The body of a request arrives within this long, in seconds.
        body_timeout_s: u32 = 10,
        /// Connections open at once.
        max_connections: u32 = 10_000,
    }
    /// How long a session lives.
    Session {
        /// Ends after this long without use, in seconds.
        idle_timeout_s: u32 = 3_600,
        /// Ends at the latest, in seconds after signing in.
        absolute_timeout_s: u32 = 86_400,
        /// The first with "Keep me signed in".
        kept_idle_timeout_s: u32 = 1_209_600,
        /// The second with "Keep me signed in".
        kept_absolute_timeout_s: u32 = 2_592_000,
    }
    /// What a password must be and how it is hashed.
    Passwords {
        /// In Unicode code points; never below 8.
        min_length: u32 = 15,
        /// Argon2id's memory, in KiB.
        memory_kib: u32 = 19_456,
        /// Argon2id's passes over it.
        iterations: u32 = 2,
        /// Argon2id's lanes.
        lanes: u32 = 1,
        /// Hashes computed at once; 0 is one a core.
        hashes_at_once: u32 = 0,
        /// Sign-ins that wait for a core; the next is told to come back.
        queue: u32 = 64,
    }
    /// How often something may be tried.
    Limits {
        /// Sign-ins from one address a minute.
        sign_ins_per_address: u32 = 60,
        /// Sign-ins to one account from one address a minute; a right password forgets them.
        sign_ins_per_account_and_address: u32 = 10,
        /// Sign-ins to one account from everywhere a minute; a right password forgets them.
        sign_ins_per_account: u32 = 100,
        /// Sign-ups from one address a minute.
        sign_ups_per_address: u32 = 20,
    }
}

/// Everything that can be set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where files are kept.
    pub data: Data,
    /// Which database.
    pub database: Database,
    /// The signing secret.
    pub secret: SecretKey,
    /// How requests are taken.
    pub server: Server,
    /// How long a session lives.
    pub session: Session,
    /// What a password must be and how it is hashed.
    pub passwords: Passwords,
    /// How often something may be tried.
    pub limits: Limits,
    /// Leptos's own options stand under this header; Leptos reads them itself.
    #[serde(skip_serializing)]
    pub package: Package,
}

/// `[package…]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Package {
    /// `[package.metadata…]`.
    pub metadata: Metadata,
}

/// `[package.metadata…]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metadata {
    /// `[package.metadata.leptos]`, where there is one.
    pub leptos: Option<LeptosKeys>,
}

/// Which of Leptos's keys the file has. Leptos ignores one that it does not know; we name it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct LeptosKeys {
    output_name: Option<IgnoredAny>,
    /// Leptos's default is another than ours.
    pub site_root: Option<IgnoredAny>,
    site_pkg_dir: Option<IgnoredAny>,
    site_addr: Option<IgnoredAny>,
    env: Option<IgnoredAny>,
    reload_port: Option<IgnoredAny>,
    reload_external_port: Option<IgnoredAny>,
    reload_ws_protocol: Option<IgnoredAny>,
    hash_file: Option<IgnoredAny>,
    /// Leptos's default is another than ours.
    pub hash_files: Option<IgnoredAny>,
}

impl Config {
    /// The first rule that does not hold, of those that a type cannot say: the key, and what was
    /// expected of it.
    pub fn broken_rule(&self) -> Option<(&'static str, &'static str)> {
        let (server, session) = (&self.server, &self.session);
        let (passwords, limits) = (&self.passwords, &self.limits);
        let rules = [
            (
                "database.max_connections",
                self.database.max_connections >= 1,
                "at least 1",
            ),
            (
                "server.body_limit_bytes",
                server.body_limit_bytes >= 4096,
                "at least 4096 bytes",
            ),
            (
                "server.request_timeout_s",
                server.request_timeout_s >= 1,
                "at least 1",
            ),
            (
                "server.header_timeout_s",
                server.header_timeout_s >= 1,
                "at least 1",
            ),
            (
                "server.body_timeout_s",
                server.body_timeout_s >= 1,
                "at least 1",
            ),
            (
                "server.max_connections",
                server.max_connections >= 1,
                "at least 1",
            ),
            (
                "session.idle_timeout_s",
                session.idle_timeout_s >= 60,
                "at least 60 seconds",
            ),
            (
                "session.absolute_timeout_s",
                session.absolute_timeout_s >= 60,
                "at least 60 seconds",
            ),
            (
                "session.kept_idle_timeout_s",
                session.kept_idle_timeout_s >= 60,
                "at least 60 seconds",
            ),
            (
                "session.kept_absolute_timeout_s",
                session.kept_absolute_timeout_s >= 60,
                "at least 60 seconds",
            ),
            (
                "limits.sign_ins_per_address",
                limits.sign_ins_per_address >= 1,
                "at least 1",
            ),
            (
                "limits.sign_ins_per_account_and_address",
                limits.sign_ins_per_account_and_address >= 1,
                "at least 1",
            ),
            (
                "limits.sign_ins_per_account",
                limits.sign_ins_per_account >= 1,
                "at least 1",
            ),
            (
                "limits.sign_ups_per_address",
                limits.sign_ups_per_address >= 1,
                "at least 1",
            ),
            (
                "passwords.min_length",
                (8..=64).contains(&passwords.min_length),
                "8 to 64 code points",
            ),
            // What is hashed today must be what may be verified tomorrow.
            (
                "passwords.memory_kib",
                passwords.memory_kib <= MEMORY_MAX_KIB,
                "at most 262144 KiB",
            ),
            (
                "passwords.iterations",
                passwords.iterations <= ITERATIONS_MAX,
                "at most 16 passes",
            ),
            (
                "passwords.lanes",
                passwords.lanes <= LANES_MAX,
                "at most 8 lanes",
            ),
        ];
        rules
            .into_iter()
            .find(|(_, holds, _)| !holds)
            .map(|(key, _, expected)| (key, expected))
    }

    /// The URL of the database: the one that was set, or SQLite in the data folder.
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            let file = self.data.dir.join("cloakroom.db");
            // A `?`, a `%` or a space of the path is not one of the URL's.
            let path = file.to_string_lossy();
            let path = utf8_percent_encode(&path, NOT_IN_A_PATH);
            format!("sqlite://{path}?mode=rwc")
        } else {
            self.database.url.clone()
        }
    }
}

const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'?');
