//! What is said about notes.

use super::Problem;
use serde::{Deserialize, Serialize};

/// The most code points that a note may have.
const TEXT_MAX: u32 = 500;

/// A note, as whoever wrote it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Names it.
    pub id: String,
    /// What was written, to the letter.
    pub text: String,
    /// When, in Unix seconds.
    pub written_at: i64,
}

/// The text of a note that may be kept.
pub struct NoteText(String);

impl NoteText {
    /// Reads a text as it was typed; its length counts Unicode code points.
    ///
    /// # Errors
    /// [`Problem::Missing`] if there is nothing to see, [`Problem::TooLong`] past 500 code
    /// points, [`Problem::Unprintable`] with a control character that is not a new line.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        // Forms write a new line as two characters; people count one.
        let text = typed.replace("\r\n", "\n");
        if text.trim().is_empty() {
            return Err(Problem::Missing);
        }
        if text.chars().count() > TEXT_MAX as usize {
            return Err(Problem::TooLong { max: TEXT_MAX });
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(Problem::Unprintable);
        }
        Ok(Self(text))
    }

    /// The text itself.
    pub fn into_string(self) -> String {
        self.0
    }
}
