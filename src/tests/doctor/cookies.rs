//! Cookies that browsers keep less well.

use super::weakness::{Answer, Weakness};
use http::header;

const ATTRIBUTES: &str = "the session's cookie is kept from scripts and other sites";

pub fn weak() -> Vec<Weakness> {
    let mut weak: Vec<Weakness> = [
        ("; HttpOnly", ""),
        ("; Secure", ""),
        ("SameSite=Lax", "SameSite=None"),
        ("; SameSite=Lax", ""),
        ("; Path=/", "; Path=/account"),
        ("; Path=/", "; Path=/; Domain=example.com"),
    ]
    .into_iter()
    .map(|(from, to)| {
        Weakness::new(from, &[ATTRIBUTES])
            .after(move |_, answer| edit_cookie(answer, |line| line.replace(from, to)))
    })
    .collect();
    weak.push(
        Weakness::new(
            "a name that a sibling can set",
            &["the session's cookie has a name that no sibling can set"],
        )
        .before(|request| {
            let lines: Vec<String> = request
                .headers()
                .get_all(header::COOKIE)
                .iter()
                .map(|line| {
                    let line = line.to_str().unwrap();
                    line.replace("sid=", "__Host-Http-session=")
                })
                .collect();
            request.headers_mut().remove(header::COOKIE);
            for line in lines {
                let line = line.parse().unwrap();
                request.headers_mut().append(header::COOKIE, line);
            }
            None
        })
        .after(|_, answer| {
            edit_cookie(answer, |line| line.replace("__Host-Http-session=", "sid="));
        }),
    );
    weak.push(
        Weakness::new(
            "a token in the answer",
            &["the session's cookie is in no answer's text"],
        )
        .after(|asked, answer| {
            if asked.path == "/api/sign_up" && answer.status == 200 {
                let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
                answer.body += cookie.split(';').next().unwrap();
            }
        }),
    );
    weak.push(
        Weakness::new(
            "the first of two counts",
            &["two session cookies in a request are refused"],
        )
        .before(|request| {
            let first = request.headers().get(header::COOKIE)?.to_str().unwrap();
            let first = first.split(';').next().unwrap().parse().unwrap();
            request.headers_mut().insert(header::COOKIE, first);
            None
        }),
    );
    weak.push(
        Weakness::new("40 days", &["a session ends within 30 days"]).after(|asked, answer| {
            if asked.path == "/api/viewer"
                && let Ok(mut viewer) = serde_json::from_str::<serde_json::Value>(&answer.body)
                && let Some(ends_at) = viewer["session"]["ends_at"].as_i64()
            {
                viewer["session"]["ends_at"] = (ends_at + 40 * 86_400).into();
                answer.body = viewer.to_string();
            }
        }),
    );
    weak
}

/// Edits the cookie that is handed out.
fn edit_cookie(answer: &mut Answer, edit: impl Fn(&str) -> String) {
    let edited: Vec<String> = answer
        .headers
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|line| edit(line.to_str().unwrap()))
        .collect();
    answer.headers.remove(header::SET_COOKIE);
    for line in edited {
        answer
            .headers
            .append(header::SET_COOKIE, line.parse().unwrap());
    }
}
