//! Tries that were refused and passwords that were wrong: one line of the log a minute, and one entry
//! of the owner's activity, however many they are.

use super::{Guesser, Limit, Network, address_key};
use crate::server::{
    activity::Visitor,
    clock::{Clock, NowAndThen},
    fields::Email,
};
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Wrong passwords a minute that are logged one by one. Further ones are counted in the line of the flood.
const FAILURE_LINES: u32 = 60;
/// Addresses whose refused tries are logged, a minute. Further ones are counted in the line of the flood.
const ADDRESS_LINES: u32 = 600;
/// Seconds between two lines of a flood.
const LINE_EVERY_S: i64 = 60;
/// Networks counted for one line. Further ones are not counted.
const NETWORKS_MAX: usize = 10_000;
/// From this many refusals at one account its owner's activity gets an entry. Fewer may be the owner's own.
const FLOOD: u32 = 5;
/// Refusals that stay below `FLOOD` for this long are dropped, in milliseconds.
const FLOOD_WITHIN_MS: i64 = 600_000;
/// Accounts whose refusals wait to be written. Further accounts replace those below `FLOOD`; where all are
/// above, they are only logged.
const ACCOUNTS_MAX: usize = 1_000;

/// Why a try was refused.
#[derive(Clone, Copy, Debug)]
pub enum Reason {
    /// Too many from the visitor's network.
    Network,
    /// Too many at the account.
    Account,
    /// Too many with a known browser's mark.
    KnownBrowser,
    /// Too many of a signed-in user.
    Owner,
    /// Too many sign-ups from the visitor's network.
    SignUp,
    /// More than the server can hash.
    Busy,
}

impl Reason {
    /// Field of the log; none where the server was busy, which no client can help.
    fn limit(self) -> Option<&'static str> {
        match self {
            Self::Network => Some("sign_ins_of_network"),
            Self::Account => Some("sign_ins_of_account"),
            Self::KnownBrowser => Some("sign_ins_of_known_browser"),
            Self::Owner => Some("passwords_of_user"),
            Self::SignUp => Some("sign_ups"),
            Self::Busy => None,
        }
    }
}

/// An account that was tried.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Account {
    /// By the key of its address, whether there is such an account or not.
    Key(String),
    /// By the id of its user.
    User(String),
}

/// Refusals at one account.
pub struct Refusals {
    /// The account's address, as the first visitor wrote it; none for a signed-in user.
    pub email: Option<Email>,
    /// The first of them, in Unix milliseconds.
    pub at_ms: i64,
    /// Their number.
    pub how_many: u32,
    /// The visitor, if all came from one address. Its `User-Agent` is empty unless all came from one device.
    pub visitor: Option<Visitor>,
}

/// Counts since they were last told.
pub struct Refused {
    clock: Clock,
    lines: NowAndThen,
    failure_lines: Limit,
    /// One line a minute for each address, or /64 of IPv6.
    address_lines: Limit,
    all_address_lines: Limit,
    minute: Mutex<Minute>,
    accounts: Mutex<HashMap<Account, Refusals>>,
}

#[derive(Default)]
struct Minute {
    by_network: u64,
    by_account: u64,
    by_known_browser: u64,
    by_owner: u64,
    sign_ups: u64,
    busy: u64,
    failed: u64,
    networks: HashSet<Network>,
}

impl Refused {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            lines: NowAndThen::default(),
            failure_lines: Limit::new(clock.clone(), FAILURE_LINES, Duration::from_mins(1)),
            address_lines: Limit::new(clock.clone(), 1, Duration::from_mins(1)),
            all_address_lines: Limit::new(clock.clone(), ADDRESS_LINES, Duration::from_mins(1)),
            minute: Mutex::default(),
            accounts: Mutex::default(),
        }
    }

    /// Logs that a limit refused a request from this address: one line a minute, for a firewall.
    pub fn log_address(&self, address: IpAddr, limit: &'static str) {
        let is_first = self.address_lines.take(&address_key(address)).is_ok();
        if is_first && self.all_address_lines.take("").is_ok() {
            tracing::warn!(
                event = "too_many_requests",
                %address,
                limit,
                "requests were refused (429) because there were too many. Logged once a minute for an \
                 address"
            );
        }
    }

    /// Notes a try that was refused.
    pub fn note(&self, reason: Reason, visitor: &Visitor, guesser: Option<Guesser<'_>>) {
        if let (false, Some(guesser)) = (matches!(reason, Reason::Network), guesser) {
            self.note_at_account(guesser, visitor);
        }
        let add = |minute: &mut Minute| match reason {
            Reason::Network => minute.by_network += 1,
            Reason::Account => minute.by_account += 1,
            Reason::KnownBrowser => minute.by_known_browser += 1,
            Reason::Owner => minute.by_owner += 1,
            Reason::SignUp => minute.sign_ups += 1,
            Reason::Busy => minute.busy += 1,
        };
        if let Some(limit) = reason.limit() {
            self.log_address(visitor.address, limit);
        }
        self.count(visitor.address, add);
    }

    /// Logs a wrong password, or counts it where there are many.
    pub fn note_failed(&self, address: IpAddr) {
        if self.failure_lines.take("").is_ok() {
            tracing::info!(event = "sign_in_failed", %address, "a password was wrong");
        } else {
            self.count(address, |minute| minute.failed += 1);
        }
    }

    fn count(&self, address: IpAddr, add: impl FnOnce(&mut Minute)) {
        {
            let mut minute = self.minute();
            add(&mut minute);
            if minute.networks.len() < NETWORKS_MAX {
                minute.networks.insert(Network::of(address));
            }
        }
        self.log_if_due();
    }

    /// Logs the counts if there are any and the last line is a minute old.
    pub fn log_if_due(&self) {
        if self.minute().networks.is_empty() || !self.lines.is_due(&self.clock, LINE_EVERY_S) {
            return;
        }
        let minute = std::mem::take(&mut *self.minute());
        tracing::warn!(
            event = "sign_in_flood",
            by_network = minute.by_network,
            by_account = minute.by_account,
            by_known_browser = minute.by_known_browser,
            by_owner = minute.by_owner,
            sign_ups = minute.sign_ups,
            busy = minute.busy,
            failed = minute.failed,
            networks = minute.networks.len(),
            "flood of sign-ins: tries at passwords were refused, or too many were wrong to log each"
        );
    }

    fn note_at_account(&self, guesser: Guesser<'_>, visitor: &Visitor) {
        let (account, email) = match guesser {
            Guesser::Anonymous { email } | Guesser::KnownBrowser { email, .. } => {
                (Account::Key(email.key()), Some(email.clone()))
            }
            Guesser::Owner { user_id, .. } => (Account::User(user_id.to_owned()), None),
        };
        let refusals = Refusals {
            email,
            at_ms: self.clock.now_ms(),
            how_many: 1,
            visitor: Some(visitor.clone()),
        };
        self.add(account, refusals);
    }

    /// Takes the floods that the owners have not been told of yet.
    pub fn take_accounts(&self) -> HashMap<Account, Refusals> {
        let mut accounts = self.accounts();
        if accounts.is_empty() {
            return HashMap::new();
        }
        let now_ms = self.clock.now_ms();
        let floods = accounts.extract_if(|_, it| it.how_many >= FLOOD).collect();
        // The wall clock may have been set back since.
        accounts.retain(|_, it| now_ms.abs_diff(it.at_ms) < FLOOD_WITHIN_MS.unsigned_abs());
        floods
    }

    /// Adds refusals to those that wait to be written: new ones, or some that could not be written.
    pub fn add(&self, account: Account, more: Refusals) {
        let mut accounts = self.accounts();
        if let Some(known) = accounts.get_mut(&account) {
            known.how_many = known.how_many.saturating_add(more.how_many);
            known.at_ms = known.at_ms.min(more.at_ms);
            known.visitor = common(known.visitor.take(), more.visitor);
            return;
        }
        if accounts.len() >= ACCOUNTS_MAX {
            accounts.retain(|_, it| it.how_many >= FLOOD);
        }
        if accounts.len() < ACCOUNTS_MAX {
            accounts.insert(account, more);
        }
    }

    fn minute(&self) -> MutexGuard<'_, Minute> {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Account, Refusals>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps of a visitor what is true of the tries of both.
fn common(known: Option<Visitor>, more: Option<Visitor>) -> Option<Visitor> {
    let (mut known, more) = (known?, more?);
    if known.address != more.address {
        return None;
    }
    if !more.is_at(&known.address.to_string(), &known.user_agent) {
        known.user_agent.clear();
    }
    Some(known)
}
