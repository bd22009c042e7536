//! What a token allows (RFC 6749, 3.3).

use std::fmt;

/// Those that are about a person: who they are, their profile and address, and that the grant
/// outlives their session.
pub const OF_PEOPLE: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Names that a client may be given, each once, in the order in which they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Reads names that are separated by spaces. `None` if one is not made of the letters that a
    /// name may have.
    pub fn parse(text: &str) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        for name in text.split(' ').filter(|name| !name.is_empty()) {
            let is_letter = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            if !name.bytes().all(is_letter) {
                return None;
            }
            if !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        Some(Self(names))
    }

    /// Whether this name is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|other| other == name)
    }

    /// Whether all of them are among these.
    pub fn are_within(&self, others: &Self) -> bool {
        self.0.iter().all(|name| others.contains(name))
    }

    /// Those of them that are among these as well.
    #[must_use]
    pub fn among(&self, others: &Self) -> Self {
        let shared = self.0.iter().filter(|name| others.contains(name));
        Self(shared.cloned().collect())
    }

    /// Those that are about no person.
    #[must_use]
    pub fn of_programs(&self) -> Self {
        let names = self.0.iter();
        let names = names.filter(|name| !OF_PEOPLE.contains(&name.as_str()));
        Self(names.cloned().collect())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As a token and a row have them.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}
