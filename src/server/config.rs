//! What is in force: the built-in defaults, then `Leptos.toml`, then the environment.

use super::error::Error;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use leptos::config::{LeptosOptions, get_config_from_str, get_configuration};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::path::{Path, PathBuf};

/// The settings file that the project ships; its values are the defaults, and a test says so.
pub const SHIPPED: &str = include_str!("../../Leptos.toml");

/// Environment variables that begin like settings and are none.
const NOT_SETTINGS: [&str; 3] = ["CONFIG", "BIN", "TEST_POSTGRES"];

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
        /// Failed sign-ins to one account a minute.
        sign_ins_per_account: u32 = 10,
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
    package: Package,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Package {
    #[serde(rename = "metadata")]
    _metadata: Metadata,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Metadata {
    #[serde(rename = "leptos")]
    _leptos: LeptosKeys,
}

/// Leptos ignores a key that it does not know; we name it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct LeptosKeys {
    output_name: Option<IgnoredAny>,
    site_root: Option<IgnoredAny>,
    site_pkg_dir: Option<IgnoredAny>,
    site_addr: Option<IgnoredAny>,
    env: Option<IgnoredAny>,
    reload_port: Option<IgnoredAny>,
    reload_external_port: Option<IgnoredAny>,
    reload_ws_protocol: Option<IgnoredAny>,
    hash_file: Option<IgnoredAny>,
    hash_files: Option<IgnoredAny>,
}

/// The settings in force, and where they came from.
pub struct Settings {
    /// Cloakroom's.
    pub config: Config,
    /// Leptos's.
    pub leptos: LeptosOptions,
    sources: Figment,
}

impl Settings {
    /// Reads `file`, or `Leptos.toml` of this folder if there is one, and the environment.
    ///
    /// # Errors
    /// Names the key, the file or variable, and what was expected.
    pub fn load(file: Option<&Path>) -> Result<Self, Error> {
        let refuse = |error: String| Error::Config(error);
        let file = match file {
            Some(named) if !named.is_file() => {
                return Err(refuse(format!(
                    "{}: there is no such file",
                    named.display()
                )));
            }
            Some(named) => Some(named.to_owned()),
            None => Some(PathBuf::from("Leptos.toml")).filter(|usual| usual.is_file()),
        };
        let mut sources = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = &file {
            sources = sources.merge(Toml::file_exact(file));
        }
        sources = sources
            .merge(
                Env::prefixed("CLOAKROOM_")
                    .ignore(&NOT_SETTINGS)
                    .map(|key| key.as_str().replacen('_', ".", 1).into()),
            )
            .merge(
                Env::raw()
                    .only(&["DATABASE_URL"])
                    .map(|_| "database.url".into()),
            );
        let config: Config = sources
            .extract()
            .map_err(|error| refuse(error.to_string().replace("default.", "")))?;
        config.check()?;
        let leptos = match &file {
            Some(file) => get_configuration(file.to_str()).map(|found| found.leptos_options),
            None => get_config_from_str(SHIPPED),
        };
        let mut leptos = leptos.map_err(|error| refuse(format!("Leptos's options: {error}")))?;
        leptos.site_root = find_site(&leptos.site_root).into();
        Ok(Self {
            config,
            leptos,
            sources,
        })
    }

    /// One line a setting: its value and where it came from. Secrets are not shown.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("site_addr = {}", self.leptos.site_addr),
            format!("site_root = {}", self.leptos.site_root),
        ];
        let values = serde_json::to_value(&self.config).unwrap_or_default();
        for (table, keys) in values.as_object().into_iter().flatten() {
            for (key, value) in keys.as_object().into_iter().flatten() {
                let name = format!("{table}.{key}");
                let source = self.sources.find_metadata(&name).map_or_else(
                    || "default".to_owned(),
                    |found| match &found.source {
                        Some(figment::Source::File(path)) => path.display().to_string(),
                        Some(figment::Source::Code(_)) => "default".to_owned(),
                        _ => found.name.to_string(),
                    },
                );
                let is_secret = matches!(name.as_str(), "secret.key" | "database.url")
                    && value.as_str() != Some("");
                let shown = if is_secret {
                    "(not shown)".to_owned()
                } else {
                    value.to_string()
                };
                lines.push(format!("{name} = {shown}    # {source}"));
            }
        }
        lines
    }
}

impl Config {
    /// The rules that a type cannot hold.
    fn check(&self) -> Result<(), Error> {
        let rules = [
            (
                self.passwords.min_length >= 8 && self.passwords.min_length <= 64,
                "passwords.min_length: expected 8 to 64 code points",
            ),
            (
                self.database.max_connections >= 1,
                "database.max_connections: expected at least 1",
            ),
            (
                self.server.body_limit_bytes >= 4096,
                "server.body_limit_bytes: expected at least 4096",
            ),
            (
                self.session.idle_timeout_s >= 60 && self.session.kept_idle_timeout_s >= 60,
                "session.idle_timeout_s, session.kept_idle_timeout_s: expected at least 60 seconds",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(Error::Config(broken.to_owned())),
            None => Ok(()),
        }
    }

    /// The URL of the database: the one that was set, or SQLite in the data folder.
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            let file = self.data.dir.join("cloakroom.db");
            format!("sqlite://{}?mode=rwc", file.display())
        } else {
            self.database.url.clone()
        }
    }
}

/// A relative site folder is looked for in this folder and then around the binary, so that the
/// binary starts from anywhere.
fn find_site(set: &str) -> String {
    let path = Path::new(set);
    if path.is_absolute() || path.is_dir() {
        return set.to_owned();
    }
    let exe = std::env::current_exe().ok();
    let beside = exe.as_deref().and_then(Path::parent);
    [beside, beside.and_then(Path::parent)]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("site"))
        .find(|site| site.is_dir())
        .map_or_else(|| set.to_owned(), |found| found.display().to_string())
}
