//! Answers without a header, or with another.

use super::weakness::{Answer, Weakness};
use http::{HeaderValue, header};

const POLICY: &str = "the content security policy lets only the page's own scripts run";
const NONCES: &str = "no two answers have the same nonce";
const HTTPS: &str = "https is remembered for a year";
const QUIET: &str = "no answer names the software that serves it";
const FILES: &str = "a file is kept for ever only if its name has a hash";

pub fn weak() -> Vec<Weakness> {
    let mut weak: Vec<Weakness> = [
        ("content-security-policy", &[POLICY, NONCES][..]),
        ("x-content-type-options", &["types are not guessed"]),
        ("referrer-policy", &["links tell other sites nothing"]),
        (
            "cross-origin-opener-policy",
            &["windows of other sites have no hold"],
        ),
        (
            "cross-origin-resource-policy",
            &["other sites cannot embed anything"],
        ),
        ("x-frame-options", &["nothing can be framed"]),
    ]
    .into_iter()
    .map(|(name, findings)| {
        Weakness::new(name, findings).after(move |_, answer| {
            answer.headers.remove(name);
        })
    })
    .collect();
    for (name, value, finding) in [
        (
            "referrer-policy",
            "unsafe-url",
            "links tell other sites nothing",
        ),
        (
            "access-control-allow-origin",
            "*",
            "no answer lets other origins read it",
        ),
    ] {
        weak.push(Weakness::new(name, &[finding]).after(move |_, answer| {
            answer.headers.insert(name, HeaderValue::from_static(value));
        }));
    }
    // On one kind of answer alone.
    weak.push(
        Weakness::new("404 without nosniff", &["types are not guessed"]).after(|_, answer| {
            if answer.status == 404 {
                answer.headers.remove("x-content-type-options");
            }
        }),
    );
    weak.push(
        Weakness::new("kept pages", &["nobody keeps a copy of a page"]).after(|asked, answer| {
            if asked.path == "/" {
                answer.headers.remove(header::CACHE_CONTROL);
            }
        }),
    );
    for (from, to) in [
        ("'strict-dynamic'", "'unsafe-inline'"),
        ("base-uri 'none'", "base-uri 'self'"),
        ("frame-ancestors 'none'", "frame-ancestors *"),
        ("form-action 'self'; ", ""),
        ("default-src 'none'", "default-src *"),
        ("require-trusted-types-for 'script'; ", ""),
    ] {
        weak.push(Weakness::new(from, &[POLICY]).after(move |_, answer| policy(answer, from, to)));
    }
    weak.push(Weakness::new("one nonce", &[NONCES]).after(|_, answer| {
        let line = answer.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        let nonce = line
            .split("'nonce-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap();
        policy(answer, nonce, "AAAAAAAAAAAAAAAAAAAAAA");
    }));
    weak.push(
        Weakness::new("immutable without a hash", &[FILES]).after(|asked, answer| {
            if asked.path.contains(".css") {
                let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
                answer.headers.insert(header::CACHE_CONTROL, kept);
            }
        }),
    );
    weak.push(
        Weakness::new("a hash, and not immutable", &[FILES]).after(|asked, answer| {
            if asked.path == "/" {
                let hashed = "cloakroom.R5ZOlUkz0LOxV6wJEhVG9A.css";
                answer.body = answer.body.replace("cloakroom.css", hashed);
            }
        }),
    );
    weak
}

/// What an operator or a proxy may have chosen: noted, and no failure.
pub fn chosen() -> Vec<Weakness> {
    let mut weak = Vec::new();
    for (name, value, finding) in [
        ("strict-transport-security", "max-age=86400", HTTPS),
        ("server", "example/1.0", QUIET),
        ("x-powered-by", "example", QUIET),
    ] {
        let weakness = Weakness::new(name, &[]).after(move |_, answer| {
            answer.headers.insert(name, HeaderValue::from_static(value));
        });
        weak.push(weakness.noted(finding));
    }
    let unmarked = Weakness::new("no HSTS", &[]).after(|_, answer| {
        answer.headers.remove("strict-transport-security");
    });
    weak.push(unmarked.noted(HTTPS));
    weak.push(
        Weakness::new("no-store among others", &[]).after(|_, answer| {
            if answer.headers[header::CACHE_CONTROL] == "no-store" {
                let value = HeaderValue::from_static("no-store, no-transform");
                answer.headers.insert(header::CACHE_CONTROL, value);
            }
        }),
    );
    weak.push(
        Weakness::new("a note hides no failure", &["types are not guessed"])
            .after(|asked, answer| {
                let server = HeaderValue::from_static("example");
                answer.headers.insert(header::SERVER, server);
                if asked.path == "/health/ready" {
                    answer.headers.remove("x-content-type-options");
                }
            })
            .noted(QUIET),
    );
    weak
}

fn policy(answer: &mut Answer, from: &str, to: &str) {
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    let policy = policy.replace(from, to).parse().unwrap();
    answer.headers.insert("content-security-policy", policy);
}
