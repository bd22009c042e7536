//! Tries at a password: what each counts for.
//!
//! A try is counted where the password is about to be verified. It is given back where none is,
//! because the server is busy or the database away.

use super::{ByNetwork, Limit, Limits, account_and_address_key, refused::Reason};
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
        /// Id of the session.
        session_id: &'a str,
    },
}

/// A try that was counted.
pub struct Guess<'a> {
    limits: &'a Limits,
    visitor: &'a Visitor,
    is_anonymous: bool,
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
    /// Counts a try at a password that is about to be verified. A known browser without tries of its
    /// own has those of an anonymous visitor, since an attacker may hold a copy of its mark.
    ///
    /// # Errors
    /// [`wire::Error::TooManyRequests`] when there is none left.
    pub fn guess<'a>(
        &'a self,
        visitor: &'a Visitor,
        guesser: Guesser<'_>,
    ) -> Result<Guess<'a>, wire::Error> {
        let (error, reason) = match (self.take(visitor, guesser), guesser) {
            (Ok(guess), _) => return Ok(guess),
            (Err(refused), Guesser::KnownBrowser { email, .. }) => {
                let anonymous = self.take(visitor, Guesser::Anonymous { email });
                if let Ok(guess) = anonymous {
                    return Ok(guess);
                }
                refused
            }
            (Err(refused), _) => refused,
        };
        self.refused.note(reason, visitor, Some(guesser));
        Err(error)
    }

    /// Takes one try from each count, or says why there is none.
    fn take<'a>(
        &'a self,
        visitor: &'a Visitor,
        guesser: Guesser<'_>,
    ) -> Result<Guess<'a>, (wire::Error, Reason)> {
        let mut guess = Guess {
            limits: self,
            visitor,
            is_anonymous: matches!(guesser, Guesser::Anonymous { .. }),
            counts: Vec::new(),
        };
        for count in self.counts_of(visitor, guesser) {
            if let Err(error) = count.limit.take(&count.key) {
                // The refused tries of an anonymous visitor go on counting for its network.
                if !guess.is_anonymous {
                    guess.give_back();
                }
                return Err((error, count.reason));
            }
            guess.counts.push(count);
        }
        Ok(guess)
    }

    /// Lists the counts of a try. An owner and a known browser count by network last and apart from
    /// anonymous visitors, so that no attacker without accounts keeps them out. Right passwords have a bound as well: each costs a hash.
    fn counts_of<'a>(&'a self, visitor: &Visitor, guesser: Guesser<'_>) -> Vec<Count<'a>> {
        let limits = &self.guesses;
        let count = |limit, key, reason, is_forgotten| Count {
            limit,
            key,
            reason,
            is_forgotten,
        };
        let of_networks = |networks: &'a ByNetwork| {
            let all = networks.of(visitor.address);
            all.map(|(limit, key)| count(limit, key, Reason::Network, false))
        };
        match guesser {
            Guesser::Anonymous { email } => {
                let both = account_and_address_key(email, visitor.address);
                of_networks(&limits.networks)
                    .chain([
                        count(&limits.account_and_address, both, Reason::Account, true),
                        count(&limits.account, email.key(), Reason::Account, true),
                    ])
                    .collect()
            }
            Guesser::KnownBrowser { email, mark } => {
                let (mark, all, reason) = (mark.to_owned(), email.key(), Reason::KnownBrowser);
                let own = [
                    count(&limits.known_browser, mark, reason, true),
                    count(&limits.known_browsers, all, reason, false),
                ];
                own.into_iter()
                    .chain(of_networks(&limits.known_networks))
                    .collect()
            }
            Guesser::Owner {
                user_id,
                session_id,
            } => {
                let (session, all) = (session_id.to_owned(), user_id.to_owned());
                let own = [
                    count(&limits.owner, session, Reason::Owner, true),
                    count(&limits.owner_in_all, all, Reason::Owner, false),
                ];
                own.into_iter()
                    .chain(of_networks(&limits.known_networks))
                    .collect()
            }
        }
    }
}

impl Guess<'_> {
    /// Whether it was counted as a try of an anonymous visitor.
    pub fn is_anonymous(&self) -> bool {
        self.is_anonymous
    }

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
