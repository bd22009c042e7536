//! Kinds of errors of the database: whether the connection is lost, and whether trying again may help.

use sqlx::{postgres::PgDatabaseError, sqlite::SqliteError};

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The connection is lost, and with it what was not committed.
    Lost,
    /// Connections made before now are of no use: they are read-only, or their statements are of another
    /// schema or another session. A new one may do.
    Outdated,
    /// The database cannot do it just now; the connection is good.
    Unavailable,
    /// The statement is refused, and would be refused again.
    Refused,
}

/// The kind of an error.
pub fn of(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Trouble::Unavailable,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => Trouble::Lost,
        sqlx::Error::Database(refused) => {
            if let Some(error) = refused.try_downcast_ref::<PgDatabaseError>() {
                return of_postgres(error.code());
            }
            let is_sqlite = refused.try_downcast_ref::<SqliteError>().is_some();
            let number = refused.code().and_then(|code| code.parse().ok());
            match number {
                Some(number) if is_sqlite => of_sqlite(number),
                _ => Trouble::Refused,
            }
        }
        _ => Trouble::Refused,
    }
}

/// The kind of a code of PostgreSQL (appendix A of its manual): two letters of class, three of its own.
fn of_postgres(code: &str) -> Trouble {
    match (code.get(..2).unwrap_or_default(), code) {
        // The connection, or the server as it stops; a transaction that was idle for too long; a user or a
        // database that a new connection is refused for; the server's own disk.
        ("08" | "28" | "58", _) | (_, "25P03" | "3D000") => Trouble::Lost,
        ("57", code) if code.starts_with("57P") => Trouble::Lost,
        // A plan of before another node's migration; read-only; and a statement that a pooler has lost, or
        // has from another client.
        (_, "0A000" | "25006" | "26000" | "42P05") => Trouble::Outdated,
        // Given up for another transaction's sake; no room, memory or connection left; a lock that was not
        // to be had; cancelled, by `statement_timeout` too; a right that the operator took back.
        ("40" | "53" | "57", _) | (_, "55P03" | "42501") => Trouble::Unavailable,
        _ => Trouble::Refused,
    }
}

/// The kind of a number of SQLite, whose low byte is the primary one: busy, locked, read-only, an error of
/// the disk, full, cannot be opened.
fn of_sqlite(number: u32) -> Trouble {
    match number & 0xff {
        5 | 6 | 8 | 10 | 13 | 14 => Trouble::Unavailable,
        _ => Trouble::Refused,
    }
}
