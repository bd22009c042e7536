//! The site under examination, and what it answers.

use super::report::{Checked, Why, fail};
use crate::server::{cookie, error::Error};
use http::{HeaderMap, Method, header};
use reqwest::{Client, RequestBuilder, Url, redirect};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Whoever does not answer within this time does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A deployment.
pub struct Site {
    /// Scheme, host and port, without a slash at the end.
    pub origin: String,
    url: Url,
    http: Client,
}

/// An answer, read whole.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// A session's cookie, as a browser would keep it. It is neither printed nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    pub name: String,
    pub value: String,
}

impl Site {
    /// The site at this address; a path in it means nothing.
    ///
    /// # Errors
    /// If there can be none.
    pub fn at(url: &str) -> Result<Self, Error> {
        let refused = |why: String| Error::Config(format!("{url}: {why}"));
        let url = Url::parse(url).map_err(|error| refused(error.to_string()))?;
        let origin = url.origin();
        if !origin.is_tuple() || !matches!(url.scheme(), "http" | "https") {
            return Err(refused("expected https://…".to_owned()));
        }
        let http = client(None).map_err(|error| refused(error.to_string()))?;
        Ok(Self {
            origin: origin.ascii_serialization(),
            url,
            http,
        })
    }

    /// The same site, asked from this address of the machine.
    pub fn asked_from(&self, address: IpAddr) -> Result<Self, Why> {
        Ok(Self {
            origin: self.origin.clone(),
            url: self.url.clone(),
            http: client(Some(address))?,
        })
    }

    /// Its addresses.
    pub async fn addresses(&self) -> Vec<SocketAddr> {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']);
        let port = self.url.port_or_known_default().unwrap_or_default();
        let found = tokio::net::lookup_host((host, port)).await;
        found.map_or_else(|_| Vec::new(), Iterator::collect)
    }

    /// Whether what is said on the way is hidden. Browsers trust this machine's own name, and
    /// nothing leaves it.
    pub fn is_private(&self) -> Checked {
        let host = self.url.host_str().unwrap_or_default();
        let is_here = host == "localhost"
            || host.ends_with(".localhost")
            || host.trim_matches(['[', ']']).parse().is_ok_and(|address| {
                let address: IpAddr = address;
                address.is_loopback()
            });
        match self.url.scheme() {
            "https" => Ok(()),
            _ if is_here => Err(Why::Skipped("it is this machine's own address".to_owned())),
            scheme => fail(format!("{scheme}, expected https")),
        }
    }

    /// A request with no cookie and no word of where it comes from.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin))
    }

    /// What a page of the site asks, with the cookie if there is one.
    pub async fn call(
        &self,
        function: &str,
        form: &[(&str, &str)],
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Why> {
        let request = self
            .request(Method::POST, &format!("/api/{function}"))
            .header(header::ORIGIN, &self.origin)
            .header("sec-fetch-site", "same-origin");
        send(with_form(with(request, ticket), form)).await
    }

    /// Opens a page, as nobody.
    pub async fn get(&self, path: &str) -> Result<Answer, Why> {
        send(
            self.request(Method::GET, path)
                .header(header::ACCEPT, "text/html"),
        )
        .await
    }

    /// Whether this cookie still signs in: asked of something that is its owner's alone.
    pub async fn is_signed_in(&self, ticket: &Ticket) -> Result<bool, Why> {
        let request = with(
            self.request(Method::GET, "/api/list_sessions"),
            Some(ticket),
        );
        match send(request).await?.status {
            200 => Ok(true),
            401 => Ok(false),
            status => fail(format!("/api/list_sessions: {status}, expected 200 or 401")),
        }
    }
}

fn client(from: Option<IpAddr>) -> reqwest::Result<Client> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .local_address(from)
        .build()
}

/// Sends, and reads the answer.
pub async fn send(request: RequestBuilder) -> Result<Answer, Why> {
    let response = request.send().await?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: String::from_utf8_lossy(&response.bytes().await?).into_owned(),
    })
}

/// Adds a form.
pub fn with_form(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    request
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
}

/// Adds the cookie.
pub fn with(request: RequestBuilder, ticket: Option<&Ticket>) -> RequestBuilder {
    match ticket {
        Some(Ticket { name, value }) => request.header(header::COOKIE, format!("{name}={value}")),
        None => request,
    }
}

impl Answer {
    /// Whether its status is one of these.
    pub fn expect_status(&self, expected: &[u16]) -> Checked {
        if expected.contains(&self.status) {
            return Ok(());
        }
        let expected: Vec<String> = expected.iter().map(u16::to_string).collect();
        fail(format!(
            "{}, expected {}",
            self.status,
            expected.join(" or ")
        ))
    }

    /// A header's text; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The cookie that it hands out, whole.
    pub fn cookie(&self) -> Option<&str> {
        cookie::set_by(&self.headers).find(|line| ticket(line).is_some())
    }

    /// The same as a browser keeps it.
    pub fn ticket(&self) -> Option<Ticket> {
        self.cookie().and_then(ticket)
    }
}

fn ticket(line: &str) -> Option<Ticket> {
    let (name, value) = line.split(';').next()?.split_once('=')?;
    (!value.is_empty()).then(|| Ticket {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
    })
}

/// Whether a path is that of a file of this kind.
pub fn has_extension(path: &str, kind: &str) -> bool {
    std::path::Path::new(path)
        .extension()
        .is_some_and(|it| it == kind)
}
