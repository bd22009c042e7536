//! Whether the server knows the addresses of its visitors, by which it limits them.

use super::{
    account::Account,
    report::{Checked, Why, note},
    site::{Site, send, with, with_form},
};
use http::{Method, header};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::net::UdpSocket;

/// Invented addresses, which count for nothing: proxies add the real one at the right of them. The net
/// is reserved for examples (RFC 5737).
const INVENTED: &str = "203.0.113.1, 203.0.113.2, 203.0.113.3, 203.0.113.4, 203.0.113.5, \
                        203.0.113.6, 203.0.113.7, 203.0.113.8, 203.0.113.9";
/// Another address of this machine than the one that a proxy here has.
const SECOND_LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

impl Account {
    /// Signs in with invented addresses in `X-Forwarded-For`, and reads which one the list of devices
    /// shows.
    pub async fn address_is_seen(&self, site: &Site) -> Checked {
        let to = site.addresses().await;
        let Some(own) = own_address(&to).await else {
            let why = "this machine has no second address to be told apart by".to_owned();
            return Err(Why::Skipped(why));
        };
        let site = if own.is_loopback() {
            site.asked_from(own)?
        } else {
            site.asked_from(unspecified(own))?
        };
        let seen = self.seen_address(&site).await?;
        judge(seen, own, &to)
    }

    async fn seen_address(&self, site: &Site) -> Result<IpAddr, Why> {
        let request = site
            .request(Method::POST, "/api/sign_in")
            .header(header::ORIGIN, &site.origin)
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", INVENTED);
        let form = [("email", &*self.email), ("password", &*self.password)];
        let answer = match send(with_form(request, &form)).await {
            Ok(answer) => answer,
            // Not every system lets a program speak from a second address of the loopback network.
            Err(why) => return Err(Why::Skipped(why.into_text())),
        };
        let skipped = |why: String| Err(Why::Skipped(why));
        let Some(ticket) = answer.ticket() else {
            return skipped(format!("signing in was answered with {}", answer.status));
        };
        let list = with(
            site.request(Method::GET, "/api/list_sessions"),
            Some(&ticket),
        );
        let devices = send(list).await?;
        site.call("sign_out", &[], Some(&ticket)).await?;
        let devices: serde_json::Value = serde_json::from_str(&devices.body).unwrap_or_default();
        let mut sessions = devices["sessions"].as_array().into_iter().flatten();
        let this = sessions.find(|it| it["is_this"] == true);
        match this.and_then(|it| it["address"].as_str()?.parse().ok()) {
            Some(address) => Ok(address),
            None => skipped("/api/list_sessions names no address".to_owned()),
        }
    }
}

/// Compares the address that the server saw with the one that was used. Between the two, address
/// translation may change a private one.
fn judge(seen: IpAddr, own: IpAddr, site: &[SocketAddr]) -> Checked {
    let mut invented = INVENTED.split(", ").filter_map(|it| it.parse().ok());
    if invented.any(|it: IpAddr| it == seen) {
        return note(format!(
            "the server takes an X-Forwarded-For of the visitor's own for the truth ({seen}), so that \
             no limit by address holds; lower server.trusted_proxy_hops to the number of proxies that \
             add to it"
        ));
    }
    let may_be_translated = !own.is_loopback() && is_private(own);
    let is_site = site.iter().any(|it| it.ip() == seen);
    if seen == own || (may_be_translated && !is_private(seen) && !is_site) {
        return Ok(());
    }
    note(format!(
        "the server saw {seen}, and this came from {own}: people behind one proxy share one address and \
         its limits. Have the proxy add to X-Forwarded-For (nginx: proxy_set_header X-Forwarded-For \
         $proxy_add_x_forwarded_for) and set server.trusted_proxy_hops to the number of proxies"
    ))
}

/// The address that this machine reaches the site from. Nothing is sent.
async fn own_address(site: &[SocketAddr]) -> Option<IpAddr> {
    let to = site.iter().find(|it| it.is_ipv4()).or(site.first())?;
    if to.ip().is_loopback() {
        return to.is_ipv4().then_some(SECOND_LOOPBACK);
    }
    let socket = UdpSocket::bind((unspecified(to.ip()), 0)).await.ok()?;
    socket.connect(to).await.ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Any address of the machine, of this family.
fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Of this machine or of a network without public addresses.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            // 100.64.0.0/10 is shared by the customers of a provider (RFC 6598).
            let is_shared = matches!(v4.octets(), [100, 64..=127, ..]);
            is_shared || v4.is_loopback() || v4.is_private() || v4.is_link_local()
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
