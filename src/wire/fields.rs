//! What people type, parsed once: a value of these types has passed its rule.

use super::{Problem, strength};

/// The longest address that mail can be sent to, in octets (RFC 5321, 4.5.3.1.3).
const EMAIL_MAX: usize = 254;
/// The longest local part, in octets (RFC 5321, 4.5.3.1.1).
const LOCAL_PART_MAX: usize = 64;

/// An e-mail address: trimmed, its domain in lower-case ASCII (IDNA).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    local: String,
    domain: String,
}

impl Email {
    /// Reads an address as it was typed.
    ///
    /// # Errors
    /// [`Problem::Missing`] if nothing was typed, [`Problem::TooLong`] past 254 octets,
    /// [`Problem::NotAnEmail`] for all that is not one plain `local@domain`: quoted local parts,
    /// comments, lists, control characters and address literals are refused, because a later
    /// mail would be a place to inject headers or recipients.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(Problem::Missing);
        }
        if typed.len() > EMAIL_MAX {
            return Err(Problem::TooLong { max: 254 });
        }
        let (local, domain) = typed.rsplit_once('@').ok_or(Problem::NotAnEmail)?;
        if !is_local_part(local) {
            return Err(Problem::NotAnEmail);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| Problem::NotAnEmail)?;
        let top = domain.rsplit('.').next().unwrap_or_default();
        if !domain.contains('.') || top.is_empty() || top.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::NotAnEmail);
        }
        let email = Self {
            local: local.to_owned(),
            domain,
        };
        // An international domain grows when it is written in ASCII.
        if email.to_string().len() > EMAIL_MAX {
            return Err(Problem::TooLong { max: 254 });
        }
        Ok(email)
    }

    /// What makes two addresses the same account: the letters without regard to case.
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// RFC 5321's dot-string, and RFC 6531's letters outside ASCII.
fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(c)
            || (!c.is_ascii() && c.is_alphanumeric())
    };
    !local.is_empty()
        && local.len() <= LOCAL_PART_MAX
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

/// The most code points that a password may have; also the bound on what is ever hashed.
pub const PASSWORD_MAX: u32 = 256;

/// A password that may become somebody's: long enough, and not one that is guessed first.
///
/// Its bytes are kept exactly as they were typed (ASVS 6.2.8): no trimming, no normalisation.
pub struct NewPassword(String);

impl NewPassword {
    /// Reads a password as it was typed; lengths count Unicode code points (NIST 800-63B-4).
    /// `email` is the person's own address, empty where it is not known.
    ///
    /// # Errors
    /// Says what is wrong with it, in the order that helps most: missing, too short, too long,
    /// too easy to guess.
    pub fn parse(typed: String, min: u32, email: &str) -> Result<Self, Problem> {
        let length = typed.chars().take(PASSWORD_MAX as usize + 1).count();
        if length == 0 {
            return Err(Problem::Missing);
        }
        if length < min as usize {
            return Err(Problem::TooShort { min });
        }
        if length > PASSWORD_MAX as usize {
            return Err(Problem::TooLong { max: PASSWORD_MAX });
        }
        match strength::judge(&typed, email).refused() {
            Some(problem) => Err(problem),
            None => Ok(Self(typed)),
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

/// The longest path that is gone on to, in octets: a sign-in page that carries the request of
/// another app fits in, and so does the path into the head of a response.
const LOCAL_PATH_MAX: usize = 2_400;

/// The path to go on to after signing in, if it is one of ours: `/` and then neither a slash nor
/// a backslash, which browsers read as another host, and no control characters, which would end
/// a header. Anything else is ignored (security.md XS-6).
pub fn local_path(next: &str) -> Option<&str> {
    let local = next.starts_with('/')
        && !next[1..].starts_with(['/', '\\'])
        && next.len() <= LOCAL_PATH_MAX
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    local.then_some(next)
}
