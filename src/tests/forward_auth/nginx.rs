//! nginx, as `docs/forward-auth.md` configures it.

use super::{
    behind::{Behind, holds_behind},
    proxies::{cgi_app, cloakroom, documented, with_addresses},
};
use crate::proxy::{free_address, nginx};

/// Cloakroom and the app behind nginx. `http` is what the operator has set around the documented
/// part.
async fn behind_nginx_with(http: &str) -> Behind {
    let at = free_address().await;
    let cloakroom = cloakroom(at).await;
    let written: Vec<&str> = documented("nginx")
        .lines()
        .filter(|line| !line.trim_start().starts_with("ssl_certificate"))
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
