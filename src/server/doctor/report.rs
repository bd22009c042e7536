//! What was found.

/// What became of a check.
pub type Checked = Result<(), Why>;

/// Why a check did not pass.
#[derive(Clone, Debug)]
pub enum Why {
    /// What was found, and what was expected.
    Failed(String),
    /// What an operator should know and may have chosen; no weakness by itself.
    Noted(String),
    /// It could not be looked at.
    Skipped(String),
}

/// Fails a check.
pub fn fail<T>(found: impl Into<String>) -> Result<T, Why> {
    Err(Why::Failed(found.into()))
}

/// Notes what was found.
pub fn note<T>(found: impl Into<String>) -> Result<T, Why> {
    Err(Why::Noted(found.into()))
}

impl Why {
    /// Says which of several answers it is about.
    pub fn about(self, kind: &str) -> Self {
        match self {
            Self::Failed(found) => Self::Failed(format!("{kind}: {found}")),
            Self::Noted(found) => Self::Noted(format!("{kind}: {found}")),
            Self::Skipped(why) => Self::Skipped(why),
        }
    }

    /// The text.
    pub fn into_text(self) -> String {
        match self {
            Self::Failed(text) | Self::Noted(text) | Self::Skipped(text) => text,
        }
    }
}

impl From<reqwest::Error> for Why {
    fn from(error: reqwest::Error) -> Self {
        // Its URL says nothing new, and the innermost source is what happened.
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Self::Failed(format!("no answer: {cause}"))
    }
}

/// The checks in order, and what became of each.
#[derive(Default)]
pub struct Report {
    checks: Vec<(String, Checked)>,
    remarks: Vec<String>,
}

impl Report {
    /// Takes down a check.
    pub fn record(&mut self, name: impl Into<String>, checked: Checked) {
        self.checks.push((name.into(), checked));
    }

    /// Says something at the end.
    pub fn remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// How many failed.
    pub fn failures(&self) -> usize {
        let failed = |check: &&(String, Checked)| matches!(check.1, Err(Why::Failed(_)));
        self.checks.iter().filter(failed).count()
    }

    /// A line a check, and a sum.
    pub fn lines(&self) -> Vec<String> {
        let line = |(name, checked): &(String, Checked)| match checked {
            Ok(()) => format!("pass     {name}"),
            Err(Why::Failed(found)) => format!("fail     {name}: {found}"),
            Err(Why::Noted(found)) => format!("note     {name}: {found}"),
            Err(Why::Skipped(why)) => format!("skipped  {name}: {why}"),
        };
        let passed = self.checks.iter().filter(|check| check.1.is_ok()).count();
        let failed = self.failures();
        let is_note = |check: &&(String, Checked)| matches!(check.1, Err(Why::Noted(_)));
        let noted = self.checks.iter().filter(is_note).count();
        let skipped = self.checks.len() - passed - failed - noted;
        let mut lines: Vec<String> = self.checks.iter().map(line).collect();
        // A stranger's server may answer with anything; a terminal is to show it, not obey it.
        for line in &mut lines {
            line.retain(|c| !c.is_control());
        }
        lines.extend(self.remarks.iter().cloned());
        lines.push(format!(
            "{passed} passed, {failed} failed, {noted} noted, {skipped} skipped"
        ));
        lines
    }
}
