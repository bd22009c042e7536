//! Which of a session's cookies are valid: a pure function of row, cookie and time.
//!
//! Each renewal makes a cookie of a generation of its own. A browser shows the one that it received
//! last. Two holders of one session each want the newest, so one of them soon shows a generation that
//! the other has replaced. The rule makes that a copy, whichever holder renews first, and signs no
//! single browser out for a lost response. `tests/two_holders.rs` searches every order of events.

/// Renewals in a row whose cookie may stay unshown. After the grace of the last one the session ends:
/// without this bound, the holder who always asks first would keep both holders served.
pub const UNSHOWN_MAX: i64 = 3;

/// Clocks of nodes differ by less, in seconds. A time further in the future was written by a clock that
/// has been set back since.
const AHEAD_MAX_S: i64 = 60;

/// Whether a time that was written lies so many seconds back. A time in the future counts as long ago:
/// otherwise a clock that is set back by an hour would prolong each wait by that hour, and with it the
/// use of a copied cookie.
#[must_use]
pub fn is_past(written_at: i64, seconds: i64, now: i64) -> bool {
    now >= written_at + seconds || written_at > now + AHEAD_MAX_S
}

/// What a session's row knows of its cookies. Times are Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generations {
    /// Generation of the newest cookie.
    pub newest: i64,
    /// When the newest cookie was made.
    pub newest_made_at: i64,
    /// When the newest cookie was first shown, if it has been.
    pub newest_seen_at: Option<i64>,
    /// Generation that was shown last before the newest.
    pub seen_before: i64,
}

/// Settings of renewal, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct RenewalTimes {
    /// Age at which a cookie is due for renewal.
    pub renew_after_s: i64,
    /// Time that a request and its response may take. The cookie before the newest stays valid for
    /// so long after the newest has been seen, and a response that has not been followed by its
    /// cookie for so long counts as lost.
    pub grace_s: i64,
}

/// What a cookie that is shown means for its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The cookie is valid, and nothing is to be written.
    Valid,
    /// The newest cookie is shown for the first time, which the row has to learn.
    FirstSight,
    /// The newest cookie is valid and due for renewal.
    Due,
    /// The cookie is valid, and the response that carried a newer one seems to be lost.
    RenewalLost,
    /// The cookie has been replaced, so that two hold this session.
    Copy,
    /// As many renewals as may stay unshown have stayed unshown: either every response was lost, or
    /// another holder receives them.
    Unconfirmed,
    /// The generation is newer than the newest: the row is from a restored database.
    Mismatch,
}

impl Generations {
    /// Judges a cookie of this generation, made at `iat`.
    #[must_use]
    pub fn judge(&self, generation: i64, iat: i64, now: i64, times: RenewalTimes) -> Verdict {
        let RenewalTimes {
            renew_after_s,
            grace_s,
        } = times;
        if generation > self.newest {
            return Verdict::Mismatch;
        }
        let is_newest = generation == self.newest;
        // A generation that was replaced before it was ever shown is a copy as well: two holders who
        // take turns with those would be served for ever.
        if !is_newest && generation != self.seen_before {
            return Verdict::Copy;
        }
        match (is_newest, self.newest_seen_at) {
            (true, None) => Verdict::FirstSight,
            // Not within the grace: of three valid generations the oldest would look like a copy.
            (true, Some(seen_at))
                if is_past(seen_at, grace_s, now) && is_past(iat, renew_after_s, now) =>
            {
                Verdict::Due
            }
            (false, Some(seen_at)) if is_past(seen_at, grace_s, now) => Verdict::Copy,
            (false, None) if is_past(self.newest_made_at, grace_s, now) => {
                if self.newest - self.seen_before < UNSHOWN_MAX {
                    Verdict::RenewalLost
                } else {
                    Verdict::Unconfirmed
                }
            }
            _ => Verdict::Valid,
        }
    }

    /// The same row once the newest cookie has been shown.
    #[must_use]
    pub fn seen(self, now: i64) -> Self {
        Self {
            newest_seen_at: self.newest_seen_at.or(Some(now)),
            ..self
        }
    }

    /// The same row with one more generation.
    #[must_use]
    pub fn renewed(self, now: i64) -> Self {
        Self {
            newest: self.newest + 1,
            newest_made_at: now,
            newest_seen_at: None,
            seen_before: match self.newest_seen_at {
                Some(_) => self.newest,
                None => self.seen_before,
            },
        }
    }
}
