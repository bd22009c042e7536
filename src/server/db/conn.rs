//! A connection of the pool in use: every statement on it has a limit of time.
//!
//! A connection on which a limit was reached, or whose statement was dropped in the middle with the request
//! that had asked, is closed and not given back: the next request would wait for the rest of the answer.

use super::{
    limits::Limits,
    statement::{Answer, Rows, Statement, collect, first},
    trouble::{self, Trouble},
};
use futures_core::{future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, AnyPool, Describe, Either, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo},
    pool::PoolConnection,
};
use std::{io, sync::Arc};
use tokio::time::timeout;

/// A connection in use. It goes back to the pool, or is closed, when it is dropped.
#[derive(Debug)]
pub struct Conn {
    pub(super) live: PoolConnection<Any>,
    pub(super) progress: Progress,
}

/// How far a connection's statement has come.
#[derive(Debug)]
pub(super) struct Progress {
    limits: Arc<Limits>,
    /// A statement is under way.
    is_busy: bool,
    is_spoiled: bool,
}

impl Progress {
    /// Waits for an answer, for as long as the limit.
    pub(super) async fn within<T>(
        &mut self,
        answer: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let Some(limit) = self.limits.statement() else {
            return answer.await;
        };
        if self.is_spoiled {
            let text = "the connection is closed because of an earlier error";
            return Err(io::Error::new(io::ErrorKind::NotConnected, text).into());
        }
        self.is_busy = true;
        let answered = timeout(limit, answer).await.unwrap_or_else(|_| {
            // PostgreSQL should have ended it, so that its other connections are silent as well.
            self.limits.renew();
            let text = format!("no answer within {} seconds", limit.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, text).into())
        });
        self.is_busy = false;
        if let Err(error) = &answered {
            self.judge(error);
        }
        answered
    }

    fn judge(&mut self, error: &sqlx::Error) {
        match trouble::of(error) {
            Trouble::Lost => self.is_spoiled = true,
            Trouble::Outdated => {
                self.is_spoiled = true;
                self.limits.renew();
            }
            Trouble::Unavailable | Trouble::Refused => {}
        }
    }
}

impl Conn {
    /// Has the connection closed and not given back, and the pool's others replaced.
    pub(super) fn renew(mut self) {
        self.progress.is_spoiled = true;
        self.progress.limits.renew();
    }

    async fn all(&mut self, statement: Statement) -> Result<Vec<Answer>, sqlx::Error> {
        let (sql, arguments) = statement.checked()?;
        let answers = collect(self.live.fetch_many((sql, arguments)));
        self.progress.within(answers).await
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        let limits = &self.progress.limits;
        if !limits.is_postgres() {
            return;
        }
        if self.progress.is_busy || self.progress.is_spoiled {
            self.live.close_on_drop();
        } else if let Some(limit) = limits.statement() {
            // The pool asks the connection for a sign of life before it keeps it, and would wait without
            // end. When that is dropped, so is the connection.
            tokio::spawn(timeout(limit, self.live.return_to_pool()));
        }
    }
}

/// Reads through any connection of the pool, one statement each time.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    pub(super) pool: &'a AnyPool,
    pub(super) limits: &'a Arc<Limits>,
}

impl Reader<'_> {
    /// Takes a connection, for several statements.
    ///
    /// # Errors
    /// If none comes free in time, or none can be made.
    pub async fn acquire(self) -> Result<Conn, sqlx::Error> {
        acquire(self.pool, self.limits).await
    }

    /// Runs a statement, and once more by a new connection where the first was outdated: nothing has been
    /// done then.
    fn all(
        self,
        statement: Result<Statement, sqlx::Error>,
    ) -> impl Future<Output = Result<Vec<Answer>, sqlx::Error>> + Send + 'static {
        let (pool, limits) = (self.pool.clone(), Arc::clone(self.limits));
        async move {
            let statement = statement?;
            if !limits.is_postgres() {
                return acquire(&pool, &limits).await?.all(statement).await;
            }
            let again = statement.clone();
            let mut conn = acquire(&pool, &limits).await?;
            match conn.all(statement).await {
                Err(error) if trouble::of(&error) == Trouble::Outdated => {
                    drop(conn);
                    acquire(&pool, &limits).await?.all(again).await
                }
                answered => answered,
            }
        }
    }
}

pub(super) async fn acquire(pool: &AnyPool, limits: &Arc<Limits>) -> Result<Conn, sqlx::Error> {
    Ok(Conn {
        live: pool.acquire().await?,
        progress: Progress {
            limits: Arc::clone(limits),
            is_busy: false,
            is_spoiled: false,
        },
    })
}

impl<'c> Executor<'c> for &'c mut Conn {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let statement = Statement::of(query);
        Rows::of(async move { self.all(statement?).await })
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let statement = Statement::of(query);
        Box::pin(async move { Ok(first(self.all(statement?).await?)) })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        let Conn { live, progress } = self;
        Box::pin(async move { progress.within(live.prepare_with(sql, parameters)).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, sqlx::Error>>
    where
        'c: 'e,
    {
        let Conn { live, progress } = self;
        Box::pin(async move { progress.within(live.describe(sql)).await })
    }
}

impl<'p> Executor<'p> for Reader<'p> {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Rows::of(self.all(Statement::of(query)))
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let answers = self.all(Statement::of(query));
        Box::pin(async move { Ok(first(answers.await?)) })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, sqlx::Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.describe(sql).await })
    }
}
