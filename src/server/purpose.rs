//! Reason for which a process opens a deployment: it bounds what the process may make there.

/// Reason for which a process opens a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Serving: makes what is missing and brings the tables up to date. The process that serves an embedded
    /// database holds its lock before it opens it.
    Serve,
    /// Adding an account or a client: makes what is missing, as the first start does.
    Add,
    /// `cloakroom migrate`: makes the database and changes its tables, with the lock of an embedded one.
    Migrate,
    /// Any other command: makes nothing, so that a command in the wrong folder is an error.
    Command,
}

impl Purpose {
    /// Whether the data folder, the secret, the database and its first tables may be made.
    pub fn may_make(self) -> bool {
        self != Self::Command
    }

    /// Whether the process goes on until it is stopped.
    pub fn is_serving(self) -> bool {
        self == Self::Serve
    }
}
