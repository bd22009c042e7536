//! What is said about what happened to an account.

use super::sessions::Device;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal,)*) => {
        /// What can happen to an account.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $code)] $kind,)*
        }

        impl Kind {
            /// As it is stored.
            pub fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            /// As it was stored, if this version knows it.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// The account was made.
    SignedUp = "signed_up",
    /// A device was signed in.
    SignedIn = "signed_in",
    /// A password was wrong.
    SignInFailed = "sign_in_failed",
    /// Tries at the password were refused, because there were too many.
    TriesRefused = "tries_refused",
    /// A device signed itself out.
    SignedOut = "signed_out",
    /// Devices were signed out from another.
    SessionEnded = "session_ended",
    /// A copy of a device's cookie was noticed.
    SessionCopied = "session_copied",
    /// A device was signed out because renewed cookies were not confirmed.
    RenewalUnconfirmed = "renewal_unconfirmed",
    /// The password was asked for again, and was right.
    PasswordConfirmed = "password_confirmed",
    /// The password was changed.
    PasswordChanged = "password_changed",
    /// The operator set a new password.
    PasswordSet = "password_set",
    /// A program was allowed to know who somebody is.
    AppAllowed = "app_allowed",
    /// A program was no longer allowed anything.
    AppRevoked = "app_revoked",
    /// An API key was made.
    ApiKeyCreated = "api_key_created",
    /// An API key was revoked.
    ApiKeyRevoked = "api_key_revoked",
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in Unix seconds.
    pub at: i64,
    /// What.
    pub kind: Kind,
    /// Sessions ended, or tries that failed one after the other.
    pub how_many: u32,
    /// With what.
    pub device: Device,
    /// From where; none if tries from several addresses are counted together, or the operator did it.
    pub address: Option<String>,
}

/// A page of what happened, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// At most 25.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
    /// The server's time of this answer, in Unix seconds.
    pub now: i64,
}
