//! Why a request is refused, as far as the request itself shows it: the `detail` of a problem
//! (RFC 9457). Nothing of a key is repeated, and whether a key has expired or was revoked is told for
//! one that this server signed alone.

use super::problem::Kind;
use crate::server::{
    api_keys::{OLD_PREFIX, PREFIX, Refusal},
    walls::{TARGET_MAX, is_plain_path},
};
use http::{HeaderMap, HeaderName, header};

macro_rules! causes {
    ($($cause:ident: $kind:ident = $detail:literal,)*) => {
        /// Each cause that a problem names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cause {
            $(#[doc = $detail] $cause,)*
        }

        impl Cause {
            /// Each of them, as `/developers` lists them.
            pub const ALL: &[Self] = &[$(Self::$cause,)*];

            /// The problem that it is a cause of.
            pub fn kind(self) -> Kind {
                match self { $(Self::$cause => Kind::$kind,)* }
            }

            /// What the request shows, and what to do.
            pub fn detail(self) -> &'static str {
                match self { $(Self::$cause => $detail,)* }
            }
        }
    };
}

causes! {
    UnreadableHead: InvalidRequest = "The head of the request is not HTTP. A header may have a carriage return or another control character in it, such as the end of a line after a key that was read from a file.",
    KeyInAddress: InvalidRequest = "An API key is in the address, where logs keep it. Send it in the Authorization header, and revoke this one.",
    TwoHeaders: InvalidRequest = "The request has more than one Authorization header. Send one.",
    KeyAndCookie: InvalidRequest = "The request has an Authorization header and the cookie of a session. Send the header alone.",
    EmptySegment: InvalidRequest = "The path has an empty segment (//). The base address may end with a slash that the path begins with.",
    NotPlainPath: InvalidRequest = "The path has a segment . or .., an encoded slash, a control character, or percent-encoding that is not UTF-8.",
    LongAddress: InvalidRequest = "The address is longer than 8,192 octets.",
    CursorTwice: InvalidRequest = "\"after\" is in the address more than once.",
    NotACursor: InvalidRequest = "\"after\" is not a cursor of this list. Send the \"next\" of the page before as it is, or leave \"after\" out for the first page.",
    NoHeader: KeyNeeded = "The request has no Authorization header. Send \"Authorization: Bearer\", a space and the key.",
    CookieAlone: KeyNeeded = "The request has the cookie of a session, which counts for nothing here, and no Authorization header.",
    OtherHeader: KeyNeeded = "The key is in a header that is not read. Send \"Authorization: Bearer\", a space and the key.",
    NotBearer: KeyNeeded = "The Authorization header does not begin with \"Bearer\" and a space.",
    EmptyKey: KeyNeeded = "The Authorization header has no key after \"Bearer\". The variable that holds the key may be empty.",
    DoubledBearer: InvalidToken = "The Authorization header has \"Bearer\" twice.",
    Quoted: InvalidToken = "The key is in quotation marks. Send it without them.",
    Whitespace: InvalidToken = "There is a space or a tab in the key. It may have been copied with the end of a line.",
    WrongCharacter: InvalidToken = "There is a character in the key that no key has. Keys have letters, digits, dots, hyphens and underscores.",
    OtherToken: InvalidToken = "This is a token of another kind. API keys begin with \"cloakroom_\".",
    NotAKey: InvalidToken = "This does not begin as an API key does, with \"cloakroom_\".",
    Mistyped: InvalidToken = "The key was mistyped or cut short: its last six characters, a checksum, do not fit the others.",
    NotOurs: InvalidToken = "This server did not sign the key. It may be a key of another server, or one that was changed.",
    Expired: InvalidToken = "The key has expired. Make a new one at /account/keys.",
    Revoked: InvalidToken = "The key was revoked. Make a new one at /account/keys.",
    NoScope: InsufficientScope = "The key does not have the scope that WWW-Authenticate names. Make a key with it at /account/keys.",
    UnknownPath: NotFound = "No operation has this path.",
    UnknownSession: NotFound = "No live session of the account has this id.",
    OtherMethod: MethodNotAllowed = "Allow names the methods of this path.",
}

/// Headers in which other APIs take keys.
const OTHER_HEADERS: [&str; 7] = [
    "api-key",
    "apikey",
    "proxy-authorization",
    "x-access-token",
    "x-api-key",
    "x-api-token",
    "x-auth-token",
];
/// What other tokens of this server, and JWTs, begin with.
const OTHER_TOKENS: [&str; 4] = ["eyJ", "rt_", "co_", "cs_"];

impl Cause {
    /// Why a request shows no key, where its one `Authorization` header names none.
    pub fn of_no_key(headers: &HeaderMap, has_cookie: bool) -> Self {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return if headers.iter().any(is_key_in_other_header) {
                Self::OtherHeader
            } else if has_cookie {
                Self::CookieAlone
            } else {
                Self::NoHeader
            };
        };
        let value = value.as_bytes().trim_ascii();
        let (scheme, rest) = value.split_at(value.len().min("bearer".len()));
        let is_bearer = scheme.eq_ignore_ascii_case(b"bearer");
        if is_bearer && rest.is_empty() {
            Self::EmptyKey
        } else if is_bearer && !value.is_ascii() {
            Self::WrongCharacter
        } else {
            Self::NotBearer
        }
    }

    /// Why what a request shows is no key that counts.
    pub fn of_refusal(text: &str, refusal: Refusal) -> Self {
        let is_quote = |c| matches!(c, '"' | '\'' | '`');
        let begins_with = |beginnings: &[&str]| beginnings.iter().any(|it| text.starts_with(it));
        let is_of_key = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        match refusal {
            Refusal::Expired => Self::Expired,
            Refusal::Revoked => Self::Revoked,
            _ if text.len() > 6 && text.as_bytes()[..6].eq_ignore_ascii_case(b"bearer") => {
                Self::DoubledBearer
            }
            _ if text.starts_with(is_quote) || text.ends_with(is_quote) => Self::Quoted,
            _ if text.contains(char::is_whitespace) => Self::Whitespace,
            _ if !text.chars().all(is_of_key) => Self::WrongCharacter,
            Refusal::Mistyped => Self::Mistyped,
            Refusal::NotOurs => Self::NotOurs,
            Refusal::NotAKey if begins_with(&OTHER_TOKENS) => Self::OtherToken,
            Refusal::NotAKey => Self::NotAKey,
        }
    }

    /// Why an address is refused before any route, if that is for the address.
    pub fn of_target(target: &str) -> Option<Self> {
        let path = target.split('?').next().unwrap_or_default();
        if target.len() > TARGET_MAX {
            Some(Self::LongAddress)
        } else if path.contains("//") {
            Some(Self::EmptySegment)
        } else {
            (!is_plain_path(path)).then_some(Self::NotPlainPath)
        }
    }
}

fn is_key_in_other_header((name, value): (&HeaderName, &http::HeaderValue)) -> bool {
    let is_key = |prefix: &str| value.as_bytes().starts_with(prefix.as_bytes());
    name != header::COOKIE
        && (OTHER_HEADERS.contains(&name.as_str()) || is_key(PREFIX) || is_key(OLD_PREFIX))
}
