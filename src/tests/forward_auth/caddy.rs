//! Caddy, as `docs/forward-auth.md` configures it.

use super::{
    behind::{Behind, holds_behind},
    proxies::{cgi_app, cloakroom, documented, with_addresses},
};
use crate::proxy::{Proxy, free_address};
use std::process::Command;

/// Cloakroom and the app behind Caddy, which answers for another host name too.
async fn behind_caddy() -> Behind {
    let at = free_address().await;
    let cloakroom = cloakroom(at).await;
    let port = at.port();
    let sites = with_addresses(
        documented("caddyfile"),
        &[
            (
                "example.com:8443 {",
                format!("http://{at}, http://other.test:{port} {{"),
            ),
            ("127.0.0.1:3000", cloakroom.url.clone()),
            ("127.0.0.1:9000", cgi_app().await.to_string()),
        ],
    );
    let configuration = format!("{{\n\tadmin off\n\tauto_https off\n}}\n{sites}");
    let proxy = Proxy::start(at, ("Caddyfile", &configuration), |folder| {
        let mut command = Command::new("caddy");
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(folder.join("Caddyfile"));
        // Caddy's own files go into the folder as well.
        for variable in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(variable, folder);
        }
        command
    })
    .await;
    Behind::new(at, cloakroom, proxy)
}

holds_behind!(behind_caddy);
