//! Sessions that go on, and passwords that may be guessed.

use super::weakness::{Weakness, has, is};
use axum::{extract::Request, response::IntoResponse};
use http::{Method, StatusCode, header};
use std::sync::{Arc, Mutex};

/// A request that shows an old cookie is taken as if it showed the newest, where `so` says.
fn keeps_old(what: &'static str, finding: &'static str, after_function: &'static str) -> Weakness {
    let newest = Arc::new(Mutex::new(None::<String>));
    let kept = Arc::clone(&newest);
    Weakness::new(what, &[finding])
        .before(move |request| {
            let newest = kept.lock().unwrap().clone()?;
            let is_planted = request
                .headers()
                .get(header::COOKIE)
                .is_some_and(|it| it.to_str().unwrap().split('.').count() != 3);
            if is(request, "/api/list_sessions") && !is_planted && says_one(request) {
                request
                    .headers_mut()
                    .insert(header::COOKIE, newest.parse().unwrap());
            }
            None
        })
        .after(move |asked, answer| {
            if !asked.path.starts_with("/api/") || asked.method != Method::POST {
                return;
            }
            let Some(line) = answer.headers.get(header::SET_COOKIE) else {
                return;
            };
            let pair = line.to_str().unwrap().split(';').next().unwrap().to_owned();
            // It begins with the function named, and ends with the next.
            let is_it = asked.path == format!("/api/{after_function}");
            *newest.lock().unwrap() = is_it.then_some(pair);
        })
}

fn says_one(request: &Request) -> bool {
    let cookies = request.headers().get_all(header::COOKIE);
    cookies.iter().count() == 1 && !cookies.iter().any(|it| it.to_str().unwrap().contains(';'))
}

pub fn weak() -> Vec<Weakness> {
    vec![
        Weakness::new("sign-out forgets", &["signing out ends the session"]).before(|request| {
            // The real one is refused to other sites; this one is asked by the site's own page.
            let comes =
                is(request, "/api/sign_out") && has(request, "sec-fetch-site", "same-origin");
            let is_form = has(request, "content-type", "application/x-www-form-urlencoded");
            (comes && is_form).then(|| "{\"next\":\"/\"}".into_response())
        }),
        keeps_old(
            "a changed password leaves sessions",
            "a changed password ends what was signed in",
            "change_password",
        ),
        keeps_old(
            "the session before goes on",
            "signing in starts another session, and a planted one is refused",
            "sign_in",
        ),
        Weakness::new(
            "who has an account",
            &["a wrong password and an unknown address are told the same"],
        )
        .after({
            let count = Mutex::new(0);
            move |asked, answer| {
                let mut count = count.lock().unwrap();
                if asked.path == "/api/sign_in" && answer.status == 401 {
                    *count += 1;
                    answer.body += if *count == 1 { " " } else { "" };
                }
            }
        }),
        Weakness::new("no limit", &["guessing a password is slowed down"]).after(
            |asked, answer| {
                if asked.path == "/api/sign_in" && answer.status == 429 {
                    answer.status = StatusCode::UNAUTHORIZED;
                }
            },
        ),
        Weakness::new(
            "no word of when to come back",
            &["guessing a password is slowed down"],
        )
        .after(|_, answer| {
            answer.headers.remove(header::RETRY_AFTER);
        }),
    ]
}
