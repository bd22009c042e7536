//! What time it is: a parameter, so that tests can let a month pass.
//!
//! Two readings. The wall clock dates rows, tokens and cookies; an operator, or the first time
//! synchronisation after a start, may set it forward or back. The monotonic reading never goes back and
//! means nothing outside of this process: waits and limits that are kept in memory run on it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

type Reading = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Tells the time in Unix milliseconds, and how long this process has been running.
#[derive(Clone)]
pub struct Clock {
    now_ms: Reading,
    elapsed_ms: Reading,
    /// The wall clock when the monotonic reading began, in Unix milliseconds.
    began_at: i64,
}

impl Clock {
    /// The machine's own clocks.
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that asks the machine for the monotonic time"
        )]
        let began = std::time::Instant::now();
        Self::from_fns(
            || {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the one place that asks the machine for the time"
                )]
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                since.map_or(0, in_ms)
            },
            move || in_ms(began.elapsed()),
        )
    }

    /// A clock that says what it is told: the wall clock in Unix milliseconds, and the monotonic
    /// reading in milliseconds.
    pub fn from_fns(
        now_ms: impl Fn() -> i64 + Send + Sync + 'static,
        elapsed_ms: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        let began_at = now_ms() - elapsed_ms();
        Self {
            now_ms: Arc::new(now_ms),
            elapsed_ms: Arc::new(elapsed_ms),
            began_at,
        }
    }

    /// Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        (self.now_ms)()
    }

    /// Unix seconds.
    pub fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Unix seconds for what deletes by age and cannot be undone: of a wall clock that was set forward while
    /// this process runs, only the time that has passed counts.
    pub fn cautious_now_s(&self) -> i64 {
        let steady_ms = self.began_at + self.elapsed_ms();
        self.now_ms().min(steady_ms).div_euclid(1000)
    }

    /// Milliseconds of a clock that never goes back. Its beginning is this process's own, so that it
    /// is compared with itself only, and never stored.
    pub fn elapsed_ms(&self) -> i64 {
        (self.elapsed_ms)()
    }

    /// Seconds of the clock that never goes back.
    pub fn elapsed_s(&self) -> i64 {
        self.elapsed_ms().div_euclid(1000)
    }
}

fn in_ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Lets something be done now and then: by one request, and not again for a while.
pub struct NowAndThen(AtomicI64);

impl Default for NowAndThen {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl NowAndThen {
    /// Whether the caller is to do it: no caller has for so many seconds of the clock that never goes
    /// back.
    pub fn is_due(&self, clock: &Clock, every_s: i64) -> bool {
        let now = clock.elapsed_s();
        let last = self.0.load(Ordering::Relaxed);
        now >= last.saturating_add(every_s)
            && self
                .0
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}
