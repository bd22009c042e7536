//! Addresses of databases, read before the driver sees them. It ignores a parameter that it does not
//! know and a variable whose value is wrong, with everything that an operator trusted in.

use super::parameters;
use sqlx::{
    ConnectOptions,
    any::AnyConnectOptions,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{net::IpAddr, str::FromStr};

/// An address that was understood.
#[derive(Clone)]
pub struct Address {
    /// For the driver.
    pub url: String,
    /// The PostgreSQL that it names; none for SQLite.
    pub server: Option<Server>,
}

/// A PostgreSQL server, and how it is reached.
#[derive(Clone)]
pub struct Server {
    /// For the driver.
    pub options: PgConnectOptions,
    /// File or text of the authorities that may sign its certificate.
    pub root_certificate: Option<String>,
    /// File or text of the certificate that Cloakroom shows it.
    pub client_certificate: Option<String>,
    /// File or text of that certificate's key.
    pub client_key: Option<String>,
}

impl Address {
    /// Reads the address that an operator set.
    ///
    /// # Errors
    /// Names the fault, and no password.
    pub fn read(text: &str) -> Result<Self, String> {
        let (scheme, _) = text.split_once(':').unwrap_or((text, ""));
        match scheme {
            "sqlite" => Ok(Self {
                url: text.to_owned(),
                server: None,
            }),
            "postgres" | "postgresql" => {
                let (url, server) = postgres(text)?;
                let server = Some(server);
                Ok(Self { url, server })
            }
            _ => {
                Err("expected an address that begins with sqlite:, postgres: or postgresql:".into())
            }
        }
    }
}

impl Server {
    /// The server, for a sentence.
    pub fn place(&self) -> String {
        match self.socket() {
            Some(folder) => format!("PostgreSQL at the socket in {folder}"),
            None if self.options.get_host().contains(':') => {
                format!(
                    "PostgreSQL at [{}]:{}",
                    self.options.get_host(),
                    self.options.get_port()
                )
            }
            None => format!(
                "PostgreSQL at {}:{}",
                self.options.get_host(),
                self.options.get_port()
            ),
        }
    }

    /// The database's name there.
    pub fn database(&self) -> &str {
        self.options
            .get_database()
            .unwrap_or(self.options.get_username())
    }

    /// The folder of its Unix socket, if it is reached by one.
    pub fn socket(&self) -> Option<String> {
        let host = self.options.get_host();
        match self.options.get_socket() {
            Some(folder) => Some(folder.display().to_string()),
            None => host.starts_with('/').then(|| host.to_owned()),
        }
    }

    /// Whether a connection there crosses a network.
    pub fn is_elsewhere(&self) -> bool {
        let host = self.options.get_host();
        let is_loopback = host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
        self.socket().is_none() && host != "localhost" && !is_loopback
    }

    /// Value of `sslmode` that is in force.
    pub fn ssl_mode(&self) -> &'static str {
        match self.options.get_ssl_mode() {
            PgSslMode::Disable => "disable",
            PgSslMode::Allow => "allow",
            PgSslMode::Prefer => "prefer",
            PgSslMode::Require => "require",
            PgSslMode::VerifyCa => "verify-ca",
            PgSslMode::VerifyFull => "verify-full",
        }
    }
}

fn postgres(text: &str) -> Result<(String, Server), String> {
    let mut url = AnyConnectOptions::from_str(text)
        .map_err(|error| unreadable(&error))?
        .database_url;
    if url.fragment().is_some() {
        return Err("`#` begins no part of this address: in a password it is written %23".into());
    }
    if url.host_str().is_some_and(|host| host.contains(',')) {
        return Err("expected one host, the one that takes writes, not several".into());
    }
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    parameters::check(&parameters)?;
    parameters::check_variables()?;
    // The driver looks an address in brackets up as a name.
    let in_brackets = url.host_str().and_then(|host| {
        let address = host.strip_prefix('[')?.strip_suffix(']')?;
        Some(address.to_owned())
    });
    let given = |name: &str| parameters.iter().any(|(key, _)| key == name);
    if let Some(address) = in_brackets
        && !given("host")
        && !given("hostaddr")
    {
        url.query_pairs_mut().append_pair("host", &address);
    }
    let options = PgConnectOptions::from_str(url.as_str())
        .map_err(|error| unreadable(&error))?
        .disable_statement_logging();
    let value = |name: &str, variable: &str| {
        let given = parameters
            .iter()
            .find(|(key, _)| parameters::known(key) == Some(name));
        given
            .map(|(_, value)| value.clone())
            .or_else(|| std::env::var(variable).ok())
    };
    let server = Server {
        options,
        root_certificate: value("sslrootcert", "PGSSLROOTCERT"),
        client_certificate: value("sslcert", "PGSSLCERT"),
        client_key: value("sslkey", "PGSSLKEY"),
    };
    check_tls(&server)?;
    Ok((url.into(), server))
}

/// Describes a URL that cannot be read, and quotes nothing of it.
fn unreadable(error: &sqlx::Error) -> String {
    let why = match error {
        sqlx::Error::Configuration(why) => why.to_string(),
        other => other.to_string(),
    };
    match &*why {
        "empty host" => "a user without a host: for a Unix socket write \
                         postgres:///DATABASE?host=/run/postgresql&user=USER"
            .into(),
        _ => format!(
            "it cannot be read as a URL ({why}): in a password, `/`, `?`, `#`, `@` and `%` are written \
             %2F, %3F, %23, %40 and %25; an IPv6 address is in brackets; there is one host"
        ),
    }
}

fn check_tls(server: &Server) -> Result<(), String> {
    let mode = server.ssl_mode();
    if server.root_certificate.as_deref() == Some("system") {
        return Err(
            "sslrootcert=system: the system's certificates are not used. Name a file; public \
                    authorities are known without one"
                .into(),
        );
    }
    if server.client_certificate.is_some() != server.client_key.is_some() {
        return Err(
            "sslcert and sslkey (PGSSLCERT, PGSSLKEY) are there together or not at all".into(),
        );
    }
    let asks_for_tls = matches!(mode, "require" | "verify-ca" | "verify-full");
    match server.socket() {
        Some(folder) if asks_for_tls => Err(format!(
            "sslmode={mode} at the Unix socket in {folder}: there is no TLS on sockets; leave it away"
        )),
        _ => Ok(()),
    }
}
