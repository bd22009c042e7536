//! What another site tries in the browser of somebody who is signed in (security.md, rows 1 to 9).

use super::{
    account::Account,
    report::{Checked, Report, Why, fail, note},
    site::{Site, send, with, with_form},
};
use http::{Method, header};
use reqwest::RequestBuilder;

const EVIL: &str = "https://evil.example";

/// Names and values.
type Headers = &'static [(&'static str, &'static str)];

/// A form that another site has a browser send, and what the browser says of it.
const POSTS: [(&str, Headers); 5] = [
    (
        "a form posted from another site is refused",
        &[("sec-fetch-site", "cross-site"), ("origin", EVIL)],
    ),
    (
        "a form posted from a sibling subdomain is refused",
        &[("sec-fetch-site", "same-site")],
    ),
    (
        "a form with a foreign Origin is refused",
        &[("origin", EVIL)],
    ),
    (
        "a form with the Origin null is refused",
        &[("origin", "null")],
    ),
    (
        "a form that does not say where it comes from is refused",
        &[],
    ),
];

/// Functions that are called by GET.
const READS: [&str; 3] = ["viewer", "list_sessions", "list_activity"];

/// How a browser asks for another site.
const FROM_ELSEWHERE: [Headers; 3] = [
    &[
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
    ],
    &[("sec-fetch-site", "same-site")],
    &[("origin", EVIL)],
];

pub async fn examine(site: &Site, account: Result<&mut Account, String>, report: &mut Report) {
    report.record(
        "browsers without Sec-Fetch-Site can send the site's own forms",
        own_origin(site).await,
    );
    let account = match account {
        Ok(account) => account,
        Err(why) => {
            let why = format!("there is no account: {why}");
            return report.record("other sites can do nothing", Err(Why::Skipped(why)));
        }
    };
    for (name, headers) in POSTS {
        report.record(name, post(site, account, headers).await);
    }
    report.record(
        "a body that is no form is refused",
        no_form(site, account).await,
    );
    report.record("another site reads nothing", reads(site, account).await);
    for (name, origin) in [
        ("a socket for another site is refused", Some(EVIL)),
        ("a socket for the Origin null is refused", Some("null")),
        ("a socket for nobody in particular is refused", None),
    ] {
        report.record(name, socket(site, account, origin).await);
    }
}

/// Tries to sign the person out.
async fn post(site: &Site, account: &mut Account, headers: Headers) -> Checked {
    let request = site.request(Method::POST, "/api/sign_out");
    let request = with_form(with(request, account.ticket()), &[]);
    refused(site, account, with_headers(request, headers), 403).await
}

/// Old browsers, and all browsers on plain http, say by `Origin` alone where a form comes from. It is
/// compared with `Host`, which a proxy may have replaced.
async fn own_origin(site: &Site) -> Checked {
    let request = site
        .request(Method::POST, "/api/sign_out")
        .header(header::ORIGIN, &site.origin);
    let answer = send(with_form(request, &[])).await?;
    match answer.status {
        403 => note(
            "403: Host does not arrive as the browser sent it; have the proxy pass it on (nginx: \
             proxy_set_header Host $http_host)",
        ),
        _ => answer.expect_status(&[200]),
    }
}

/// Row 7: what no form can be is not read as one, wherever it comes from.
async fn no_form(site: &Site, account: &mut Account) -> Checked {
    let own: Headers = &[("sec-fetch-site", "same-origin")];
    for (from, headers, status) in [(EVIL, &[][..], 403), (&site.origin, own, 415)] {
        let request = site
            .request(Method::POST, "/api/sign_out")
            .header(header::ORIGIN, from)
            .header(header::CONTENT_TYPE, "text/plain")
            .body("{}");
        let request = with_headers(with(request, account.ticket()), headers);
        refused(site, account, request, status).await?;
    }
    Ok(())
}

/// Row 8.
async fn reads(site: &Site, account: &Account) -> Checked {
    for function in READS {
        for headers in FROM_ELSEWHERE {
            let request = site.request(Method::GET, &format!("/api/{function}"));
            let request = with_headers(with(request, account.ticket()), headers);
            let answer = send(request).await?;
            let (name, value) = &headers[0];
            if answer.status != 403 {
                let found = answer.status;
                return fail(format!(
                    "{function} with {name}: {value}: {found}, expected 403"
                ));
            }
            if answer.body.contains(account.email()) {
                return fail(format!("{function} with {name}: {value} names the person"));
            }
        }
    }
    Ok(())
}

/// Row 9.
async fn socket(site: &Site, account: &Account, origin: Option<&str>) -> Checked {
    let request = site
        .request(Method::GET, "/api/viewer")
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, "AAAAAAAAAAAAAAAAAAAAAA==");
    let request = match origin {
        Some(origin) => request.header(header::ORIGIN, origin),
        None => request,
    };
    let answer = send(with(request, account.ticket())).await?;
    match answer.status {
        101 => fail("101: a socket is open"),
        200 => note("200: no socket is open; the request arrived without its Upgrade header"),
        _ => answer.expect_status(&[403]),
    }
}

/// Sends what must be refused, and change nothing.
async fn refused(
    site: &Site,
    account: &mut Account,
    request: RequestBuilder,
    status: u16,
) -> Checked {
    let answer = send(request).await?;
    let Some(ticket) = account.ticket() else {
        return Ok(());
    };
    if !site.is_signed_in(ticket).await? {
        account.sign_in(site).await?;
        return fail(format!("{}, and it signed the person out", answer.status));
    }
    answer.expect_status(&[status])
}

fn with_headers(request: RequestBuilder, headers: Headers) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}
