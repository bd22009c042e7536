//! Refusals of fields as sentences: an operator has no form to show them in.

use crate::{
    server::error::Error,
    wire::{self, Problem},
};

/// Puts the problems of an address and a password into one line. No password is in it.
pub fn explain(error: Error, email: &str) -> Error {
    match error {
        Error::Theirs(wire::Error::Fields { fields }) => {
            let told: Vec<String> = fields
                .iter()
                .map(|error| match error.field.as_str() {
                    "email" => format!("{email}: {}", sentence(error.problem)),
                    field => format!("{field}: {}", sentence(error.problem)),
                })
                .collect();
            Error::Config(told.join("; "))
        }
        Error::Theirs(wire::Error::Busy { .. }) => {
            Error::Config("the machine is busy; give the command again".to_owned())
        }
        other => other,
    }
}

fn sentence(problem: Problem) -> String {
    match problem {
        Problem::Missing => "it is empty".to_owned(),
        Problem::NotAnEmail | Problem::Unprintable => {
            "mail cannot be sent to this address".to_owned()
        }
        Problem::Taken => "another account has this address".to_owned(),
        Problem::TooShort { min } => format!("it needs at least {min} characters"),
        Problem::TooLong { max } => format!("it may have at most {max} characters"),
        Problem::Common => {
            "it is one of the passwords that attackers try first; choose another".to_owned()
        }
        Problem::LikeEmail => "it is too close to the address; choose another".to_owned(),
        Problem::Guessable => "it is a pattern that is soon guessed; choose another".to_owned(),
        Problem::WrongPassword
        | Problem::OutOfRange { .. }
        | Problem::Unknown
        | Problem::TooMany { .. }
        | Problem::UsedUp { .. } => "it cannot be used".to_owned(),
    }
}
