//! The headers that every answer must have, whatever its kind (security.md XS-8).

use super::{
    report::{Checked, Report, Why, fail, note},
    site::{Answer, Site, has_extension, send, with_form},
};
use http::Method;
use std::collections::BTreeSet;

/// A year, in seconds.
const YEAR_S: u64 = 31_536_000;

/// What answers were looked at, by what they are.
type Answers = [(&'static str, Answer)];

/// What one answer must be.
type Check = fn(&Answer) -> Checked;

/// The same for all of them.
pub async fn examine(site: &Site, report: &mut Report) {
    let answers = match ask(site).await {
        Ok(answers) => answers,
        Err(why) => return report.record("every kind of answer has its headers", Err(why)),
    };
    let checks: [(&str, Check); 9] = [
        (
            "the content security policy lets only the page's own scripts run",
            policy,
        ),
        ("https is remembered for a year", transport),
        ("types are not guessed", |it| {
            is(it, "x-content-type-options", &["nosniff"])
        }),
        ("links tell other sites nothing", |it| {
            // With `no-referrer` forms would come from nowhere.
            let kept = [
                "same-origin",
                "strict-origin",
                "strict-origin-when-cross-origin",
            ];
            is(it, "referrer-policy", &kept)
        }),
        ("windows of other sites have no hold", |it| {
            is(it, "cross-origin-opener-policy", &["same-origin"])
        }),
        ("other sites cannot embed anything", |it| {
            is(it, "cross-origin-resource-policy", &["same-origin"])
        }),
        ("nothing can be framed", |it| {
            is(it, "x-frame-options", &["DENY"])
        }),
        ("no answer lets other origins read it", |it| {
            is_absent(it, "access-control-allow-origin").or_else(fail)
        }),
        ("no answer names the software that serves it", |it| {
            // Cloakroom sends neither: a proxy does.
            ["server", "x-powered-by"]
                .into_iter()
                .try_for_each(|name| is_absent(it, name))
                .or_else(|found| note(format!("{found}; a proxy in front adds it")))
        }),
    ];
    for (name, check) in checks {
        report.record(name, each(&answers, check));
    }
    report.record("no two answers have the same nonce", nonces(&answers));
    report.record(
        "nobody keeps a copy of a page",
        each(&answers, |it| {
            let is_image = it.header("content-type").starts_with("image/");
            if is_image { Ok(()) } else { is_not_stored(it) }
        }),
    );
    report.record(
        "a file is kept for ever only if its name has a hash",
        file(site, &answers).await,
    );
    report.record("a large body is refused", large(site).await);
}

/// One of every kind.
async fn ask(site: &Site) -> Result<Vec<(&'static str, Answer)>, Why> {
    let put = site.request(Method::PUT, "/");
    let misspelt = site.request(Method::GET, "/api/nothing");
    Ok(vec![
        ("the start page", site.get("/").await?),
        ("the sign-in page", site.get("/sign-in").await?),
        ("a page that is not there", site.get("/nothing-here").await?),
        ("a private page", site.get("/account").await?),
        ("a method that is not taken", send(put).await?),
        ("a function that is not there", send(misspelt).await?),
        ("a file", site.get("/favicon.svg").await?),
        (
            "a file that is not there",
            site.get("/pkg/nothing.js").await?,
        ),
        (
            "a function that refuses",
            site.call("list_sessions", &[], None).await?,
        ),
        ("its readiness", site.get("/health/ready").await?),
    ])
}

/// Whether the check passes for all answers. The first failure is named, or else the first note.
fn each(answers: &Answers, check: impl Fn(&Answer) -> Checked) -> Checked {
    let mut remark = Ok(());
    for (kind, answer) in answers {
        match check(answer).map_err(|why| why.about(kind)) {
            Ok(()) => {}
            Err(why @ Why::Failed(_)) => return Err(why),
            Err(why) => remark = remark.and(Err(why)),
        }
    }
    remark
}

fn is(answer: &Answer, name: &str, expected: &[&str]) -> Checked {
    let found = answer.header(name);
    if expected.iter().any(|it| found.eq_ignore_ascii_case(it)) {
        return Ok(());
    }
    let found = if found.is_empty() {
        "is missing".to_owned()
    } else {
        format!("is {found:?}")
    };
    fail(format!(
        "{name} {found}, expected {}",
        expected.join(" or ")
    ))
}

fn transport(answer: &Answer) -> Checked {
    let found = answer.header("strict-transport-security");
    let max_age_s = found
        .split(';')
        .find_map(|part| part.trim().strip_prefix("max-age="))
        .and_then(|seconds| seconds.trim_matches('"').parse::<u64>().ok());
    match max_age_s {
        Some(seconds) if seconds >= YEAR_S => Ok(()),
        // How long, and whether at all, is the operator's to say.
        _ => note(format!(
            "strict-transport-security is {found:?}; max-age={YEAR_S} keeps browsers from plain \
             http for a year"
        )),
    }
}

/// A proxy, or a server of another kind, may have added it; the error says what it found.
fn is_absent(answer: &Answer, name: &str) -> Result<(), String> {
    match answer.header(name) {
        "" => Ok(()),
        found => Err(format!("{name} is {found:?}, expected none")),
    }
}

/// `no-store`, among others.
fn is_not_stored(answer: &Answer) -> Checked {
    let found = answer.header("cache-control");
    let mut directives = found.split(',').map(str::trim);
    if directives.any(|it| it.eq_ignore_ascii_case("no-store")) {
        return Ok(());
    }
    fail(format!("cache-control is {found:?}, expected no-store"))
}

/// The sources that a directive of the policy names.
fn directive<'a>(policy: &'a str, name: &str) -> Option<Vec<&'a str>> {
    policy.split(';').find_map(|directive| {
        let mut words = directive.split_whitespace();
        (words.next() == Some(name)).then(|| words.collect())
    })
}

fn nonce(answer: &Answer) -> Option<&str> {
    directive(answer.header("content-security-policy"), "script-src")?
        .into_iter()
        .find_map(|source| source.strip_prefix("'nonce-")?.strip_suffix('\''))
}

fn policy(answer: &Answer) -> Checked {
    let policy = answer.header("content-security-policy");
    if policy.is_empty() {
        return fail("content-security-policy is missing");
    }
    for (name, expected) in [
        ("default-src", &["'none'", "'self'"][..]),
        ("base-uri", &["'none'"]),
        ("object-src", &["'none'"]),
        ("frame-ancestors", &["'none'"]),
        ("form-action", &["'self'"]),
        ("require-trusted-types-for", &["'script'"]),
    ] {
        let found = directive(policy, name).unwrap_or_default();
        if found.len() != 1 || !expected.contains(&found[0]) {
            let expected = expected.join(" or ");
            return fail(format!(
                "{name} is {:?}, expected {expected}",
                found.join(" ")
            ));
        }
    }
    let scripts = directive(policy, "script-src").unwrap_or_default();
    for loose in [
        "'unsafe-inline'",
        "'unsafe-eval'",
        "*",
        "http:",
        "https:",
        "data:",
    ] {
        if scripts.contains(&loose) {
            return fail(format!("script-src has {loose}"));
        }
    }
    match nonce(answer) {
        // 128 bits in base64.
        Some(nonce) if nonce.len() >= 22 => Ok(()),
        _ => fail("script-src has no nonce of 128 bits"),
    }
}

fn nonces(answers: &Answers) -> Checked {
    let mut seen = BTreeSet::new();
    for (kind, answer) in answers {
        match nonce(answer) {
            None => return fail(format!("{kind}: there is none")),
            Some(nonce) if !seen.insert(nonce) => {
                return fail(format!("{kind}: it is that of another answer as well"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The style sheet stands for all built files.
async fn file(site: &Site, answers: &Answers) -> Checked {
    let page = answers.first().map_or("", |(_, answer)| &answer.body);
    let path = page
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .find(|path| path.starts_with('/') && has_extension(path, "css"));
    let Some(path) = path else {
        return Err(Why::Skipped(
            "the start page names no style sheet of its own".to_owned(),
        ));
    };
    let answer = site.get(path).await?;
    if answer.status == 404 {
        return Err(Why::Skipped(format!(
            "{path} is not there; is the site built?"
        )));
    }
    answer.expect_status(&[200])?;
    let kept = answer.header("cache-control");
    // cloakroom.R5ZOlUkz0LOxV6wJEhVG9A.css
    let has_hash = path.rsplit('/').next().is_some_and(|name| {
        let hash = name.split('.').nth(1).unwrap_or_default();
        name.split('.').count() == 3 && hash.len() >= 16
    });
    match (has_hash, kept.contains("immutable")) {
        (true, true) | (false, false) => Ok(()),
        (true, false) => fail(format!(
            "{path}: cache-control is {kept:?}, expected immutable"
        )),
        (false, true) => fail(format!(
            "{path} has no hash and its cache-control is {kept:?}: the next version would not be seen"
        )),
    }
}

/// A megabyte is more than any form of ours.
async fn large(site: &Site) -> Checked {
    let long = "x".repeat(1 << 20);
    let request = site
        .request(Method::POST, "/api/sign_out")
        .header(http::header::ORIGIN, &site.origin);
    match with_form(request, &[("x", &long)]).send().await {
        // Whoever refuses before all of it is there may cut the line, and the answer with it.
        Err(error) if !error.is_timeout() && !error.is_connect() => Err(Why::Skipped(
            "the connection was cut before there was an answer".to_owned(),
        )),
        Err(error) => Err(error.into()),
        Ok(response) if response.status() == 413 => Ok(()),
        Ok(response) => fail(format!("{}, expected 413", response.status().as_u16())),
    }
}
