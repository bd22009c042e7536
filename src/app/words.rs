//! The words for people: what the wire says in codes.

use crate::wire::{
    Error, Problem, activity::Kind, api_keys::Scope, sessions::Device, users::Revoked,
};

/// What happened, and what to do next.
pub fn what_happened(error: &Error) -> String {
    match error {
        Error::Fields { fields } if fields.len() == 1 => "One field needs another look.".to_owned(),
        Error::Fields { fields } => format!("{} fields need another look.", fields.len()),
        Error::WrongEmailOrPassword => {
            "That e-mail address and password do not match. Check both and try again.".to_owned()
        }
        Error::SignInNeeded => "You were signed out. Sign in to go on.".to_owned(),
        Error::PasswordChanged => {
            "Your password was changed. Sign in with the new one.".to_owned()
        }
        Error::RecentSignInNeeded => "Enter your password to go on.".to_owned(),
        Error::NotSent => {
            "You had been signed out, so this was not done. Check the form and send it again."
                .to_owned()
        }
        Error::CrossSite => {
            "That came from another site, so nothing was done. Go to the page here and try again."
                .to_owned()
        }
        Error::AnotherAccount => {
            "This browser is now signed in to another account. Reload this page.".to_owned()
        }
        Error::NotFound | Error::MethodNotAllowed => "There is no page at this address.".to_owned(),
        Error::BadRequest | Error::WrongContentType => {
            "That could not be read. Go back and try again.".to_owned()
        }
        Error::TooLarge => "That is too long. Shorten it and try again.".to_owned(),
        Error::TooSlow => "That took too long to arrive. Try again.".to_owned(),
        Error::TooManyRequests { retry_after_s } => {
            format!("There were too many tries. Wait {retry_after_s} s and try again.")
        }
        Error::Busy { .. } => {
            "Many people are signing in just now. Try again in a moment.".to_owned()
        }
        Error::Unavailable => "This is not possible just now. Try again in a moment.".to_owned(),
        Error::Unexpected { .. } => {
            "Something went wrong on our side. Try again in a moment.".to_owned()
        }
        Error::Unreachable => {
            "The server could not be reached. Check your connection and try again.".to_owned()
        }
        Error::Intermediary { status: 200..=399 } => {
            "Your network answered in place of this site. It may ask you to sign in to it first: open \
             another page, then try again here."
                .to_owned()
        }
        Error::Intermediary { status: 413 } => what_happened(&Error::TooLarge),
        Error::Intermediary { status: 429 } => {
            "There were too many requests from your network. Wait a minute and try again.".to_owned()
        }
        Error::Intermediary {
            status: status @ 500..,
        } => format!(
            "A server between you and this site could not reach it (error {status}). Try again in a moment."
        ),
        Error::Intermediary { status } => format!(
            "Something between you and this site, such as a firewall, refused this (error {status}). \
             Try again from another network, or ask the people who run it."
        ),
        Error::Outdated => "This page has been updated. Reload it and try again.".to_owned(),
    }
}

/// What is wrong with a field.
pub fn what_is_wrong(problem: Problem) -> String {
    match problem {
        Problem::Missing => "Fill this in.".to_owned(),
        Problem::NotAnEmail => "Enter an e-mail address, like name@example.com.".to_owned(),
        Problem::WrongPassword => "This is not your password. Try again.".to_owned(),
        Problem::Taken => "This address already has an account. Sign in instead.".to_owned(),
        Problem::TooShort { min } => format!("Use at least {min} characters."),
        Problem::TooLong { max } => format!("Use at most {max} characters."),
        Problem::Unprintable => "There is an invisible character in it. Type it again.".to_owned(),
        Problem::Common => {
            "This is one of the passwords people guess first. Choose another.".to_owned()
        }
        Problem::LikeEmail => "This is too close to your address. Choose another.".to_owned(),
        Problem::Guessable => "This is a pattern that is soon guessed. Choose another.".to_owned(),
        Problem::OutOfRange { min, max } => format!("Choose from {min} to {max}."),
        Problem::Unknown => "Choose from those that are listed.".to_owned(),
        Problem::TooMany { max } => {
            format!("There are {max} already. Revoke one that is no longer needed.")
        }
        Problem::UsedUp { max } => {
            format!(
                "No key was made: you have revoked {max} keys since you made your oldest key that \
                 still works. Revoke that one, then make this one."
            )
        }
    }
}

/// What was ended, once it is.
pub fn ended(count: u32) -> String {
    match count {
        0 => "No other device was signed in.".to_owned(),
        1 => "1 other device was signed out.".to_owned(),
        count => format!("{count} other devices were signed out."),
    }
}

/// Result of a changed password, in sentences.
pub fn password_changed(devices: u32, revoked: Revoked) -> String {
    let devices = (devices > 0).then(|| ended(devices));
    let keys = match revoked.keys {
        0 => None,
        1 => Some("1 API key was revoked.".to_owned()),
        count => Some(format!("{count} API keys were revoked.")),
    };
    let apps = match revoked.apps {
        0 => None,
        1 => Some("1 app was disconnected.".to_owned()),
        count => Some(format!("{count} apps were disconnected.")),
    };
    let changed = Some("Your password was changed.".to_owned());
    let sentences: Vec<String> = [changed, devices, keys, apps]
        .into_iter()
        .flatten()
        .collect();
    sentences.join(" ")
}

/// What was revoked, once it is.
pub fn revoked(count: u32) -> &'static str {
    match count {
        0 => "The key was revoked already.",
        _ => "The key was revoked. It opens nothing any more.",
    }
}

/// What follows once the owner of a new key has confirmed that they have it.
pub const KEY_OUT_OF_SIGHT: &str =
    "The key is not shown any more. It works until it expires or is revoked.";

/// What a key may do.
pub fn key_scope(scope: Scope) -> &'static str {
    match scope {
        Scope::ProfileRead => "See whose account it is",
        Scope::SessionsRead => "See your devices",
        Scope::SessionsWrite => "Sign devices out",
        Scope::ActivityRead => "See what happened",
        Scope::KeysRead => "See your API keys",
    }
}

/// How somebody signed in, after "Signed in".
pub fn signed_in_by(how: &str) -> &'static str {
    match how {
        "pwd" => "with a password",
        _ => "in another way",
    }
}

/// What happened, in one sentence.
pub fn happened(kind: Kind, how_many: u32) -> String {
    match (kind, how_many) {
        (Kind::SignedUp, _) => "The account was made".to_owned(),
        (Kind::SignedIn, _) => "Signed in".to_owned(),
        (Kind::SignInFailed, 1) => "A wrong password was entered".to_owned(),
        (Kind::SignInFailed, many) => format!("A wrong password was entered {many} times"),
        (Kind::TriesRefused, many) => {
            format!("{many} tries to enter your password were refused, because there were too many")
        }
        (Kind::SignedOut, _) => "Signed out".to_owned(),
        (Kind::SessionEnded, 1) => "Another device was signed out".to_owned(),
        (Kind::SessionEnded, many) => format!("{many} other devices were signed out"),
        (Kind::SessionCopied, _) => {
            "A copy of a sign-in was used here; the copy and its device were signed out".to_owned()
        }
        (Kind::RenewalUnconfirmed, _) => {
            "A device was signed out, because a copy of its sign-in may have been in use".to_owned()
        }
        (Kind::PasswordConfirmed, _) => "The password was confirmed".to_owned(),
        (Kind::AppAllowed, _) => "An app was allowed to sign in with this account".to_owned(),
        (Kind::AppRevoked, 1) => "An app was disconnected".to_owned(),
        (Kind::AppRevoked, many) => format!("{many} apps were disconnected"),
        (Kind::PasswordChanged, 0) => "The password was changed".to_owned(),
        (Kind::PasswordChanged, 1) => {
            "The password was changed, and 1 other device was signed out".to_owned()
        }
        (Kind::PasswordChanged, many) => {
            format!("The password was changed, and {many} other devices were signed out")
        }
        (Kind::PasswordSet, 0) => "A new password was set".to_owned(),
        (Kind::PasswordSet, 1) => "A new password was set, and 1 device was signed out".to_owned(),
        (Kind::PasswordSet, many) => {
            format!("A new password was set, and {many} devices were signed out")
        }
        (Kind::ApiKeyCreated, _) => "An API key was created".to_owned(),
        (Kind::ApiKeyRevoked, 1) => "An API key was revoked".to_owned(),
        (Kind::ApiKeyRevoked, many) => format!("{many} API keys were revoked"),
    }
}

/// What an app gets, after "It can" (RFC 6749, 3.3; OpenID Connect Core, 5.4).
pub fn app_scope(name: &str) -> String {
    match name {
        "openid" => "Recognise you by an id that stays the same".to_owned(),
        "email" => "Read your e-mail address".to_owned(),
        "profile" => "Read your profile".to_owned(),
        "offline_access" => {
            "Stay connected for up to 30 days, also after you sign out here".to_owned()
        }
        // Its own name for something of its own.
        other => format!("Use “{other}”"),
    }
}

/// Such as "Firefox on Linux".
pub fn device(device: &Device) -> String {
    let browser = device.browser.as_deref().unwrap_or("A browser");
    match &device.system {
        Some(system) => format!("{browser} on {system}"),
        None => browser.to_owned(),
    }
}

/// Device and address of an entry, such as "Firefox on Linux, 192.0.2.1".
pub fn by(kind: Kind, with: &Device, address: Option<&str>) -> String {
    match address {
        _ if kind == Kind::PasswordSet => "The operator of this site".to_owned(),
        Some(address) => format!("{}, {address}", device(with)),
        None => "Several devices and addresses, counted together".to_owned(),
    }
}

/// Such as "24 November 2026", in UTC.
pub fn date(unix_s: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(unix_s)
        .map(|at| format!("{} {} {}", at.day(), at.month(), at.year()))
        .unwrap_or_default()
}

/// Such as "5 minutes ago".
pub fn ago(then_s: i64, now_s: i64) -> String {
    let one_or_more = |count: i64, unit: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {unit}{plural}")
    };
    match now_s - then_s {
        ..60 => "just now".to_owned(),
        past @ 60..3_600 => one_or_more(past / 60, "minute") + " ago",
        past @ 3_600..86_400 => one_or_more(past / 3_600, "hour") + " ago",
        past => one_or_more(past / 86_400, "day") + " ago",
    }
}

/// Such as "1 hour" or "14 days".
pub fn span(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// For machines: RFC 3339, in UTC.
pub fn exact(unix_s: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(unix_s)
        .map(|at| {
            let (hour, minute, second) = at.to_hms();
            let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        })
        .unwrap_or_default()
}

/// Such as "20:05", in UTC.
pub fn time_of_day(unix_s: i64) -> String {
    let minute_of_day = unix_s.rem_euclid(86_400) / 60;
    format!("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60)
}

/// Such as "24 November 2026, 20:05 UTC".
pub fn exact_in_words(unix_s: i64) -> String {
    format!("{}, {} UTC", date(unix_s), time_of_day(unix_s))
}

/// How strong a password is, from the estimator's score of 0 to 4.
pub fn strength(score: u8) -> &'static str {
    match score {
        0 => "Too easy to guess.",
        1 => "Weak.",
        2 => "Fair.",
        3 => "Good.",
        _ => "Strong.",
    }
}
