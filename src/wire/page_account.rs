//! The account that a page was made for.

/// Account and session of a page, for the scripts that only pages with a session load. Nothing in it
/// signs a browser in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAccount {
    /// Names the account in the page's calls: an HMAC of the user's id.
    pub tag: String,
    /// Address of the account.
    pub email: String,
    /// Number on the session's ticket.
    pub number: u16,
    /// Seconds without a request after which the session ends.
    pub idle_timeout_s: i64,
    /// Seconds until the session ends whatever its owner does.
    pub left_s: i64,
}
