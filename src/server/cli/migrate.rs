//! `cloakroom migrate`: for a role of the database that may change tables, before one serves that may not.

use super::print::print;
use crate::server::{
    db::{self, Db},
    error::Error,
    purpose::Purpose,
    settings::Settings,
};

/// Makes the database and brings its tables up to date, and makes nothing else.
///
/// # Errors
/// If it cannot be reached, is of a newer version, or the role may not change tables.
pub async fn migrate(settings: &Settings) -> Result<(), Error> {
    let config = &settings.config;
    let address = db::address(&config.database_url())?;
    let file = db::sqlite::find(config, Purpose::Migrate)?;
    let database = Db::open(&address, 1, file.as_deref(), Purpose::Migrate).await?;
    database.close().await;
    print(&[format!(
        "{}: the tables are those of Cloakroom {}",
        database.name(),
        env!("CARGO_PKG_VERSION")
    )])
}
