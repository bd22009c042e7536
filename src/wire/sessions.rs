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
