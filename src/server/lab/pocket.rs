//! What the attacker has. It leaves his pocket in his own requests alone.

use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Runs that are remembered at once.
const RUNS: u64 = 1_000;

/// Where he has it from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A script that was injected into the victim's page.
    Script,
    /// Malware that reads the victim's disk.
    Disk,
    /// He signed in himself.
    Own,
}

/// Which of the two clients it is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// A, with an access token.
    A,
    /// B, with a cookie.
    B,
}

type Pocket = HashMap<(Source, Client), String>;

/// One pocket a run.
pub struct Pockets(Cache<String, Arc<Mutex<Pocket>>>);

impl Default for Pockets {
    fn default() -> Self {
        Self(Cache::new(RUNS))
    }
}

impl Pockets {
    /// He has this now: an access token, or the text of a `Cookie` header.
    pub fn put(&self, run: &str, source: Source, client: Client, value: String) {
        let pocket = self.of(run);
        let mut pocket = pocket.lock().unwrap_or_else(PoisonError::into_inner);
        pocket.insert((source, client), value);
    }

    /// What he has, if he has it.
    pub fn get(&self, run: &str, source: Source, client: Client) -> Option<String> {
        let pocket = self.of(run);
        let pocket = pocket.lock().unwrap_or_else(PoisonError::into_inner);
        pocket.get(&(source, client)).cloned()
    }

    fn of(&self, run: &str) -> Arc<Mutex<Pocket>> {
        self.0.get_with_by_ref(run, Arc::default)
    }
}
