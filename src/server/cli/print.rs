//! Standard output of the commands.

use crate::server::error::Error;
use std::io::{self, Write};

const OUTPUT: &str = "standard output";

/// Prints lines, in one write.
///
/// # Errors
/// If they cannot be written.
pub fn print(lines: &[String]) -> Result<(), Error> {
    let mut text = lines.join("\n");
    if !lines.is_empty() {
        text.push('\n');
    }
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|source| Error::Io {
        what: OUTPUT.to_owned(),
        source,
    })
}

/// Ends a command without an error where the reader of its output has closed the pipe, as `head` does.
pub fn unless_closed(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(Error::Io { what, source })
            if what == OUTPUT && source.kind() == io::ErrorKind::BrokenPipe =>
        {
            Ok(())
        }
        done => done,
    }
}

/// A number with its noun, such as "1 session" and "0 sessions".
pub fn count(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
