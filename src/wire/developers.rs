//! What is said about the API for programs, to the people who write them.

/// All of it.
#[derive(Clone, Debug)]
pub struct Reference {
    /// What can be asked.
    pub operations: Vec<Operation>,
    /// What can go wrong.
    pub problems: Vec<Answer>,
    /// What every key begins with.
    pub key_prefix: &'static str,
    /// A regular expression that finds keys.
    pub key_pattern: &'static str,
}

/// One thing that can be asked.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Such as `GET`.
    pub method: String,
    /// Such as `/v1/sessions/{id}`.
    pub path: String,
    /// What it does, as a heading.
    pub summary: String,
    /// The rest of it.
    pub what: String,
    /// What a key must be made for.
    pub scope: String,
    /// What it can be told.
    pub parameters: Vec<Parameter>,
    /// What it answers.
    pub answers: Vec<Answer>,
    /// A line for a shell.
    pub example: String,
}

/// Something that an operation can be told.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path` or `query`.
    pub place: String,
    /// What it is.
    pub what: String,
}

/// An answer, by its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Such as `404`.
    pub status: String,
    /// Which problem it is, where it is one.
    pub code: String,
    /// What it means.
    pub what: String,
    /// What it may say of its cause.
    pub causes: Vec<&'static str>,
}
