//! Locks that the nodes of one deployment share.

use super::{Db, Tx};
use crate::server::error::Error;

impl Db {
    /// Takes a lock of the deployment until the transaction ends. `false` if another node holds it.
    ///
    /// A transaction that holds it gives up after 500 ms of waiting for a row, before PostgreSQL looks
    /// for deadlocks: it is the task that fails, and never the request of a user.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn try_lock(&self, tx: &mut Tx, key: i64) -> Result<bool, Error> {
        if self.file().is_some() {
            // One process serves, and one of its transactions writes.
            return Ok(true);
        }
        sqlx::query("SET LOCAL lock_timeout = '500ms'")
            .execute(&mut **tx)
            .await?;
        let (is_locked,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_xact_lock($1)")
            .bind(key)
            .fetch_one(&mut **tx)
            .await?;
        Ok(is_locked)
    }
}
