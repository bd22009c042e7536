//! Yes or no in a form.

use super::{Error, Problem};
use serde::{Deserialize, Serialize};

/// A box of a form, ticked or not. The argument keeps the word that was sent, so that any other than
/// yes or no comes back as an error of its field. A field that was not sent says no, because browsers
/// leave out a box that is not ticked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Flag(Option<String>);

impl From<String> for Flag {
    fn from(sent: String) -> Self {
        Self(Some(sent))
    }
}

impl Flag {
    /// Reads the flag in the field of this name.
    ///
    /// # Errors
    /// [`Problem::Unknown`] for a word that is neither yes nor no.
    pub fn read(&self, field: &str) -> Result<bool, Error> {
        let Some(sent) = &self.0 else {
            return Ok(false);
        };
        read(sent).ok_or_else(|| Error::fields([(field, Some(Problem::Unknown))]))
    }
}

/// Reads a word for yes or no, as browsers and API clients write them.
pub fn read(sent: &str) -> Option<bool> {
    match sent {
        "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" => Some(false),
        _ => None,
    }
}
