//! nginx, as `docs/forward-auth.md` configures it.

use super::{
    behind::{Behind, holds_behind},
    proxies::{cgi_app, cloakroom, documented, with_addresses},
};
use crate::{
    doctor::examine,
    proxy::{free_address, nginx},
};
use reqwest::Method;

/// Cloakroom and the app behind nginx. `http` is what the operator has set around the documented
/// part.
async fn behind_nginx_with(http: &str) -> Behind {
    behind_nginx_without("ssl_certificate", http).await
}

/// The same, without the lines that begin so.
async fn behind_nginx_without(left_out: &str, http: &str) -> Behind {
    let at = free_address().await;
    let cloakroom = cloakroom(at).await;
    let written: Vec<&str> = documented("nginx")
        .lines()
        .filter(|line| {
            let mut left_out = ["ssl_certificate", left_out].into_iter();
            !left_out.any(|it| line.trim_start().starts_with(it))
        })
        .collect();
    let servers = with_addresses(
        &written.join("\n"),
        &[
            ("listen 8443 ssl;", format!("listen {at};")),
            ("http://127.0.0.1:3000;", format!("{};", cloakroom.url)),
            (
                "http://127.0.0.1:9000;",
                format!("http://{};", cgi_app().await),
            ),
        ],
    );
    let proxy = nginx(at, &format!("{http}\n{servers}")).await;
    Behind::new(at, cloakroom, proxy)
}

async fn behind_nginx() -> Behind {
    behind_nginx_with("").await
}

holds_behind!(behind_nginx);

#[tokio::test]
async fn no_visitor_chooses_a_user_where_the_operator_lets_other_names_in() {
    let http = "underscores_in_headers on; ignore_invalid_headers off;";
    let behind = behind_nginx_with(http).await;
    behind.lets_no_visitor_choose_a_user("-_").await;
}

#[tokio::test]
async fn the_doctor_names_an_nginx_that_drops_renewed_cookies() {
    let name = "browsers receive the cookies that forward auth renews";
    for (left_out, outcome) in [
        ("ssl_certificate", "pass"),
        ("add_header Set-Cookie", "note"),
    ] {
        let behind = behind_nginx_without(left_out, "").await;
        let found = examine(&behind.app.url).await;
        assert!(
            found.said.contains(&format!("skipped  {name}: ")),
            "{}",
            found.said
        );
        let mut browsers = Vec::new();
        for user in ["a", "b", "c"] {
            let browser = behind.browser();
            let signed_up = behind.app.signed_up(&format!("{user}@example.com")).await;
            browser.keep(&signed_up);
            browsers.push(browser);
        }
        behind.app.pass(300);
        // The cookie is renewed, shown for the first time, and shown again.
        for _ in 0..3 {
            for browser in &browsers {
                let page = browser.send(browser.request(Method::GET, "/")).await;
                assert_eq!(page.status, 200, "{}", page.body);
            }
            behind.app.pass(61);
        }
        let found = examine(&behind.app.url).await;
        assert!(found.is_success, "{}", found.said);
        assert!(
            found.said.contains(&format!("{outcome:9}{name}")),
            "{}",
            found.said
        );
    }
}
