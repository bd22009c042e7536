//! How often something may be tried, per address and per account.
//!
//! Judged in the layer around server functions, before a form is parsed or a password hashed.
//! A server function that a page calls while it is rendered does not pass there, so none that is
//! limited may be called so.

use super::{clients::Client, clock::Clock, config, fields::Email};
use crate::wire;
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
            requests_by_key: a_minute(settings.requests_per_key),
            new_keys_by_user: a_minute(settings.new_keys_per_user),
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

    /// A client asks for tokens. One that proves nothing is named by whoever likes, so that it
    /// counts by address as well, and no stranger keeps its people out.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when it asks too often.
    pub fn token_asked(&self, client: &Client, address: IpAddr) -> Result<(), wire::Error> {
        if client.is_public() {
            let key = format!("{} {}", client.id, address_key(address));
            return self.tokens.take(&key);
        }
        self.tokens.take(&client.id)
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

    /// A user makes an API key.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when the user has made too many.
    pub fn new_key(&self, user_id: &str) -> Result<(), wire::Error> {
        self.new_keys_by_user.take(user_id)
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
