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
    /// The browser did not keep the cookie of a new session.
    CookieNotKept {
        /// Why not.
        why: NotKept,
        /// Configured origin, where the user should sign in instead.
        site: Option<String>,
        /// Address of the sign-in page, which leads on to where the user was going.
        sign_in: String,
    },
}

/// Reasons why a browser does not keep a session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// The address begins with `http://`, where browsers refuse `Secure` cookies.
    PlainHttp,
    /// The address is not the configured one, and the browser blocks cookies there.
    OtherAddress,
    /// The browser blocks cookies for the site.
    Blocked,
}
