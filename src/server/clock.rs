//! What time it is: a parameter, so that tests can let a month pass.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Tells the time in Unix milliseconds.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self::from_fn(|| {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that asks the machine for the time"
            )]
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since.map_or(0, |past| {
                i64::try_from(past.as_millis()).unwrap_or(i64::MAX)
            })
        })
    }

    /// A clock that says what it is told, in Unix milliseconds.
    pub fn from_fn(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    /// Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        (self.0)()
    }

    /// Unix seconds.
    pub fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }
}

/// Lets something be done now and then: by one request, and not again for a while.
pub struct NowAndThen(AtomicI64);

impl Default for NowAndThen {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl NowAndThen {
    /// Whether it is this caller's to do at this time, in Unix seconds, because nobody has done
    /// it for so many seconds.
    pub fn is_due(&self, now_s: i64, every_s: i64) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        now_s >= last.saturating_add(every_s)
            && self
                .0
                .compare_exchange(last, now_s, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}
