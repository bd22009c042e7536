//! The pages of HTML alone that the server answers with where no page of the app is.

use super::developers::Reference;
use std::sync::Arc;

/// Which of them.
#[derive(Clone, Debug)]
pub enum Document {
    /// What a program can ask, for the people who write it.
    Developers(Arc<Reference>),
    /// The browser goes on to another site, by itself or by the link.
    GoingOn {
        /// The whole address.
        to: String,
        /// The host, for people to read.
        host: String,
    },
    /// A program sent the browser with a request that nobody can answer.
    UnknownApp,
    /// Whether somebody wants to sign out here.
    ConfirmSignOut {
        /// What the form sends along, by name: where the browser goes when it is done.
        fields: Vec<(String, String)>,
    },
    /// Nobody is signed in here any more.
    SignedOut,
}
