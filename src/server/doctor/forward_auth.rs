//! Whether the proxy of forward auth hands renewed cookies on to browsers, as the server has seen.

use super::{
    report::{Checked, Report, Why, note},
    site::Site,
};
use crate::server::forward_auth::health::{HEADER, LOST, RECEIVED, UNKNOWN};

/// Asks, where forward auth is on.
pub async fn examine(site: &Site, report: &mut Report) {
    if let Some(checked) = receipt(site).await {
        report.record(
            "browsers receive the cookies that forward auth renews",
            checked,
        );
    }
}

async fn receipt(site: &Site) -> Option<Checked> {
    let answer = match site.get("/health/ready").await {
        Ok(answer) => answer,
        Err(why) => return Some(Err(why)),
    };
    match answer.header(HEADER) {
        RECEIVED => Some(Ok(())),
        LOST => Some(note(
            "several users did not receive theirs; let the proxy hand the cookies of /auth/check on \
             to the browser (docs/forward-auth.md)",
        )),
        UNKNOWN => Some(Err(Why::Skipped(
            "no browser has shown one since the server started".to_owned(),
        ))),
        // Forward auth is off.
        _ => None,
    }
}
