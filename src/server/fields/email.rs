//! E-mail addresses in all scripts (RFC 6531).

use crate::wire::Problem;
use unicode_normalization::{
    UnicodeNormalization,
    char::{decompose_compatible, is_combining_mark},
};

/// The longest address that mail can be sent to, in octets (RFC 5321, 4.5.3.1.3).
const EMAIL_MAX: usize = 254;
/// The longest local part, in octets (RFC 5321, 4.5.3.1.1).
const LOCAL_PART_MAX: usize = 64;
/// A longer text, in octets, is refused before it is normalised. The longest address has fewer, even
/// in decomposed Hangul.
const TYPED_MAX: usize = 1_024;

/// An e-mail address in normal form C, its domain in lower-case ASCII (IDNA): as mail and OAuth
/// clients get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    local: String,
    domain: String,
    key_before: Option<String>,
}

impl Email {
    /// Reads an address as it was typed. Full-width letters, and others that stand for ASCII letters
    /// and digits, become these.
    ///
    /// # Errors
    /// [`Problem::Missing`] if nothing was typed; [`Problem::TooLong`] past 64 octets before the `@`
    /// or 254 in all; [`Problem::Unprintable`] with an invisible character;
    /// [`Problem::NotAnEmail`] for all that is not one plain `local@domain`: quoted local parts,
    /// comments, lists and address literals are refused, because a later mail would be a place to
    /// inject headers or recipients.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(Problem::Missing);
        }
        if typed.len() > TYPED_MAX {
            return Err(Problem::TooLong { max: 254 });
        }
        let address: String = with_plain_letters(typed.nfc()).nfc().collect();
        if address.chars().any(|c| is_invisible(c) && !is_joiner(c)) {
            return Err(Problem::Unprintable);
        }
        let (local, domain) = address.rsplit_once('@').ok_or(Problem::NotAnEmail)?;
        if let Some(problem) = problem_of_local_part(local) {
            return Err(problem);
        }
        let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| {
            // IDNA refuses a joiner where it would not be seen (RFC 5892, A.1 and A.2).
            if domain.contains(is_joiner) {
                Problem::Unprintable
            } else {
                Problem::NotAnEmail
            }
        })?;
        let top = ascii.rsplit('.').next().unwrap_or_default();
        if !ascii.contains('.') || top.is_empty() || top.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::NotAnEmail);
        }
        // An international domain grows when it is written in ASCII.
        let too_many = local
            .len()
            .saturating_sub(LOCAL_PART_MAX)
            .max((local.len() + 1 + ascii.len()).saturating_sub(EMAIL_MAX));
        if too_many > 0 {
            return Err(Problem::TooLong {
                max: longest(&address, local, too_many),
            });
        }
        Ok(Self {
            local: local.to_owned(),
            key_before: key_before(typed, &ascii),
            domain: ascii,
        })
    }

    /// Key of the account with this address: lower case in normal form C, and not case folding, which
    /// would make one account of `straße` and `strasse`. The two small sigmas have one capital.
    pub fn key(&self) -> String {
        let lower = self.local.to_lowercase().replace('ς', "σ");
        format!("{}@{}", lower.nfc().collect::<String>(), self.domain)
    }

    /// Key that the address as it was typed had before keys were normalised: another one's is still
    /// in use where two accounts would now share one (`users/rekey.rs`).
    pub fn key_before(&self) -> String {
        self.key_before.clone().unwrap_or_else(|| self.key())
    }

    /// The address as people read it: its domain in its own script.
    pub fn shown(&self) -> String {
        shown(&self.to_string())
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// A stored address as people read it: its domain in its own script.
pub fn shown(address: &str) -> String {
    if let Some((local, domain)) = address.rsplit_once('@')
        && domain.to_ascii_lowercase().contains("xn--")
        && let (domain, Ok(())) = idna::domain_to_unicode(domain)
    {
        return format!("{local}@{domain}");
    }
    address.to_owned()
}

/// Keys before normal forms: lower case, in whatever form it was typed.
fn key_before(typed: &str, domain: &str) -> Option<String> {
    let (local, _) = typed.rsplit_once('@')?;
    Some(format!("{}@{domain}", local.to_lowercase()))
}

/// Writes letters and digits of other widths and faces, such as `ａ`, as the ones that they stand for.
/// An input method for Japanese or Chinese types them by accident; no mailbox is named with them.
fn with_plain_letters(typed: impl Iterator<Item = char>) -> String {
    let mut plain = String::new();
    for c in typed {
        let start = plain.len();
        if !c.is_ascii() {
            decompose_compatible(c, |part| plain.push(part));
        }
        let is_wide_or_narrow = matches!(c, '\u{ff00}'..='\u{ffef}');
        let stands_for_ascii =
            !c.is_ascii() && plain[start..].bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_wide_or_narrow && !stands_for_ascii {
            plain.truncate(start);
            plain.push(c);
        }
    }
    plain
}

/// Judges RFC 5321's dot-string with RFC 6531's characters beyond ASCII: letters, digits and marks,
/// and the punctuation within words that RFC 5892 knows (A.1 to A.7).
fn problem_of_local_part(local: &str) -> Option<Problem> {
    if local.split('.').any(str::is_empty) {
        return Some(Problem::NotAnEmail);
    }
    let chars: Vec<char> = local.chars().collect();
    chars.iter().enumerate().find_map(|(at, &c)| {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(at + 1).copied();
        let is_word = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && is_part_of_word(c));
        let is_l = |c: Option<char>| matches!(c, Some('l' | 'L'));
        let is_allowed = match c {
            _ if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c),
            _ if is_joiner(c) => {
                return (!is_word(before) || !is_word(after)).then_some(Problem::Unprintable);
            }
            // Catalan.
            '·' => is_l(before) && is_l(after),
            // Hebrew geresh and gershayim, Tibetan tsheg, Katakana middle dot.
            '\u{5f3}' | '\u{5f4}' | '\u{f0b}' | '・' => is_word(before),
            _ if is_combining_mark(c) => {
                before.is_some_and(|before| is_part_of_word(before) || is_joiner(before))
            }
            _ => c.is_alphanumeric(),
        };
        (!is_allowed).then_some(Problem::NotAnEmail)
    })
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Zero width non-joiner and joiner: they change how the letters beside them look.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Control characters, and those that Unicode calls ignorable by default.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Code points that an address may have once its local part has lost so many octets at its end.
fn longest(address: &str, local: &str, too_many: usize) -> u32 {
    let mut octets = 0;
    let lost = local
        .chars()
        .rev()
        .take_while(|c| {
            let is_over = octets < too_many;
            octets += c.len_utf8();
            is_over
        })
        .count();
    u32::try_from(address.chars().count() - lost).unwrap_or(254)
}
