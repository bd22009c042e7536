//! What a stranger finds.

use super::weakness::Weakness;
use axum::response::IntoResponse;
use http::{StatusCode, header};

pub fn weak() -> Vec<Weakness> {
    vec![
        Weakness::new(
            "text of a link",
            &["a link does not make a page say anything"],
        )
        .before(|request| {
            let query = request.uri().query()?.to_owned();
            let (_, said) = query.split_once("__err=")?;
            Some(said.replace("%3D", "=").into_response())
        }),
        Weakness::new(
            "back to where it came from",
            &["a form leads to no other site"],
        )
        .after(|asked, answer| {
            if let Some(referer) = asked.headers.get(header::REFERER) {
                answer.status = StatusCode::FOUND;
                answer.headers.insert(header::LOCATION, referer.clone());
            }
        }),
        Weakness::new("strange paths", &["strange paths lead nowhere"]).after(|asked, answer| {
            if asked.path.contains("..%2f") {
                answer.status = StatusCode::OK;
            }
        }),
        Weakness::new(
            "a file of settings",
            &["what is not the browser's is not served"],
        )
        .after(|asked, answer| {
            if asked.path == "/.env" && asked.query.is_empty() {
                answer.status = StatusCode::OK;
            }
        }),
        Weakness::new("the database is away", &["it is reachable and ready"]).after(
            |asked, answer| {
                if asked.path == "/health/ready" {
                    answer.status = StatusCode::SERVICE_UNAVAILABLE;
                }
            },
        ),
    ]
}
