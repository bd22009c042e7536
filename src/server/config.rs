//! What can be set, its defaults, and its rules. `settings.rs` reads it.

use super::{
    passwords::{ITERATIONS_MAX, LANES_MAX, MEMORY_MAX_KIB},
    sessions::generations::RenewalTimes,
};
use http::uri::Authority;
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
        /// A connection without a request is closed after this long, in seconds. A proxy in front
        /// keeps its connections for less, or it answers 502 now and then.
        keep_alive_timeout_s: u32 = 90,
        /// The body of a request arrives within this long, in seconds.
        body_timeout_s: u32 = 10,
        /// Connections open at once.
        max_connections: u32 = 10_000,
        /// After a request to stop, "not ready" is answered for this long before connections are refused, in
        /// seconds.
        drain_s: u32 = 0,
        /// Browsers use https alone for this long, in seconds; 0 sends no such header.
        hsts_max_age_s: u32 = 31_536_000,
        /// Hosts below this one are included in it.
        hsts_include_sub_domains: bool = true,
    }
    /// Lines on standard error.
    Log {
        /// `text` or `json`.
        format: LogFormat = LogFormat::Text,
        /// The least severe level that is logged; the variable `RUST_LOG` goes over it.
        level: LogLevel = LogLevel::Info,
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
        /// A cookie in use is renewed when it is this old, in seconds.
        renew_after_s: u32 = 300,
        /// The one before stays good for so long once its successor has been seen, in seconds.
        renewal_grace_s: u32 = 60,
        /// What changes who can sign in asks for the password again after this long, in seconds.
        recent_sign_in_s: u32 = 600,
        /// `aal1` or `aal2`: no session outlives what NIST allows at this level.
        preset: Preset = Preset::Aal1,
        /// Sessions that one person may have; one more ends the one unused for longest.
        max_per_user: u32 = 100,
        /// Ends the names of the cookies, after a hyphen: two servers on one host need one each.
        cookie_suffix: String = String::new(),
        /// Sessions that are held in memory at once.
        kept_in_memory: u32 = 50_000,
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
        /// Sign-ins that wait for a core; the next is told to come back. Where anonymous
        /// visitors fill it, a quarter as many of known browsers and signed-in users wait as well.
        queue: u32 = 64,
    }
    /// Signing people in for other apps, which a proxy asks about.
    ForwardAuth {
        /// The hosts of these apps, with the port where there is one. Empty: nobody may ask.
        allowed_hosts: Vec<String> = Vec::new(),
        /// Those of them whose CORS preflights need no session.
        preflight_hosts: Vec<String> = Vec::new(),
    }
    /// How often something may be tried.
    Limits {
        /// Sign-ins from one address a minute. A /64 of IPv6 counts as an address; a /56 has 4 times as
        /// many, a /48 16 times.
        sign_ins_per_address: u32 = 60,
        /// Sign-ins to one account from one address a minute; a right password forgets them. A browser
        /// that has signed in to the account before and a signed-in user have as many each.
        sign_ins_per_account_and_address: u32 = 10,
        /// Sign-ins to one account from everywhere a minute; a right password forgets them. The known
        /// browsers of an account together have as many, and so has a signed-in user.
        sign_ins_per_account: u32 = 100,
        /// Sign-ups from one address a minute; larger networks have more, as above.
        sign_ups_per_address: u32 = 20,
        /// Clients of OAuth that did not show who they are, from one address a minute.
        client_failures_per_address: u32 = 60,
        /// Requests for tokens of one client a minute.
        tokens_per_client: u32 = 6_000,
        /// Requests of one API key a minute.
        requests_per_key: u32 = 600,
        /// API keys that one user makes, a minute.
        new_keys_per_user: u32 = 20,
    }
    /// Ages at which ended sessions and old activity are deleted.
    Retention {
        /// Sessions, in days after their end. Cookies and refresh tokens live for 30 days at most.
        sessions_days: u32 = 90,
        /// What happened to accounts, in days.
        activity_days: u32 = 365,
    }
    /// Cloakroom as an OpenID Connect provider.
    Oidc {
        /// What clients know it by: its origin, as browsers and programs reach it.
        issuer: String = "http://localhost:3000".to_owned(),
        /// A key that signs tokens is followed by a new one after this long, in days.
        rotate_keys_after_days: u32 = 90,
        /// A new key is published for so long before it signs, in seconds.
        publish_keys_before_s: u32 = 600,
    }
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How severe a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something will fail, or an attack.
    Warn,
    /// What users and operators do.
    Info,
    /// For a search for faults: also what libraries do, and the texts of statements.
    Debug,
    /// Everything.
    Trace,
}

/// Authenticator assurance levels (NIST SP 800-63B-4), and the times that go with them: whatever
/// else is set, a session is no longer than its level allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// 30 days in all (2.1.3).
    Aal1,
    /// 1 hour without use, 24 hours in all (2.2.3).
    Aal2,
}

impl Preset {
    /// Without use and in all, in seconds.
    pub fn most(self) -> (u32, u32) {
        match self {
            Self::Aal1 => (u32::MAX, 30 * 86_400),
            Self::Aal2 => (3_600, 86_400),
        }
    }
}

impl Session {
    /// How long a session may go without use and how long it lasts in all, in seconds.
    pub fn times(&self, is_kept: bool) -> (i64, i64) {
        let (idle, in_all) = if is_kept {
            (self.kept_idle_timeout_s, self.kept_absolute_timeout_s)
        } else {
            (self.idle_timeout_s, self.absolute_timeout_s)
        };
        let (idle_most, most_in_all) = self.preset.most();
        (
            i64::from(idle.min(idle_most)),
            i64::from(in_all.min(most_in_all)),
        )
    }

    /// Shortens the times of a session that was started under longer ones: its seconds without use, and
    /// its absolute end in Unix seconds. `since` is when its owner last proved who they are, from which the
    /// absolute end counts.
    pub fn shorten(&self, is_kept: bool, since: i64, (idle_s, ends_at): (i64, i64)) -> (i64, i64) {
        let (idle_most_s, most_in_all_s) = self.times(is_kept);
        (idle_s.min(idle_most_s), ends_at.min(since + most_in_all_s))
    }

    /// When cookies are renewed.
    pub fn renewal_times(&self) -> RenewalTimes {
        RenewalTimes {
            renew_after_s: i64::from(self.renew_after_s),
            grace_s: i64::from(self.renewal_grace_s),
        }
    }
}

impl ForwardAuth {
    fn broken_rule(&self) -> Option<(&'static str, String)> {
        let is_host = |host: &String| host.parse::<Authority>().is_ok() && !host.contains('@');
        if !self.allowed_hosts.iter().all(is_host) {
            let expected = "hosts, such as \"app.example.com\" or \"example.com:8443\"";
            return Some(("forward_auth.allowed_hosts", expected.to_owned()));
        }
        let is_allowed = |host: &String| {
            let mut allowed = self.allowed_hosts.iter();
            allowed.any(|allowed| allowed.eq_ignore_ascii_case(host))
        };
        if !self.preflight_hosts.iter().all(is_allowed) {
            let expected = "hosts that forward_auth.allowed_hosts lists too";
            return Some(("forward_auth.preflight_hosts", expected.to_owned()));
        }
        None
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
    /// Lines on standard error.
    pub log: Log,
    /// How long a session lives.
    pub session: Session,
    /// What a password must be and how it is hashed.
    pub passwords: Passwords,
    /// How often something may be tried.
    pub limits: Limits,
    /// Ages at which ended sessions and old activity are deleted.
    pub retention: Retention,
    /// Cloakroom as an OpenID Connect provider.
    pub oidc: Oidc,
    /// Signing people in for other apps.
    pub forward_auth: ForwardAuth,
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
    hash_files: Option<IgnoredAny>,
}

impl Config {
    /// The first rule that does not hold, of those that a type cannot say: the key, and what was
    /// expected of it.
    pub fn broken_rule(&self) -> Option<(&'static str, String)> {
        let most = u32::MAX;
        macro_rules! rule {
            ($table:ident . $key:ident, $range:expr, $unit:literal) => {
                (
                    concat!(stringify!($table), ".", stringify!($key)),
                    self.$table.$key,
                    $range,
                    $unit,
                )
            };
        }
        let rules = [
            rule!(database.max_connections, 1..=most, ""),
            rule!(server.body_limit_bytes, 4096..=most, " bytes"),
            rule!(server.request_timeout_s, 1..=most, " seconds"),
            rule!(server.header_timeout_s, 1..=most, " seconds"),
            rule!(server.keep_alive_timeout_s, 1..=most, " seconds"),
            rule!(server.body_timeout_s, 1..=most, " seconds"),
            rule!(server.max_connections, 1..=most, ""),
            rule!(session.idle_timeout_s, 60..=most, " seconds"),
            rule!(session.absolute_timeout_s, 60..=most, " seconds"),
            rule!(session.kept_idle_timeout_s, 60..=most, " seconds"),
            rule!(session.kept_absolute_timeout_s, 60..=most, " seconds"),
            rule!(session.renew_after_s, 1..=most, " seconds"),
            rule!(session.renewal_grace_s, 1..=most, " seconds"),
            rule!(session.recent_sign_in_s, 1..=most, " seconds"),
            rule!(session.max_per_user, 1..=1000, " sessions"),
            rule!(limits.sign_ins_per_address, 1..=most, ""),
            rule!(limits.sign_ins_per_account_and_address, 1..=most, ""),
            rule!(limits.sign_ins_per_account, 1..=most, ""),
            rule!(limits.sign_ups_per_address, 1..=most, ""),
            rule!(limits.client_failures_per_address, 1..=most, ""),
            rule!(limits.tokens_per_client, 1..=most, ""),
            rule!(limits.requests_per_key, 1..=most, ""),
            rule!(limits.new_keys_per_user, 1..=most, ""),
            rule!(retention.sessions_days, 31..=36_500, " days"),
            rule!(retention.activity_days, 1..=36_500, " days"),
            rule!(oidc.rotate_keys_after_days, 1..=most, " days"),
            rule!(passwords.min_length, 8..=64, " code points"),
            // What is hashed today must be what may be verified tomorrow.
            rule!(passwords.memory_kib, 0..=MEMORY_MAX_KIB, " KiB"),
            rule!(passwords.iterations, 0..=ITERATIONS_MAX, " passes"),
            rule!(passwords.lanes, 0..=LANES_MAX, " lanes"),
        ];
        if !is_suffix(&self.session.cookie_suffix) {
            let expected = "at most 32 lower-case letters, digits and hyphens";
            return Some(("session.cookie_suffix", expected.to_owned()));
        }
        if !is_issuer(&self.oidc.issuer) {
            let expected = "an origin: https, or http of this machine, a host and perhaps a \
                            port, and nothing after it, such as https://shop.example";
            return Some(("oidc.issuer", expected.to_owned()));
        }
        let broken = rules
            .into_iter()
            .find(|(_, value, range, _)| !range.contains(value));
        broken
            .map(|(key, _, range, unit)| {
                let expected = match (*range.start(), *range.end()) {
                    (least, u32::MAX) => format!("at least {least}{unit}"),
                    (0, most) => format!("at most {most}{unit}"),
                    (least, most) => format!("{least} to {most}{unit}"),
                };
                (key, expected)
            })
            .or_else(|| self.forward_auth.broken_rule())
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

/// Letters that a cookie's name may end with, and no surprise in any of them (RFC 6265, 4.1.1).
fn is_suffix(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= 32 && text.bytes().all(is_plain)
}

/// Tokens and clients compare it to the letter, and what it names is looked up below it: an origin
/// as browsers write it, over https but on this machine (OpenID Connect Discovery, 3; RFC 8414, 2).
fn is_issuer(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
    let Ok(read) = authority.parse::<Authority>() else {
        return false;
    };
    let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&read.host());
    let is_whole = !read.host().is_empty() && !authority.ends_with(':');
    let is_safe = scheme == "https" || (scheme == "http" && is_local);
    is_safe && is_whole && authority.bytes().all(is_plain)
}

const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'?');
