//! What a stranger tries who has no account (security.md, rows 22, 23 and 29).

use super::{
    report::{Checked, Report, fail},
    site::{Site, has_extension, send, with_form},
};
use crate::server::{error::Error, random::Random};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Method, header};

/// All of it.
pub async fn examine(site: &Site, random: &Random, report: &mut Report) -> Result<(), Error> {
    let marked = format!("doctor {}", random.id()?);
    report.record(
        "a link does not make a page say anything",
        text_of_a_link(site, &marked).await,
    );
    report.record("a form leads to no other site", foreign_referer(site).await);
    report.record("strange paths lead nowhere", strange_paths(site).await);
    report.record(
        "what is not the browser's is not served",
        private_files(site).await,
    );
    Ok(())
}

/// Row 22: the framework would show what the link says as the form's error.
async fn text_of_a_link(site: &Site, text: &str) -> Checked {
    let planted = BASE64_STANDARD.encode(text);
    let path = format!(
        "/sign-in?__path=%2Fapi%2Fsign_in&__err={}",
        planted.replace('=', "%3D")
    );
    let answer = site.get(&path).await?;
    answer.expect_status(&[200, 303])?;
    if answer.body.contains(text) || answer.body.contains(&planted) {
        return fail("the text of a stranger's link is on the page");
    }
    Ok(())
}

/// Row 23: the framework goes back to where the `Referer` says.
async fn foreign_referer(site: &Site) -> Checked {
    let evil = "https://evil.example/";
    for (method, path) in [(Method::POST, "/api/sign_in"), (Method::GET, "/api/viewer")] {
        let request = site
            .request(method, path)
            .header(header::ORIGIN, &site.origin)
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, evil);
        let answer = send(with_form(request, &[("email", ""), ("password", "")])).await?;
        let to = answer.header("location");
        let is_ours = to.is_empty() || (to.starts_with('/') && !to.starts_with("//"));
        if !is_ours && !to.starts_with(&format!("{}/", site.origin)) {
            return fail(format!("{path} leads to {to:?}"));
        }
    }
    Ok(())
}

/// Row 29.
async fn strange_paths(site: &Site) -> Checked {
    for path in [
        "/%ff",
        "/%00",
        "//",
        "/..%2f..%2f..%2fetc/passwd",
        "/pkg/..%2f..%2fCargo.toml",
        "/pkg/..%5c..%5cCargo.toml",
    ] {
        let answer = site.get(path).await?;
        if ![400, 403, 404].contains(&answer.status) {
            return fail(format!("{path}: {}, expected 400 or 404", answer.status));
        }
    }
    Ok(())
}

async fn private_files(site: &Site) -> Checked {
    let page = site.get("/").await?;
    let script = page
        .body
        .split(['"', '\''])
        .find(|word| word.starts_with('/') && has_extension(word, "js"));
    let map = script.map(|script| format!("{script}.map"));
    let paths = [
        "/.env",
        "/.git/config",
        "/Cargo.toml",
        "/Leptos.toml",
        "/data/secret.key",
        "/data/cloakroom.db",
        "/secret.key",
        "/metrics",
    ];
    for path in paths.into_iter().chain(map.as_deref()) {
        let answer = site.get(path).await?;
        if ![400, 401, 403, 404].contains(&answer.status) {
            return fail(format!("{path}: {}, expected 404", answer.status));
        }
    }
    Ok(())
}
