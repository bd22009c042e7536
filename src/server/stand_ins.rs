//! Stand-ins: hashes that a password is verified against where an address has no account.
//!
//! Verifying takes as long as the parameters of the stored hash ask. After an operator has raised the
//! parameters, old hashes stay until their users sign in, so a stand-in of today's parameters alone
//! would show which addresses have an account. The accounts' parameters are counted, and a keyed hash
//! of the address chooses among them, in their proportion.

use super::{
    error::Error,
    fields::Email,
    passwords::{Cost, Hasher},
    secret::Secret,
    state::State,
    tasks::supervise,
};
use aws_lc_rs::hmac;
use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

/// Accounts that are read at once.
const PAGE: i64 = 1_000;
/// Pages that are read before the server serves. Ids are random, so that these are a sample.
const FIRST_PAGES: usize = 10;
/// Pause between two pages of a count of all accounts.
const BETWEEN_PAGES: Duration = Duration::from_secs(1);
/// Pause between two counts.
const BETWEEN_COUNTS: Duration = Duration::from_mins(5);

/// Chooses the stand-in of each address.
pub struct StandIns {
    key: hmac::Key,
    /// Stand-ins, each with the number of accounts up to and with its own parameters.
    counted: RwLock<Vec<(u64, String)>>,
}

impl StandIns {
    /// Chooses by a key that is derived for this purpose alone; today's parameters until accounts
    /// are counted.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret, hasher: &Hasher) -> Result<Self, Error> {
        let keys = secret.derive("stand-ins of unknown addresses")?;
        let newest = keys.first().ok_or(Error::Crypto("stand-ins"))?;
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &newest.bytes),
            counted: RwLock::new(vec![(1, hasher.stand_in(hasher.cost())?)]),
        })
    }

    /// The stand-in of an address: a hash that no password fits, the same parameters each time.
    pub fn of(&self, email: &Email) -> String {
        let hashed = hmac::sign(&self.key, email.key().as_bytes());
        let place = hashed.as_ref().iter().take(8);
        let place = place.fold(0_u128, |place, octet| place << 8 | u128::from(*octet));
        let counted = self.counted.read().unwrap_or_else(PoisonError::into_inner);
        let accounts = counted.last().map_or(0, |(until, _)| *until);
        // Below the number of accounts, evenly.
        let place = (place * u128::from(accounts)) >> 64;
        let mut stand_ins = counted.iter();
        stand_ins
            .find(|(until, _)| place < u128::from(*until))
            .map(|(_, stand_in)| stand_in.clone())
            .unwrap_or_default()
    }

    fn set(&self, hasher: &Hasher, accounts: &BTreeMap<Cost, u64>) -> Result<(), Error> {
        let mut costs: Vec<_> = accounts.iter().collect();
        // Today's last: as accounts move there, each address moves there once and never back, which
        // is what an account does.
        costs.sort_by_key(|(cost, _)| (**cost == hasher.cost(), **cost));
        let mut until = 0;
        let mut counted = Vec::new();
        for (cost, accounts) in costs {
            until += accounts;
            counted.push((until, hasher.stand_in(*cost)?));
        }
        if !counted.is_empty() {
            *self.counted.write().unwrap_or_else(PoisonError::into_inner) = counted;
        }
        Ok(())
    }
}

/// A count of the accounts by the parameters of their hashes.
#[derive(Default)]
struct Count {
    /// Id of the last account that was read.
    after: String,
    accounts: BTreeMap<Cost, u64>,
}

impl Count {
    /// Counts a page. Whether it was the last.
    async fn page(&mut self, state: &State) -> Result<bool, Error> {
        let page: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, password_hash FROM users WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(&self.after)
        .bind(PAGE)
        .fetch_all(state.db.for_tasks())
        .await?;
        for (_, hash) in &page {
            // A refused hash costs nothing, and its row is told to the operator at a sign-in.
            if let Ok(cost) = Cost::of_stored(hash) {
                *self.accounts.entry(cost).or_default() += 1;
            }
        }
        let is_last = i64::try_from(page.len()).is_ok_and(|rows| rows < PAGE);
        if let Some((id, _)) = page.into_iter().next_back() {
            self.after = id;
        }
        Ok(is_last)
    }
}

/// Counts the first accounts, as many as take no time.
///
/// # Errors
/// If the database does not answer.
pub async fn count_first(state: &State) -> Result<(), Error> {
    let mut count = Count::default();
    for _ in 0..FIRST_PAGES {
        if count.page(state).await? {
            break;
        }
    }
    state.stand_ins.set(&state.hasher, &count.accounts)
}

/// Counts all accounts now and then, a page at a time, until the server stops.
pub fn count_now_and_then(state: &State) {
    supervise(state, "count_of_hashes", |state| async move {
        while !state.db.is_closed() {
            tokio::time::sleep(BETWEEN_COUNTS).await;
            // The count before stays, and the next one is tried again.
            if let Err(error) = count_all(&state).await {
                tracing::warn!(event = "hashes_not_counted", %error);
            }
        }
    });
}

async fn count_all(state: &State) -> Result<(), Error> {
    let mut count = Count::default();
    while !count.page(state).await? {
        tokio::time::sleep(BETWEEN_PAGES).await;
    }
    state.stand_ins.set(&state.hasher, &count.accounts)
}
