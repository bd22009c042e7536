//! Passwords in normal form C (NIST SP 800-63B-4, 3.1.1.2), so that one typed on macOS matches the
//! same one typed elsewhere. Nothing else about them is changed (ASVS 6.2.8).

use crate::wire::{Problem, fields::PASSWORD_MAX, strength};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Normalising makes at most this many code points one.
const CODE_POINTS_IN_ONE: usize = 4;

/// A password that may become a user's: long enough, and not one that is guessed first.
pub struct NewPassword(String);

impl NewPassword {
    /// Reads a password as it was typed; lengths count Unicode code points once it is normalised
    /// (NIST SP 800-63B-4). `email` is the user's own address, empty where it is not known.
    ///
    /// # Errors
    /// Says what is wrong with it, in the order that helps most: missing, too short, too long,
    /// too easy to guess.
    pub fn parse(typed: String, min: u32, email: &str) -> Result<Self, Problem> {
        let password = normalise(typed)?;
        if password.chars().count() < min as usize {
            return Err(Problem::TooShort { min });
        }
        match strength::judge(&password, email).refused() {
            Some(problem) => Err(problem),
            None => Ok(Self(password)),
        }
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// A password to verify.
#[derive(Clone)]
pub struct TypedPassword {
    normalised: String,
    as_typed: Option<String>,
}

impl TypedPassword {
    /// Reads a password as it was typed.
    ///
    /// # Errors
    /// What needs no hash: [`Problem::Missing`] if nothing was typed, [`Problem::TooLong`] if no
    /// account can have it.
    pub fn parse(typed: String) -> Result<Self, Problem> {
        if is_nfc(&typed) {
            return Ok(Self {
                normalised: normalise(typed)?,
                as_typed: None,
            });
        }
        let normalised = normalise(typed.clone())?;
        // Hashes of passwords that were not normalised are of no longer ones.
        let is_possible = typed.chars().count() <= PASSWORD_MAX as usize;
        Ok(Self {
            normalised,
            as_typed: is_possible.then_some(typed),
        })
    }

    /// The bytes that hashes are made of.
    pub fn as_bytes(&self) -> &[u8] {
        self.normalised.as_bytes()
    }

    /// The bytes that an old hash may be made of, where they are others.
    pub fn as_typed(&self) -> Option<&[u8]> {
        self.as_typed.as_deref().map(str::as_bytes)
    }
}

impl std::fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedPassword(…)")
    }
}

fn normalise(typed: String) -> Result<String, Problem> {
    let max = PASSWORD_MAX as usize;
    let too_long = Problem::TooLong { max: PASSWORD_MAX };
    if typed.is_empty() {
        return Err(Problem::Missing);
    }
    // However much it shrinks, it stays too long.
    if typed.chars().nth(max * CODE_POINTS_IN_ONE).is_some() {
        return Err(too_long);
    }
    let password = if is_nfc(&typed) {
        typed
    } else {
        typed.nfc().collect()
    };
    if password.chars().nth(max).is_some() {
        return Err(too_long);
    }
    Ok(password)
}
