//! What is said about sessions.

use serde::{Deserialize, Serialize};

/// The session that asks, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThisSession {
    /// The number on the ticket, made from the row's public id, never from the sid.
    pub number: u16,
    /// What it was started with.
    pub device: Device,
    /// When somebody signed in, in Unix seconds.
    pub started_at: i64,
    /// It ends after this long without use.
    pub idle_timeout_s: i64,
    /// It ends here at the latest, in Unix seconds.
    pub ends_at: i64,
    /// When another session of its owner was copied, if they are to be told; Unix seconds.
    pub copied_at: Option<i64>,
}

/// One of somebody's sessions, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSession {
    /// Names it; signs nobody in.
    pub id: String,
    /// The number on the ticket.
    pub number: u16,
    /// It is the one that asks.
    pub is_this: bool,
    /// What it was started with.
    pub device: Device,
    /// When somebody signed in, in Unix seconds.
    pub first_seen_at: i64,
    /// When it was last used, in Unix seconds.
    pub last_seen_at: i64,
    /// From where somebody signed in.
    pub address: String,
    /// How: `pwd` (RFC 8176).
    pub signed_in_by: String,
    /// It ends after this long without use, in seconds.
    pub idle_timeout_s: i64,
    /// It ends here at the latest, in Unix seconds.
    pub ends_at: i64,
}

/// All that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Devices {
    /// This one first, then the last used.
    pub sessions: Vec<DeviceSession>,
    /// The server's time of this answer, in Unix seconds.
    pub now: i64,
}

/// What the server sees of the cookie that asks. Nothing in it signs anybody in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// SHA-256 of the cookie's value, in base64url: whoever finds something can tell whether it is
    /// the cookie, and whoever has this has nothing.
    pub fingerprint: String,
    /// How many octets the value has.
    pub length: u32,
    /// The cookie's name.
    pub name: String,
    /// What it was set with.
    pub attributes: String,
    /// How often it has been renewed, and one more.
    pub generation: i64,
    /// When this generation was made, in Unix seconds.
    pub renewed_at: i64,
    /// When somebody signed in, in Unix seconds.
    pub started_at: i64,
    /// The server's time of this answer, in Unix seconds.
    pub now: i64,
    /// Every server function there is, as method and path.
    pub functions: Vec<(String, String)>,
}

/// Sessions were ended; the browser goes on to `next`, if it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// So many.
    pub count: u32,
    /// A path of this site.
    pub next: String,
}

/// A browser and its system, as far as the `User-Agent` tells. Names of products only: what is
/// not recognised is left out, so no text of a stranger's making is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Such as "Firefox".
    pub browser: Option<String>,
    /// Such as "Linux".
    pub system: Option<String>,
}

impl Device {
    /// Reads a `User-Agent` header. The order matters: most browsers also name an older one.
    pub fn from_user_agent(header: &str) -> Self {
        let find = |names: &[(&str, &str)]| {
            names
                .iter()
                .find(|(mark, _)| header.contains(mark))
                .map(|(_, name)| (*name).to_owned())
        };
        Self {
            browser: find(&[
                ("Edg", "Edge"),
                ("OPR/", "Opera"),
                ("SamsungBrowser", "Samsung Internet"),
                ("Firefox", "Firefox"),
                ("FxiOS", "Firefox"),
                ("CriOS", "Chrome"),
                ("Chrome", "Chrome"),
                ("Safari", "Safari"),
                ("curl/", "curl"),
            ]),
            system: find(&[
                ("Android", "Android"),
                ("iPhone", "iPhone"),
                ("iPad", "iPad"),
                ("Windows", "Windows"),
                ("Mac OS X", "macOS"),
                ("CrOS", "ChromeOS"),
                ("Linux", "Linux"),
            ]),
        }
    }
}
