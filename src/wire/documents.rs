//! The pages of HTML alone that the server answers with where no page of the app is.

/// Which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// The browser goes on to another site, by itself or by the link.
    GoingOn {
        /// The whole address.
        to: String,
        /// The host, for people to read.
        host: String,
    },
}
