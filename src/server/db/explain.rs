//! Sentences for operators: why a database cannot be used, and what to do.

use super::url::Server;
use crate::server::error::Error;
use sqlx::{error::DatabaseError, migrate::MigrateError};
use std::io;

/// Says why no connection to a PostgreSQL could be made.
pub fn connecting(error: &sqlx::Error, server: &Server) -> String {
    let at = server.place();
    match error {
        sqlx::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData => {
            certificate(&cause.to_string(), server)
        }
        sqlx::Error::Io(cause) => unreachable(cause, server),
        sqlx::Error::Tls(cause) if cause.to_string().contains("does not support TLS") => format!(
            "{at} has no TLS, and sslmode={} asks for it: set `ssl = on` there",
            server.ssl_mode()
        ),
        sqlx::Error::Tls(cause) => format!("{at}: TLS: {cause}"),
        sqlx::Error::Protocol(text) if is_end_of_connection(text) => {
            format!("{at} closes each connection: does PostgreSQL run behind this port?")
        }
        sqlx::Error::Protocol(_) => {
            format!("{at} does not answer as PostgreSQL does: is this its port?")
        }
        sqlx::Error::Database(refused) => refusal(refused.as_ref(), server),
        other => format!("{at}: {other}"),
    }
}

/// Whether a connection ended where the server should say if it has TLS. The driver takes the end for
/// an answer.
pub fn is_end_of_connection(text: &str) -> bool {
    text.contains("from SSLRequest: 0x00")
}

fn unreachable(cause: &io::Error, server: &Server) -> String {
    let at = server.place();
    match cause.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => format!(
            "{at} cannot be reached: {cause}. Is it running, and is this the host and port it listens on?"
        ),
        io::ErrorKind::UnexpectedEof => {
            format!("{at} closes each connection: does PostgreSQL run behind this port?")
        }
        io::ErrorKind::TimedOut => format!(
            "{at} does not answer: is it frozen, does a firewall stand between, or has a pooler there no \
             connection to give?"
        ),
        _ => format!("{at} cannot be reached: {cause}"),
    }
}

/// Reads the text of the TLS library, which has no other form of its refusals here.
fn certificate(cause: &str, server: &Server) -> String {
    let at = server.place();
    if cause.contains("CaUsedAsEndEntity") {
        return format!(
            "{at} has a certificate that signed itself and may sign others, which is refused: make an \
             authority and a certificate signed by it (docs/operate.md, PostgreSQL over TLS)"
        );
    }
    if cause.contains("UnknownIssuer") {
        return match &server.root_certificate {
            None => format!(
                "{at} has a certificate that no public authority signed: name its authority's \
                 certificate in sslrootcert=FILE"
            ),
            Some(file) if file.starts_with("-----") => {
                format!("{at} has a certificate that the authority in PGSSLROOTCERT did not sign")
            }
            Some(file) => format!(
                "{at} has a certificate that neither the authority in {file} nor a public one signed"
            ),
        };
    }
    if cause.contains("not valid for") || cause.contains("NotValidForName") {
        return format!(
            "{at} has a certificate for another name ({cause}): connect by the name in its \
             subjectAltName, or make one for this name"
        );
    }
    if cause.contains("received fatal alert") {
        return format!("{at} refused the client certificate ({cause}): see sslcert and sslkey");
    }
    format!("{at}: TLS: {cause}")
}

fn refusal(refused: &dyn DatabaseError, server: &Server) -> String {
    let at = server.place();
    let user = server.options.get_username();
    let database = server.database();
    let message = refused.message();
    if message.contains("unsupported startup parameter") {
        return format!(
            "A pooler at {at} refuses the connection ({message}): pgbouncer needs \
             `ignore_startup_parameters = extra_float_digits`"
        );
    }
    if message.contains("server_login_retry") {
        return format!(
            "A pooler at {at} could not reach its PostgreSQL and refuses everyone until it tries again: \
             wait for server_login_retry (15 seconds), or set it to 1 in pgbouncer.ini"
        );
    }
    if message.contains("query_wait_timeout") {
        return format!(
            "A pooler at {at} had no connection to give in time: PostgreSQL behind it is away, or \
             default_pool_size is below what the nodes take (each database.max_connections and 2 more)"
        );
    }
    match refused.code().as_deref() {
        Some("28P01") => format!(
            "{at} refused the password of the user \"{user}\" (from database.url, PGPASSWORD or ~/.pgpass)"
        ),
        Some("28000") => {
            format!("{at} refused the user \"{user}\": {message}. See pg_hba.conf there")
        }
        Some("3D000") => format!(
            "{at} has no database \"{database}\": CREATE DATABASE \"{database}\" OWNER \"{user}\" \
             ENCODING 'UTF8' TEMPLATE template0"
        ),
        Some("53300") => format!(
            "{at} has no connection left ({message}): each node takes database.max_connections and 2 more"
        ),
        Some(code) => format!("{at}: {message} ({code})"),
        None => format!("{at}: {message}"),
    }
}

/// Says why a database of this encoding is not taken.
pub fn encoding(encoding: &str, server: &Server) -> String {
    format!(
        "The database \"{}\" has the encoding {encoding}, which cannot hold every address and name: make \
         one by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        server.database()
    )
}

/// Says why a pooler that shares connections is not taken.
pub fn pooling(server: &Server) -> String {
    format!(
        "A pooler at {} gives one connection of PostgreSQL to several of ours: set `pool_mode = session` \
         for this database, or connect to PostgreSQL itself",
        server.place()
    )
}

/// Says why the tables could not be brought up to date.
pub fn migrating(error: MigrateError, server: Option<&Server>) -> Error {
    let version = env!("CARGO_PKG_VERSION");
    match error {
        MigrateError::VersionMissing(number) => Error::Config(format!(
            "A newer Cloakroom has used this database: it has migration {number}, which {version} does \
             not know. Start the newer version, or restore a copy from before it"
        )),
        MigrateError::VersionMismatch(number) => Error::Config(format!(
            "Migration {number} of this database is not the one of Cloakroom {version}: it was changed \
             after it ran. Start the build that made this database, or restore a copy"
        )),
        MigrateError::Execute(ref cause) | MigrateError::ExecuteMigration(ref cause, _) => {
            let refused = cause.as_database_error();
            let message = refused.map_or_else(|| cause.to_string(), |it| it.message().to_owned());
            match (refused.and_then(DatabaseError::code).as_deref(), server) {
                (Some("42501" | "3F000"), Some(server)) => {
                    let user = server.options.get_username();
                    Error::Config(format!(
                        "{}: the role \"{user}\" may not create tables in the database \"{}\" ({message}): \
                         GRANT USAGE, CREATE ON SCHEMA public TO \"{user}\", or run `cloakroom migrate` \
                         with a role that may",
                        server.place(),
                        server.database()
                    ))
                }
                (Some("25006"), Some(server)) => Error::Config(format!(
                    "{} takes no writes ({message}): connect to the primary",
                    server.place()
                )),
                _ => Error::Migration(error),
            }
        }
        other => Error::Migration(other),
    }
}
