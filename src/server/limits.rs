//! How often something may be tried, per address and per account.
//!
//! The generic cell rate algorithm: each key has one number, the time at which its bucket is
//! empty again. The store is bounded, so that a flood of addresses cannot fill the memory.

use super::clock::Clock;
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

/// `burst` tries at once, and as many again in every `period`.
pub struct Limit {
    clock: Clock,
    interval_ms: i64,
    period_ms: i64,
    full_at: Cache<String, Arc<AtomicI64>>,
}

impl Limit {
    /// `burst` tries in every `period`.
    pub fn new(clock: Clock, burst: u32, period: Duration) -> Self {
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

    /// Takes one try.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] with the seconds until the next try is there.
    pub fn take(&self, key: &str) -> Result<(), wire::Error> {
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

    /// Forgets the tries of a key: its owner has shown who they are.
    pub fn forget(&self, key: &str) {
        self.full_at.invalidate(key);
    }
}

/// The key of an address: one customer holds a whole /64 of IPv6 (security.md RL-2).
pub fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
