//! The first connection to a PostgreSQL: made without the pool, which says only that it waited, and
//! asked whether this database will do.

use super::{
    explain,
    parameters::ignored_variables,
    url::{Address, Server},
};
use crate::server::error::Error;
use sqlx::{
    Connection, PgConnection, Row,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{io, time::Duration};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// A server that is starting, or refuses connections, is asked again for this long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads the address that an operator set.
///
/// # Errors
/// Names the fault.
pub fn address(text: &str) -> Result<Address, Error> {
    Address::read(text).map_err(|why| Error::Config(format!("database.url (DATABASE_URL): {why}")))
}

/// Connects, warns of an unsafe way there, and refuses a database that would fail later.
///
/// # Errors
/// One sentence for the operator.
pub async fn check(server: &Server) -> Result<(), Error> {
    check_files(server)?;
    let told = |error| Error::Config(explain::connecting(&error, server));
    let (mut first, is_encrypted) = connect_first(server).await.map_err(told)?;
    warn(server, is_encrypted);
    let asked = in_time(text(
        &mut first,
        "SELECT current_setting('server_encoding')",
    ));
    let encoding = asked.await.map_err(told)?;
    if encoding != "UTF8" {
        return Err(Error::Config(explain::encoding(&encoding, server)));
    }
    let mut second = connect(&server.options).await.map_err(told)?;
    let asked = in_time(share_a_backend(&mut first, &mut second));
    if asked.await.map_err(told)? {
        return Err(Error::Config(explain::pooling(server)));
    }
    for connection in [first, second] {
        // It has answered all that was asked.
        let _ = connection.close().await;
    }
    Ok(())
}

async fn in_time<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let silent = |_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
    timeout(PATIENCE, asked).await.unwrap_or_else(silent)
}

/// Connects, and tells whether by TLS. The driver's `prefer` does not tell, so TLS is asked for first.
async fn connect_first(server: &Server) -> Result<(PgConnection, bool), sqlx::Error> {
    match server.options.get_ssl_mode() {
        PgSslMode::Disable | PgSslMode::Allow => Ok((connect(&server.options).await?, false)),
        PgSslMode::Prefer if server.socket().is_none() => {
            let by_tls = server.options.clone().ssl_mode(PgSslMode::Require);
            match connect(&by_tls).await {
                Err(sqlx::Error::Tls(_)) => Ok((connect(&server.options).await?, false)),
                other => Ok((other?, true)),
            }
        }
        _ => Ok((connect(&server.options).await?, server.socket().is_none())),
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let end = Instant::now() + PATIENCE;
    let mut last = sqlx::Error::Io(io::ErrorKind::TimedOut.into());
    // A refusal on this machine is there before the time limit is looked at.
    while Instant::now() < end {
        match timeout_at(end, PgConnection::connect_with(options)).await {
            Ok(Err(error)) if may_pass(&error) => last = error,
            Ok(other) => return other,
            Err(_) => break,
        }
        sleep(PAUSE).await;
    }
    Err(last)
}

/// Whether a server that is about to run refuses so. The pool asks again for the same reasons.
fn may_pass(error: &sqlx::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof};
    match error {
        sqlx::Error::Io(cause) => matches!(
            cause.kind(),
            ConnectionRefused | ConnectionAborted | ConnectionReset | UnexpectedEof
        ),
        sqlx::Error::Database(refused) => {
            matches!(refused.code().as_deref(), Some("53300" | "57P03"))
        }
        sqlx::Error::Protocol(text) => explain::is_end_of_connection(text),
        _ => false,
    }
}

/// Warns of a way that is open to attackers, and of variables that have no effect.
fn warn(server: &Server, is_encrypted: bool) {
    let variables = ignored_variables().join(", ");
    if !variables.is_empty() {
        tracing::warn!(
            event = "database_variables_ignored",
            variables,
            "Cloakroom does not read these variables"
        );
    }
    let (host, sslmode) = (server.options.get_host(), server.ssl_mode());
    match server.options.get_ssl_mode() {
        _ if !is_encrypted => {
            if server.is_elsewhere() {
                tracing::warn!(
                    event = "database_in_clear_text",
                    host,
                    sslmode,
                    "the connection to the database is not encrypted: set sslmode=verify-full"
                );
            }
        }
        PgSslMode::VerifyFull => {}
        PgSslMode::VerifyCa => tracing::warn!(
            event = "database_name_not_verified",
            host,
            sslmode,
            "a certificate for any name is accepted, also from public authorities: set \
             sslmode=verify-full"
        ),
        mode => {
            let is_asked_for = matches!(mode, PgSslMode::Require);
            if is_asked_for || server.root_certificate.is_some() || server.is_elsewhere() {
                tracing::warn!(
                    event = "database_certificate_not_verified",
                    host,
                    sslmode,
                    "the connection to the database is encrypted, and any certificate is accepted: \
                     set sslmode=verify-full"
                );
            }
        }
    }
}

/// Whether a pooler gives a backend to another connection after each transaction, so that settings,
/// prepared statements and LISTEN are lost. While the first is idle, the second is in a transaction.
async fn share_a_backend(
    first: &mut PgConnection,
    second: &mut PgConnection,
) -> Result<bool, sqlx::Error> {
    let pid = "SELECT CAST(pg_backend_pid() AS TEXT)";
    let before = text(first, pid).await?;
    match sqlx::raw_sql("BEGIN").execute(&mut *second).await {
        // It gives the backend away after each statement.
        Err(sqlx::Error::Database(refused)) if refused.message().contains("statement pooling") => {
            return Ok(true);
        }
        other => other?,
    };
    let other = text(second, pid).await?;
    let after = text(first, pid).await?;
    sqlx::raw_sql("ROLLBACK").execute(second).await?;
    Ok(other == before || after != before)
}

/// Asks for one text, by a statement that is not prepared: poolers share those as well.
async fn text(connection: &mut PgConnection, sql: &'static str) -> Result<String, sqlx::Error> {
    sqlx::raw_sql(sql).fetch_one(connection).await?.try_get(0)
}

/// The driver does not name a file that it cannot read, and takes an empty one for no authority.
fn check_files(server: &Server) -> Result<(), Error> {
    let files = [
        ("sslrootcert", &server.root_certificate, "CERTIFICATE"),
        ("sslcert", &server.client_certificate, "CERTIFICATE"),
        ("sslkey", &server.client_key, "PRIVATE KEY"),
    ];
    for (name, file, kind) in files {
        let Some(file) = file
            .as_ref()
            .filter(|it| !it.trim().starts_with("-----BEGIN"))
        else {
            continue;
        };
        let found = std::fs::read(file).map_err(|source| Error::Io {
            what: format!("{name}={file}"),
            source,
        })?;
        let found = String::from_utf8_lossy(&found);
        if kind == "PRIVATE KEY" && found.contains("ENCRYPTED") {
            return Err(Error::Config(format!(
                "{name}={file}: the key has a passphrase; write one without by `openssl pkey`"
            )));
        }
        if !found.contains(&format!("{kind}-----")) {
            return Err(Error::Config(format!(
                "{name}={file}: expected a PEM file with a {}",
                kind.to_lowercase()
            )));
        }
    }
    Ok(())
}
