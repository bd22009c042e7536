//! A statement with its arguments, and its answer.

use futures_core::{Stream, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, Either, Execute, SqlStr,
    any::{AnyArguments, AnyQueryResult, AnyRow},
};
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

/// A row, or the number of rows that a statement changed.
pub(super) type Answer = Either<AnyQueryResult, AnyRow>;

/// A statement and its arguments.
pub(super) struct Statement {
    sql: SqlStr,
    arguments: Option<AnyArguments>,
}

impl Statement {
    pub(super) fn of<'q>(mut query: impl Execute<'q, Any>) -> Result<Self, sqlx::Error> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        Ok(Self {
            sql: query.sql(),
            arguments,
        })
    }

    /// Its parts. In builds for development it is an error if the same text was bound with another Rust
    /// type before: PostgreSQL would read the octets of the one as the other.
    pub(super) fn checked(self) -> Result<(SqlStr, Option<AnyArguments>), sqlx::Error> {
        #[cfg(debug_assertions)]
        super::types::check(self.sql.as_str(), self.arguments.as_ref())?;
        Ok((self.sql, self.arguments))
    }
}

impl Clone for Statement {
    fn clone(&self) -> Self {
        let arguments = self.arguments.as_ref().map(|arguments| {
            let mut copy = AnyArguments::default();
            copy.values.0.clone_from(&arguments.values.0);
            copy
        });
        Self {
            sql: self.sql.clone(),
            arguments,
        }
    }
}

/// Reads an answer to its end.
pub(super) async fn collect(
    mut answers: BoxStream<'_, Result<Answer, sqlx::Error>>,
) -> Result<Vec<Answer>, sqlx::Error> {
    let mut all = Vec::new();
    while let Some(answer) = poll_fn(|context| answers.as_mut().poll_next(context)).await {
        all.push(answer?);
    }
    Ok(all)
}

/// The first row of an answer.
pub(super) fn first(answers: Vec<Answer>) -> Option<AnyRow> {
    answers.into_iter().find_map(Either::right)
}

/// An answer that was read to its end, as the stream that the driver's interface asks for.
pub(super) struct Rows<'e> {
    reading: Option<BoxFuture<'e, Result<Vec<Answer>, sqlx::Error>>>,
    read: vec::IntoIter<Answer>,
}

impl<'e> Rows<'e> {
    pub(super) fn of(
        reading: impl Future<Output = Result<Vec<Answer>, sqlx::Error>> + Send + 'e,
    ) -> BoxStream<'e, Result<Answer, sqlx::Error>> {
        Box::pin(Self {
            reading: Some(Box::pin(reading)),
            read: Vec::new().into_iter(),
        })
    }
}

impl Stream for Rows<'_> {
    type Item = Result<Answer, sqlx::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(reading) = &mut self.reading {
            let answers = ready!(reading.as_mut().poll(context));
            self.reading = None;
            match answers {
                Ok(answers) => self.read = answers.into_iter(),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        Poll::Ready(self.read.next().map(Ok))
    }
}
