//! A new password, from standard input or from the keyboard.

use crate::server::error::Error;
use std::io::{self, BufRead, IsTerminal, Read};

/// Octets of a line that are read at most. A longer password is too long as well.
const LINE_MAX: u64 = 16_384;

/// Reads a new password: one line of standard input, or two equal entries at a terminal, without echo.
///
/// # Errors
/// If there is none, or it has a control character, which browsers cannot type.
pub async fn read_new() -> Result<String, Error> {
    if io::stdin().is_terminal() {
        ask_twice().await
    } else {
        read_line()
    }
}

fn read_line() -> Result<String, Error> {
    let mut line = String::new();
    let mut stdin = io::stdin().lock().take(LINE_MAX);
    stdin
        .read_line(&mut line)
        .map_err(|source| failed("standard input", source))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Error::Config(
            "password: standard input is empty; write the password to it, on one line".to_owned(),
        ));
    }
    if let Some(control) = password.chars().find(|it| it.is_control()) {
        return Err(Error::Config(format!(
            "password: it has the control character U+{:04X}, which browsers cannot type; \
             leave it out",
            u32::from(control)
        )));
    }
    Ok(password.to_owned())
}

/// Control characters that are typed are left out by the prompt.
async fn ask_twice() -> Result<String, Error> {
    // The prompt raises the signal at Ctrl-C. While it is listened for, the process lives on, and the
    // prompt gives the terminal back as it was.
    #[cfg(unix)]
    let _interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
        .map_err(|source| failed("signals", source))?;
    let asked = tokio::task::spawn_blocking(|| {
        let first = rpassword::prompt_password("New password: ")?;
        let second = rpassword::prompt_password("The same again: ")?;
        io::Result::Ok((first, second))
    });
    let (first, second) = asked.await?.map_err(|source| match source.kind() {
        io::ErrorKind::Interrupted => Error::Config("interrupted; nothing was changed".to_owned()),
        _ => failed("the terminal", source),
    })?;
    if first != second {
        return Err(Error::Config(
            "the two passwords differ; nothing was changed".to_owned(),
        ));
    }
    Ok(first)
}

fn failed(what: &str, source: io::Error) -> Error {
    Error::Io {
        what: what.to_owned(),
        source,
    }
}
