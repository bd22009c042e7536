//! Tries at a password: what each counts for.
//!
//! A try is counted where the password is about to be verified. It is given back where none is,
//! because the server is busy or the database away.

use super::{Limit, Limits, account_and_address_key, refused::Reason};
use crate::{
    server::{activity::Visitor, error::Error, fields::Email},
    wire,
};

/// Who tries a password.
#[derive(Clone, Copy)]
pub enum Guesser<'a> {
    /// An anonymous visitor, whose browser has no mark of the account.
    Anonymous {
        /// The account's address, as it was read.
        email: &'a Email,
    },
    /// A browser that has signed in to the account before.
    KnownBrowser {
        /// The account's address, as it was read.
        email: &'a Email,
        /// Names its mark.
        mark: &'a str,
    },
    /// A signed-in user, at their own password.
    Owner {
        /// Id of the user.
        user_id: &'a str,
    },
}

/// A try that was counted.
pub struct Guess<'a> {
    limits: &'a Limits,
    visitor: &'a Visitor,
    counts: Vec<Count<'a>>,
}

/// One number that a try counts for.
struct Count<'a> {
    limit: &'a Limit,
    key: String,
    reason: Reason,
    /// A right password gives all tries back.
    is_forgotten: bool,
}

impl Limits {
    /// Counts a try at a password that is about to be verified.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when there is none left.
    pub fn guess<'a>(
        &'a self,
        visitor: &'a Visitor,
        guesser: Guesser<'_>,
    ) -> Result<Guess<'a>, wire::Error> {
        let counts = self.counts_of(visitor, guesser);
        for count in &counts {
            if let Err(error) = count.limit.take(&count.key) {
                self.refused.note(count.reason, visitor, Some(guesser));
                return Err(error);
            }
        }
        Ok(Guess {
            limits: self,
            visitor,
            counts,
        })
    }

    /// Lists the counts of a try. An owner and a known browser do not count by network, so that no
    /// attacker keeps them out. Right passwords have a bound as well: each costs a hash.
    fn counts_of<'a>(&'a self, visitor: &Visitor, guesser: Guesser<'_>) -> Vec<Count<'a>> {
        let limits = &self.guesses;
        let count = |limit, key, reason, is_forgotten| Count {
            limit,
            key,
            reason,
            is_forgotten,
        };
        match guesser {
            Guesser::Anonymous { email } => {
                let both = account_and_address_key(email, visitor.address);
                let networks = limits.networks.of(visitor.address);
                networks
                    .map(|(limit, key)| count(limit, key, Reason::Network, false))
                    .chain([
                        count(&limits.account_and_address, both, Reason::Account, true),
                        count(&limits.account, email.key(), Reason::Account, true),
                    ])
                    .collect()
            }
            Guesser::KnownBrowser { email, mark } => {
                let (mark, all, reason) = (mark.to_owned(), email.key(), Reason::KnownBrowser);
                vec![
                    count(&limits.known_browser, mark, reason, true),
                    count(&limits.known_browsers, all, reason, false),
                ]
            }
            Guesser::Owner { user_id } => {
                let (reason, key) = (Reason::Owner, || user_id.to_owned());
                vec![
                    count(&limits.owner, key(), reason, true),
                    count(&limits.owner_in_all, key(), reason, false),
                ]
            }
        }
    }
}

impl Guess<'_> {
    /// Waits for what the verification needs, and gives the try back if that is not to be had.
    ///
    /// # Errors
    /// Those of `needed`.
    pub async fn unless_unavailable<T>(
        &self,
        needed: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let had = needed.await;
        if let Err(error) = &had {
            self.give_back();
            if matches!(error, Error::Theirs(wire::Error::Busy { .. })) {
                self.limits.refused.note(Reason::Busy, self.visitor, None);
            }
        }
        had
    }

    /// Gives the try back: no password was verified.
    pub fn give_back(&self) {
        for count in &self.counts {
            count.limit.give_back(&count.key);
        }
    }

    /// Gives back the wrong tries before a right password.
    pub fn was_right(&self) {
        for count in self.counts.iter().filter(|count| count.is_forgotten) {
            count.limit.forget(&count.key);
        }
    }
}
