//! Sign-ins that failed, in memory until they are written to the activity of their account.

use super::activity::Visitor;
use std::collections::HashMap;

/// Accounts whose failures wait at most; the log alone has those of further accounts.
const ACCOUNTS_MAX: usize = 10_000;
/// Devices and addresses counted separately at one account. Further ones share one count.
const VISITORS_MAX: usize = 20;

/// Failed sign-ins by account.
#[derive(Default)]
pub struct Failures(HashMap<String, Vec<Failed>>);

/// Failed sign-ins of one device at one address, or of all that share a count.
pub struct Failed {
    /// Time of the first of them, in Unix milliseconds.
    pub at_ms: i64,
    /// Number of tries.
    pub how_many: u32,
    /// Device and address; none where these are the tries of several.
    pub visitor: Option<Visitor>,
}

impl Failures {
    /// Adds tries that failed after all that wait already.
    pub fn add(&mut self, user_id: &str, failed: Failed) {
        if !self.0.contains_key(user_id) && self.0.len() >= ACCOUNTS_MAX {
            return;
        }
        let waiting = self.0.entry(user_id.to_owned()).or_default();
        let is_same = |it: &&mut Failed| it.is_of(failed.visitor.as_ref());
        if let Some(same) = waiting.iter_mut().find(is_same) {
            same.how_many = same.how_many.saturating_add(failed.how_many);
        } else if failed.visitor.is_none() || waiting.len() < VISITORS_MAX {
            waiting.push(failed);
        } else {
            let visitor = None;
            self.add(user_id, Failed { visitor, ..failed });
        }
    }

    /// Each account with its tries, in the order in which they began.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Vec<Failed>)> {
        self.0.iter()
    }

    /// Whether none wait.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts these, which could not be written, before what has failed since.
    pub fn put_back(&mut self, before: Self) {
        let since = std::mem::replace(self, before);
        for (user_id, waiting) in since.0 {
            for failed in waiting {
                self.add(&user_id, failed);
            }
        }
    }
}

impl Failed {
    fn is_of(&self, visitor: Option<&Visitor>) -> bool {
        match (&self.visitor, visitor) {
            (Some(own), Some(other)) => own.is_at(&other.address.to_string(), &other.user_agent),
            (own, other) => own.is_none() && other.is_none(),
        }
    }
}
