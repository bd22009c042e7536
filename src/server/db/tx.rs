//! A transaction of either database, on a connection with limits. The driver's own `Transaction` gives its
//! connection back by itself, and without a limit.

use super::conn::Conn;
use sqlx::{SqlSafeStr, any::AnyTransactionManager};
use sqlx_core::transaction::TransactionManager;
use std::ops::{Deref, DerefMut};

/// A transaction of either database. Dropped before it is committed, it never was.
#[derive(Debug)]
pub struct Tx {
    conn: Conn,
    is_open: bool,
}

impl Tx {
    pub(super) async fn begin(conn: Conn, statement: &'static str) -> Result<Self, sqlx::Error> {
        // Open before it has begun: one that is dropped meanwhile may have begun all the same.
        let mut tx = Self {
            conn,
            is_open: true,
        };
        let Conn { live, progress } = &mut tx.conn;
        let statement = statement.into_sql_str();
        progress
            .within(AnyTransactionManager::begin(live, Some(statement)))
            .await?;
        Ok(tx)
    }

    /// Makes all of it so.
    ///
    /// # Errors
    /// If it could not be. Where no answer came, it may have been: the caller is told that it is not known.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        let Conn { live, progress } = &mut self.conn;
        progress.within(AnyTransactionManager::commit(live)).await?;
        self.is_open = false;
        Ok(())
    }

    /// Makes none of it so, and waits until that is done.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        let Conn { live, progress } = &mut self.conn;
        progress
            .within(AnyTransactionManager::rollback(live))
            .await?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.is_open {
            AnyTransactionManager::start_rollback(&mut self.conn.live);
        }
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
