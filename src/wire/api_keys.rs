//! What is said about API keys.

use super::Problem;
use serde::{Deserialize, Serialize};

/// The longest time until a key expires, in days.
pub const DAYS_MAX: u32 = 365;
/// The most code points that a label may have.
const LABEL_MAX: u32 = 60;

macro_rules! scopes {
    ($($(#[$doc:meta])* $scope:ident = $code:literal,)*) => {
        /// What a key may be used for (RFC 6749, 3.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Scope {
            $($(#[$doc])* #[serde(rename = $code)] $scope,)*
        }

        impl Scope {
            /// All of them, in the order in which they are listed.
            pub const ALL: &[Self] = &[$(Self::$scope,)*];

            /// As it is written in a key.
            pub fn code(self) -> &'static str {
                match self { $(Self::$scope => $code,)* }
            }

            /// As it was written.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$scope),)* _ => None }
            }
        }
    };
}

scopes! {
    /// Whose key it is.
    ProfileRead = "profile:read",
    /// The devices that are signed in.
    SessionsRead = "sessions:read",
    /// Signing devices out.
    SessionsWrite = "sessions:write",
    /// What happened to the account.
    ActivityRead = "activity:read",
    /// The account's keys.
    KeysRead = "keys:read",
}

/// The scopes of a key: at least one, each once, in the order of [`Scope::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads scopes that are separated by spaces.
    ///
    /// # Errors
    /// [`Problem::Missing`] if there is none, [`Problem::Unknown`] for one that there is not.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let named: Vec<Scope> = text
            .split_whitespace()
            .map(Scope::from_code)
            .collect::<Option<_>>()
            .ok_or(Problem::Unknown)?;
        if named.is_empty() {
            return Err(Problem::Missing);
        }
        let all = Scope::ALL.iter().copied();
        Ok(Self(all.filter(|scope| named.contains(scope)).collect()))
    }

    /// Whether it is among them.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Each of them.
    pub fn list(&self) -> &[Scope] {
        &self.0
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let codes: Vec<&str> = self.0.iter().map(|scope| scope.code()).collect();
        f.write_str(&codes.join(" "))
    }
}

/// What its owner calls a key.
pub struct Label(String);

impl Label {
    /// Reads a label as it was typed, without the spaces around it.
    ///
    /// # Errors
    /// [`Problem::Missing`] if there is nothing to see, [`Problem::TooLong`] past 60 code points,
    /// [`Problem::Unprintable`] with a control character.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let label = typed.trim();
        if label.is_empty() {
            return Err(Problem::Missing);
        }
        if label.chars().count() > LABEL_MAX as usize {
            return Err(Problem::TooLong { max: LABEL_MAX });
        }
        if label.chars().any(char::is_control) {
            return Err(Problem::Unprintable);
        }
        Ok(Self(label.to_owned()))
    }

    /// The label itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads after how many days a key expires.
///
/// # Errors
/// [`Problem::Missing`] if nothing was chosen, [`Problem::OutOfRange`] for none and for more than
/// a year.
pub fn days(typed: Option<u32>) -> Result<u32, Problem> {
    let days = typed.ok_or(Problem::Missing)?;
    let range = 1..=DAYS_MAX;
    let outside = Problem::OutOfRange {
        min: 1,
        max: DAYS_MAX,
    };
    range.contains(&days).then_some(days).ok_or(outside)
}

/// A key, as its owner sees it. It opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Names it.
    pub id: String,
    /// What its owner calls it.
    pub label: String,
    /// How it begins and ends, such as `cloakroom_…0x9Qk1`.
    pub shown_as: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it expires, in Unix seconds.
    pub expires_at: i64,
    /// When it was last used, to the minute, if it ever was; Unix seconds.
    pub last_used_at: Option<i64>,
}

/// The keys of an account that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeys {
    /// The newest first.
    pub keys: Vec<ApiKey>,
    /// Those that this session made and its owner has not yet confirmed to have; the newest first.
    pub shown: Vec<ShownKey>,
    /// The server's time of this answer, in Unix seconds.
    pub now: i64,
}

/// A new key in the clear, for the session that made it, until its owner confirms that they have it. It
/// opens none of the pages and server functions that the cookie opens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownKey {
    /// Names it.
    pub id: String,
    /// What its owner calls it.
    pub label: String,
    /// How it begins and ends.
    pub shown_as: String,
    /// The key itself; left out where the sign-in is no longer recent.
    pub key: Option<String>,
}

impl std::fmt::Debug for ShownKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShownKey(…)")
    }
}

/// A key that was just made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewApiKey {
    /// Names it.
    pub id: String,
    /// The key itself.
    pub key: String,
    /// When it expires, in Unix seconds.
    pub expires_at: i64,
    /// A path of this site: where a form goes on to.
    pub next: String,
}

impl std::fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewApiKey(…)")
    }
}
