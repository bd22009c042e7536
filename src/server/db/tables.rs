//! The tables' version: which migrations have run, and which process may run the others.

use super::{Address, MIGRATIONS, explain, name, sqlite};
use crate::server::{error::Error, purpose::Purpose};
use sqlx::{
    AnyConnection,
    migrate::{AppliedMigration, Migrate, MigrateError},
};
use std::path::Path;

/// Brings the tables up to date where the purpose allows it. Beside a server of an older version no command
/// does: that server would go on with tables that it does not know.
///
/// # Errors
/// If the process may not, or the database is of a newer version.
pub async fn bring_up_to_date(
    connection: &mut AnyConnection,
    address: &Address,
    file: Option<&Path>,
    purpose: Purpose,
) -> Result<(), Error> {
    let name = name(address, file);
    let applied = applied(connection).await?;
    if is_current(&applied) {
        return Ok(());
    }
    if applied.is_empty() && !purpose.may_make() {
        return Err(Error::Config(format!(
            "{name}: the database has no tables of Cloakroom. Name the server's with --config, CLOAKROOM_DATA_DIR \
             or DATABASE_URL, or start the server, which makes them."
        )));
    }
    let is_older = MIGRATIONS
        .iter()
        .any(|known| applied.iter().all(|it| it.version != known.version));
    let _lock = match (purpose, file) {
        (Purpose::Add | Purpose::Migrate | Purpose::Command, Some(file)) if is_older => {
            Some(sqlite::lock(file)?.ok_or_else(|| {
                let why = "and another process serves it: stop that one first, or use its version";
                older(&name, why)
            })?)
        }
        // Many nodes may serve it, and none holds a lock.
        (Purpose::Add | Purpose::Command, None) if is_older && !applied.is_empty() => {
            return Err(older(
                &name,
                "which `cloakroom migrate` changes, or the next start of a server",
            ));
        }
        _ => None,
    };
    let migrated = MIGRATIONS.run(connection).await;
    migrated.map_err(|error| explain::migrating(error, address.server.as_ref()))
}

fn older(name: &str, why: &str) -> Error {
    Error::Config(format!(
        "{name}: the database has the tables of an older version of Cloakroom, {why}. Nothing was changed."
    ))
}

/// Whether the tables are those of this version, to the letter of each migration.
fn is_current(applied: &[AppliedMigration]) -> bool {
    let mut known = MIGRATIONS.iter();
    applied.len() == known.len()
        && known.all(|known| {
            let mut applied = applied.iter();
            applied.any(|it| it.version == known.version && it.checksum == known.checksum)
        })
}

/// Migrations that have run; none where there is not even their table.
async fn applied(connection: &mut AnyConnection) -> Result<Vec<AppliedMigration>, Error> {
    match connection
        .list_applied_migrations(&MIGRATIONS.table_name)
        .await
    {
        Err(MigrateError::Execute(sqlx::Error::Database(error)))
            if error.code().is_some_and(|code| code == "42P01")
                || error.message().starts_with("no such table") =>
        {
            Ok(Vec::new())
        }
        listed => Ok(listed?),
    }
}
