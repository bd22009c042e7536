//! How soon a password is guessed: the same code behind the form's meter and the server's rule.

use super::Problem;
use zxcvbn::{Score, feedback::Warning};

/// Estimates are made on the first 64 code points: the estimator's time grows faster than the
/// length, and what is longer than that is not guessed by patterns.
const JUDGED: usize = 64;

/// How a password stands against somebody who guesses well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// 0 (guessed at once) to 4 (not guessed).
    pub score: u8,
    /// What makes it weak, if one thing does.
    pub reason: Option<Problem>,
}

impl Strength {
    /// Why this password is not taken, if it is not: fewer than 10⁸ guesses find it.
    pub fn refused(self) -> Option<Problem> {
        (self.score < 3).then(|| self.reason.unwrap_or(Problem::Guessable))
    }
}

/// Judges a password, knowing the person's own address as an attacker would.
pub fn judge(password: &str, email: &str) -> Strength {
    let password: String = password.chars().take(JUDGED).collect();
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let site = domain.split('.').next().unwrap_or_default();
    let own: Vec<&str> = [email, local, site, "cloakroom"]
        .into_iter()
        .filter(|word| word.chars().count() > 2)
        .collect();
    let knowing = zxcvbn::zxcvbn(&password, &own);
    let score = u8::from(knowing.score());
    let reason = if score >= 3 {
        None
    } else if u8::from(zxcvbn::zxcvbn(&password, &[]).score()) > score {
        Some(Problem::LikeEmail)
    } else {
        match knowing
            .feedback()
            .and_then(zxcvbn::feedback::Feedback::warning)
        {
            Some(
                Warning::ThisIsATop10Password
                | Warning::ThisIsATop100Password
                | Warning::ThisIsACommonPassword
                | Warning::ThisIsSimilarToACommonlyUsedPassword,
            ) => Some(Problem::Common),
            _ if knowing.score() <= Score::One => Some(Problem::Common),
            _ => Some(Problem::Guessable),
        }
    };
    Strength { score, reason }
}
