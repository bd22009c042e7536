//! How often something may be tried, per address and per account.
//!
//! Judged in the layer around server functions, before a form is parsed or a password hashed.
//! A server function that a page calls while it is rendered does not pass there, so none that is
//! limited may be called so.

use super::{clock::Clock, config};
use crate::wire::{self, fields::Email};
use moka::sync::Cache;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Keys that are remembered at once.
const KEYS: u64 = 100_000;

/// What is limited.
pub struct Limits {
    signing_in: SigningIn,
    sign_ups_by_address: Limit,
    client_failures: Limit,
    tokens: Limit,
}

/// Three counts, so that whoever guesses runs into one and the owner is hardly ever kept out
/// (security.md RL-3).
struct SigningIn {
    address: Limit,
    account_and_address: Limit,
    account: Limit,
}

impl Limits {
    /// All of them a minute.
    pub fn new(settings: &config::Limits, clock: &Clock) -> Self {
        let a_minute = |tries| Limit::new(clock.clone(), tries, Duration::from_mins(1));
        Self {
            signing_in: SigningIn {
                address: a_minute(settings.sign_ins_per_address),
                account_and_address: a_minute(settings.sign_ins_per_account_and_address),
                account: a_minute(settings.sign_ins_per_account),
            },
            sign_ups_by_address: a_minute(settings.sign_ups_per_address),
            client_failures: a_minute(settings.client_failures_per_address),
            tokens: a_minute(settings.tokens_per_client),
        }
    }

    /// Takes one try at a server function. `email` is the caller's own, or what was typed if
    /// anything was.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when there is none left.
    pub fn admit(
        &self,
        function: &str,
        address: IpAddr,
        email: Option<&str>,
    ) -> Result<(), wire::Error> {
        match function {
            // All three show whether a password is right.
            "sign_in" | "change_password" | "confirm_password" => {
                let limits = &self.signing_in;
                limits.address.take(&address_key(address))?;
                if let Some(Ok(email)) = email.map(Email::parse) {
                    limits
                        .account_and_address
                        .take(&account_and_address_key(&email, address))?;
                    limits.account.take(&email.key())?;
                }
                Ok(())
            }
            "sign_up" => self.sign_ups_by_address.take(&address_key(address)),
            _ => Ok(()),
        }
    }

    /// A client from this address did not show who it is.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when that has happened too often.
    pub fn client_failed(&self, address: IpAddr) -> Result<(), wire::Error> {
        self.client_failures.take(&address_key(address))
    }

    /// A client that has shown who it is asks for tokens.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when it asks too often.
    pub fn token_asked(&self, client_id: &str) -> Result<(), wire::Error> {
        self.tokens.take(client_id)
    }

    /// Forgets the tries at an account from this address: its owner has shown who they are.
    pub fn forget(&self, address: IpAddr, email: &Email) {
        let limits = &self.signing_in;
        limits
            .account_and_address
            .forget(&account_and_address_key(email, address));
        limits.account.forget(&email.key());
    }
}

/// The generic cell rate algorithm: each key has one number, the time at which its bucket is
/// empty again. The store is bounded, so that a flood of addresses cannot fill the memory.
struct Limit {
    clock: Clock,
    interval_ms: i64,
    period_ms: i64,
    full_at: Cache<String, Arc<AtomicI64>>,
}

impl Limit {
    /// `burst` tries at once, and as many again in every `period`.
    fn new(clock: Clock, burst: u32, period: Duration) -> Self {
        let period_ms = i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
        Self {
            clock,
            interval_ms: (period_ms / i64::from(burst.max(1))).max(1),
            period_ms,
            full_at: Cache::builder()
                .max_capacity(KEYS)
                .time_to_idle(period * 2)
                .build(),
        }
    }

    /// Takes one try, or says how many seconds it is until the next is there.
    fn take(&self, key: &str) -> Result<(), wire::Error> {
        let now = self.clock.now_ms();
        let cell = self
            .full_at
            .get_with_by_ref(key, || Arc::new(AtomicI64::new(now)));
        let taken = cell.fetch_update(Ordering::AcqRel, Ordering::Acquire, |full_at| {
            let next = full_at.max(now) + self.interval_ms;
            (next - now <= self.period_ms).then_some(next)
        });
        taken.map(drop).map_err(|full_at| {
            let wait_ms = full_at + self.interval_ms - now - self.period_ms;
            let retry_after_s = u32::try_from(wait_ms.div_euclid(1000) + 1).unwrap_or(1);
            wire::Error::TooManyRequests { retry_after_s }
        })
    }

    /// Gives all tries back.
    fn forget(&self, key: &str) {
        self.full_at.invalidate(key);
    }
}

fn account_and_address_key(email: &Email, address: IpAddr) -> String {
    format!("{} {}", address_key(address), email.key())
}

/// The key of an address: one customer holds a whole /64 of IPv6 (security.md RL-2).
pub(super) fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
