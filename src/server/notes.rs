//! Notes: what people write for themselves, and nobody else reads.

use super::{error::Error, state::State};
use crate::wire::{
    self,
    notes::{Note, NoteText},
};

/// Notes on the page.
const LISTED: i64 = 100;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    text: String,
    written_at_ms: i64,
}

/// The newest notes of this person, newest first. Whose they are is in the `WHERE`, so that
/// nobody can ask for another's.
///
/// # Errors
/// If the database does not answer.
pub async fn list(state: &State, user_id: &str) -> Result<Vec<Note>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, text, written_at_ms FROM notes WHERE user_id = $1 \
         ORDER BY written_at_ms DESC, id DESC LIMIT $2",
    )
    .bind(user_id)
    .bind(LISTED)
    .fetch_all(state.db.pool())
    .await?;
    Ok(rows.into_iter().map(Note::from).collect())
}

/// Keeps a note, or says what is wrong with its text.
///
/// # Errors
/// [`wire::Error::Fields`] if the text cannot be taken.
pub async fn write(state: &State, user_id: &str, text: &str) -> Result<Note, Error> {
    let text = NoteText::parse(text)
        .map_err(|problem| wire::Error::fields([("text", Some(problem))]))?
        .into_string();
    let row = Row {
        id: state.random.id()?,
        text,
        written_at_ms: state.clock.now_ms(),
    };
    let mut tx = state.db.write().await?;
    sqlx::query("INSERT INTO notes (id, user_id, text, written_at_ms) VALUES ($1, $2, $3, $4)")
        .bind(&row.id)
        .bind(user_id)
        .bind(&row.text)
        .bind(row.written_at_ms)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(row.into())
}

impl From<Row> for Note {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            text: row.text,
            written_at: row.written_at_ms.div_euclid(1000),
        }
    }
}
