//! Rate limits of password tries, sign-ups, OAuth clients and API keys.

mod guess;
mod networks;
mod refused;

pub use guess::Guesser;
pub use networks::Network;
pub(super) use networks::address_key;
pub use refused::{Account, Refusals};

use super::{activity::Visitor, clients::Client, clock::Clock, config, fields::Email};
use crate::wire;
use moka::sync::Cache;
use networks::ByNetwork;
use refused::{Reason, Refused};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Keys that one limit remembers at once. The ones that are used least are forgotten.
const KEYS: u64 = 20_000;

/// How many times the tries of anonymous visitors the known browsers and signed-in users of a network
/// have together.
const KNOWN_TIMES: u32 = 5;

/// What is limited.
pub struct Limits {
    /// Tries that were refused.
    pub refused: Refused,
    guesses: Guesses,
    sign_ups: ByNetwork,
    client_failures: ByNetwork,
    tokens: Limit,
    requests_by_key: Limit,
    new_keys_by_user: Limit,
}

/// What is left of a limit after a request, for whoever made it.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// So many requests in every window.
    pub most: u32,
    /// The window, in seconds.
    pub window_s: i64,
    /// Requests that are left.
    pub left: i64,
    /// Until all of them are there again, or, where none is left, the next is; in seconds.
    pub reset_s: i64,
}

/// Tries at passwords. Anonymous visitors, known browsers and signed-in users have numbers of their
/// own, so that an attacker uses up no tries of the owner.
struct Guesses {
    networks: ByNetwork,
    account_and_address: Limit,
    account: Limit,
    known_networks: ByNetwork,
    known_browser: Limit,
    known_browsers: Limit,
    owner: Limit,
    owner_in_all: Limit,
}

impl Limits {
    /// All of them a minute.
    pub fn new(settings: &config::Limits, clock: &Clock) -> Self {
        let a_minute = |tries| Limit::new(clock.clone(), tries, Duration::from_mins(1));
        let by_network = |tries| ByNetwork::new(clock, tries, Duration::from_mins(1));
        let one_holder = || a_minute(settings.sign_ins_per_account_and_address);
        let account = || a_minute(settings.sign_ins_per_account);
        Self {
            refused: Refused::new(clock),
            guesses: Guesses {
                networks: by_network(settings.sign_ins_per_address),
                account_and_address: one_holder(),
                account: account(),
                known_networks: by_network(
                    settings.sign_ins_per_address.saturating_mul(KNOWN_TIMES),
                ),
                known_browser: one_holder(),
                known_browsers: account(),
                owner: one_holder(),
                owner_in_all: account(),
            },
            sign_ups: by_network(settings.sign_ups_per_address),
            client_failures: by_network(settings.client_failures_per_address),
            tokens: a_minute(settings.tokens_per_client),
            requests_by_key: a_minute(settings.requests_per_key),
            new_keys_by_user: a_minute(settings.new_keys_per_user),
        }
    }

    /// Counts a sign-up whose password is about to be hashed.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when there is none left.
    pub fn sign_up(&self, visitor: &Visitor) -> Result<(), wire::Error> {
        self.sign_ups.take(visitor.address).inspect_err(|_| {
            self.refused.note(Reason::SignUp, visitor, None);
        })
    }

    /// Gives a sign-up back that the busy server refused.
    pub fn give_back_sign_up(&self, visitor: &Visitor) {
        self.sign_ups.give_back(visitor.address);
        self.refused.note(Reason::Busy, visitor, None);
    }

    /// A client from this address did not show who it is.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when that has happened too often.
    pub fn client_failed(&self, address: IpAddr) -> Result<(), wire::Error> {
        self.client_failures
            .take(address)
            .inspect_err(|_| self.refused.log_address(address, "client_failures"))
    }

    /// A client asks for tokens. One that proves nothing is named by whoever likes, so that it
    /// counts by address as well, and no stranger keeps its people out.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when it asks too often.
    pub fn token_asked(&self, client: &Client, address: IpAddr) -> Result<(), wire::Error> {
        let key = if client.is_public() {
            format!("{} {}", client.id, address_key(address))
        } else {
            client.id.clone()
        };
        self.tokens
            .take(&key)
            .inspect_err(|_| self.refused.log_address(address, "tokens_of_client"))
    }

    /// Takes one request of an API key. What is left, and whether there was one.
    pub fn admit_key(&self, key_id: &str) -> (Quota, Result<(), wire::Error>) {
        let limit = &self.requests_by_key;
        let quota = |left, reset_s| Quota {
            most: limit.burst,
            window_s: limit.period_us / 1_000_000,
            left,
            reset_s,
        };
        match limit.take_one(key_id) {
            Ok(full_in_us) => {
                let left = (limit.period_us - full_in_us) / limit.interval_us;
                (quota(left, full_in_us / 1_000_000 + 1), Ok(()))
            }
            Err(retry_after_s) => {
                let refused = wire::Error::TooManyRequests { retry_after_s };
                (quota(0, i64::from(retry_after_s)), Err(refused))
            }
        }
    }

    /// Counts an API key that a user makes.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when the user has made too many.
    pub fn new_key(&self, user_id: &str, visitor: &Visitor) -> Result<(), wire::Error> {
        self.new_keys_by_user.take(user_id).inspect_err(|_| {
            self.refused
                .log_address(visitor.address, "new_keys_of_user");
        })
    }
}

/// The generic cell rate algorithm: each key has one number, the time at which its bucket is
/// empty again. The store is bounded, so that a flood of addresses cannot fill the memory.
struct Limit {
    clock: Clock,
    burst: u32,
    interval_us: i64,
    period_us: i64,
    full_at: Cache<String, Arc<AtomicI64>>,
}

impl Limit {
    /// `burst` tries at once, and as many again in every `period`.
    fn new(clock: Clock, burst: u32, period: Duration) -> Self {
        let period_us = i64::try_from(period.as_micros()).unwrap_or(i64::MAX);
        Self {
            clock,
            burst,
            interval_us: (period_us / i64::from(burst.max(1))).max(1),
            period_us,
            full_at: Cache::builder()
                .max_capacity(KEYS)
                .time_to_idle(period * 2)
                .build(),
        }
    }

    /// Takes one try.
    fn take(&self, key: &str) -> Result<(), wire::Error> {
        let taken = self.take_one(key);
        taken
            .map(drop)
            .map_err(|retry_after_s| wire::Error::TooManyRequests { retry_after_s })
    }

    /// Takes one try, and says in how many microseconds all of them are there again; or says how
    /// many seconds it is until the next is there.
    fn take_one(&self, key: &str) -> Result<i64, u32> {
        // A wall clock that is set back must keep no address waiting until its time returns.
        let now = self.clock.elapsed_ms() * 1000;
        let cell = self
            .full_at
            .get_with_by_ref(key, || Arc::new(AtomicI64::new(now)));
        let taken = cell.fetch_update(Ordering::AcqRel, Ordering::Acquire, |full_at| {
            let next = full_at.max(now) + self.interval_us;
            (next - now <= self.period_us).then_some(next)
        });
        match taken {
            Ok(full_at) => Ok(full_at.max(now) + self.interval_us - now),
            Err(full_at) => {
                let wait_us = full_at + self.interval_us - now - self.period_us;
                Err(u32::try_from(wait_us.div_euclid(1_000_000) + 1).unwrap_or(1))
            }
        }
    }

    /// Gives one try back.
    fn give_back(&self, key: &str) {
        if let Some(full_at) = self.full_at.get(key) {
            full_at.fetch_sub(self.interval_us, Ordering::AcqRel);
        }
    }

    /// Gives all tries back.
    fn forget(&self, key: &str) {
        self.full_at.invalidate(key);
    }
}

fn account_and_address_key(email: &Email, address: IpAddr) -> String {
    format!("{} {}", address_key(address), email.key())
}
