//! The request that a proxy asks about: its scheme, its host, its path and its method.
//!
//! Proxies name it in three ways. nginx sends `X-Original-URL`. Caddy and Traefik send
//! `X-Forwarded-Proto`, `-Host` and `-Uri`. Envoy asks below `/auth/check`, with the method, the path
//! and the `Host` of the original.
//!
//! Each of them passes on the headers of the other ways as its visitor sent them. Therefore all of
//! these headers must name one scheme and one host. A visitor's header then agrees with the proxy's, or
//! the request is refused.

use crate::server::state::State;
use http::{HeaderMap, Method, Uri, header};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

/// The path of the check.
pub const CHECK: &str = "/auth/check";
/// A host in the log is cut after this many octets.
const LOGGED_MAX: usize = 100;

/// Octets that no browser sends in a path, or that URL parsers disagree about. `%` is not among
/// them: the path stays as it was sent.
const ODD: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'`');

/// A request for an app of `forward_auth.allowed_hosts`.
pub struct Original {
    is_https: bool,
    host: String,
    path: Vec<u8>,
}

/// A request that the check refuses, as the log describes it. The path is left out: it may hold a
/// secret.
pub struct Refusal {
    /// The headers that named the address.
    pub named_by: String,
    /// The scheme and the host that they named.
    pub seen: String,
    /// The reason, and the remedy.
    pub why: &'static str,
}

/// Parts of the address that the headers of one request name, each with the header's name.
#[derive(Default)]
struct Named<'a> {
    schemes: Vec<(&'static str, &'a [u8])>,
    hosts: Vec<(&'static str, &'a [u8])>,
    path: Option<&'a [u8]>,
}

/// Reads the address of the original request.
///
/// # Errors
/// If the headers name none, disagree, or name a host that is not allowed.
pub fn read(state: &State, uri: &Uri, headers: &HeaderMap) -> Result<Original, Refusal> {
    let named = named(uri, headers, state.config.server.trusted_proxy_hops);
    let refuse = |why| Err(named.refusal(why));
    let ([(_, scheme), schemes @ ..], [(_, host), hosts @ ..], Some(path)) =
        (&*named.schemes, &*named.hosts, named.path)
    else {
        return refuse(
            "the address is not named; let the proxy set X-Original-URL, or X-Forwarded-Proto, \
             X-Forwarded-Host and X-Forwarded-Uri",
        );
    };
    let Some(is_https) = is_https(scheme) else {
        return refuse("the scheme is neither https nor http; let the proxy name one of them");
    };
    let agree = schemes
        .iter()
        .all(|(_, other)| self::is_https(other) == Some(is_https))
        && hosts
            .iter()
            .all(|(_, other)| other.eq_ignore_ascii_case(host));
    if !agree {
        return refuse(
            "the headers name different addresses; let the proxy remove those that it does not set \
             itself",
        );
    }
    let host = String::from_utf8_lossy(host).into_owned();
    if !is_listed(&state.config.forward_auth.allowed_hosts, &host) {
        return refuse(
            "the host is not in forward_auth.allowed_hosts; add it there if it is one of your apps",
        );
    }
    if !is_safe(state, is_https) {
        return refuse(
            "the scheme is http while oidc.issuer has https; serve the app over https, or let the \
             proxy name the scheme that browsers use",
        );
    }
    let path = path.to_owned();
    Ok(Original {
        is_https,
        host,
        path,
    })
}

/// Whether the proxy asks as Envoy does: with the path of the original below the check's own.
pub fn is_below(uri: &Uri) -> bool {
    uri.path().len() > CHECK.len()
}

/// Whether the original request is a CORS preflight.
///
/// A proxy asks by GET and names the method in `X-Forwarded-Method`, or asks by the method itself.
pub fn is_preflight(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut forwarded = headers.get_all("x-forwarded-method").iter();
    let is_options = match (forwarded.next(), forwarded.next()) {
        (None, _) => method == Method::OPTIONS,
        _ if is_below(uri) => method == Method::OPTIONS,
        (Some(named), None) => {
            named == "OPTIONS" && [Method::GET, Method::OPTIONS].contains(method)
        }
        (Some(_), Some(_)) => false,
    };
    // No browser offers another protocol with a preflight; a proxy could hand the offer on.
    is_options
        && !headers.contains_key(header::UPGRADE)
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether a list of hosts has this one.
pub fn is_listed(hosts: &[String], host: &str) -> bool {
    hosts.iter().any(|listed| listed.eq_ignore_ascii_case(host))
}

/// Whether the scheme is good enough: users who sign in over https are not sent back over http.
pub fn is_safe(state: &State, is_https: bool) -> bool {
    is_https || state.config.oidc.issuer.starts_with("http://")
}

impl Original {
    /// Whether a list of hosts has this request's.
    pub fn is_for(&self, hosts: &[String]) -> bool {
        is_listed(hosts, &self.host)
    }

    /// The address that leads back here. The app's front page stands in for a path that is none.
    pub fn address(&self) -> String {
        let path = self.path.split(|byte| *byte == b'#').next();
        let rest = path.and_then(|path| path.strip_prefix(b"/"));
        format!(
            "{}{}",
            self.front_page(),
            percent_encode(rest.unwrap_or_default(), ODD)
        )
    }

    /// The app's host, with its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address of the app's front page.
    pub fn front_page(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}/", self.host)
    }
}

impl Named<'_> {
    fn refusal(&self, why: &'static str) -> Refusal {
        let mut named_by: Vec<&str> = Vec::new();
        for (header, _) in self.schemes.iter().chain(&self.hosts) {
            if !named_by.contains(header) {
                named_by.push(header);
            }
        }
        let schemes = self.schemes.iter().map(|(_, scheme)| plain(scheme));
        let hosts = self.hosts.iter().map(|(_, host)| plain(host));
        Refusal {
            named_by: named_by.join(", "),
            seen: format!("{}://{}", joined(schemes), joined(hosts)),
            why,
        }
    }
}

fn named<'a>(uri: &'a Uri, headers: &'a HeaderMap, hops: u32) -> Named<'a> {
    let mut named = Named::default();
    let mut original_path = None;
    for url in headers.get_all("x-original-url") {
        let (scheme, host, path) = split(url.as_bytes());
        named.schemes.push(("X-Original-URL", scheme));
        named.hosts.push(("X-Original-URL", host));
        original_path = Some(path);
    }
    if let Some(scheme) = entry(headers, "x-forwarded-proto", hops) {
        named.schemes.push(("X-Forwarded-Proto", scheme));
    }
    if let Some(host) = entry(headers, "x-forwarded-host", hops) {
        named.hosts.push(("X-Forwarded-Host", host));
    }
    let mut paths = headers.get_all("x-forwarded-uri").iter();
    let forwarded_path = paths.next().map(http::HeaderValue::as_bytes);
    named.path = forwarded_path.or(original_path);
    if is_below(uri) {
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        named.path = Some(&target.as_bytes()[CHECK.len()..]);
        if let Some(host) = headers.get(header::HOST) {
            named.hosts.push(("Host", host.as_bytes()));
        }
    }
    named
}

/// The scheme, the host and the path of a URL. A backslash, a `?` or a user's name is part of the
/// host, which is then on no list.
fn split(url: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let at = url.windows(3).position(|window| window == b"://");
    let Some(at) = at else {
        return (b"", url, b"");
    };
    let (scheme, rest) = (&url[..at], &url[at + 3..]);
    let end = rest.iter().position(|byte| *byte == b'/');
    let (host, path) = rest.split_at(end.unwrap_or(rest.len()));
    (scheme, host, path)
}

/// The entry of a list that the outermost proxy of the operator wrote, as in `X-Forwarded-For`:
/// entries to the left of it come from the visitor.
fn entry<'a>(headers: &'a HeaderMap, name: &str, hops: u32) -> Option<&'a [u8]> {
    let entries: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .collect();
    let from_the_right = (hops.max(1) as usize).min(entries.len());
    entries.get(entries.len() - from_the_right).copied()
}

/// Whether a scheme is https; none if it is no scheme of the web. A WebSocket handshake is a
/// request of http.
fn is_https(scheme: &[u8]) -> Option<bool> {
    match &*scheme.to_ascii_lowercase() {
        b"https" | b"wss" => Some(true),
        b"http" | b"ws" => Some(false),
        _ => None,
    }
}

/// A value as it may stand in a log: short, and without controls.
fn plain(value: &[u8]) -> String {
    let octets = value.iter().take(LOGGED_MAX);
    octets
        .map(|octet| {
            if octet.is_ascii_graphic() {
                *octet as char
            } else {
                '?'
            }
        })
        .collect()
}

/// Values that differ, one after the other.
fn joined(values: impl Iterator<Item = String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for value in values {
        if !different.contains(&value) {
            different.push(value);
        }
    }
    different.join("|")
}
