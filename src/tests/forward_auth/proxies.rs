//! Proxies run as `docs/forward-auth.md` has them, in front of an app that gets its headers by CGI.

use crate::app::{Answer, TestApp};
use axum::{
    Json, Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::{collections::BTreeMap, net::SocketAddr};
use tokio::{io::copy, net::TcpListener};

const GUIDE: &str = include_str!("../../../docs/forward-auth.md");

/// The configuration that the guide has for a proxy.
pub fn documented(language: &str) -> &'static str {
    let (_, rest) = GUIDE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// Puts this test's addresses where the guide has its own.
pub fn with_addresses(written: &str, addresses: &[(&str, String)]) -> String {
    let mut here = written.to_owned();
    for (in_the_guide, address) in addresses {
        assert!(here.contains(in_the_guide), "{in_the_guide}");
        here = here.replace(in_the_guide, address);
    }
    here
}

/// Cloakroom for the app that a proxy at this address stands in front of.
pub async fn cloakroom(at: SocketAddr) -> TestApp {
    TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec![at.to_string()];
        config.forward_auth.preflight_hosts = vec![at.to_string()];
        "http://cloakroom.test".clone_into(&mut config.oidc.issuer);
    })
    .await
}

/// An app without accounts. It answers with the request as it arrived, and is an echo over a
/// WebSocket.
pub async fn cgi_app() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

async fn answer(mut request: Request) -> Response {
    if request.headers().contains_key(header::UPGRADE) {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let (mut from, mut to) = tokio::io::split(TokioIo::new(upgrade.await.unwrap()));
            copy(&mut from, &mut to).await
        });
        let kind = request.headers()[header::UPGRADE].clone();
        let switched = [
            (header::UPGRADE, kind),
            (header::CONNECTION, "upgrade".parse().unwrap()),
        ];
        return (StatusCode::SWITCHING_PROTOCOLS, switched, Body::empty()).into_response();
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
    Json(json!({
        "method": parts.method.as_str(),
        "target": parts.uri.to_string(),
        "body": String::from_utf8_lossy(&body),
        "headers": as_cgi(&parts.headers),
    }))
    .into_response()
}

/// Names as CGI has them (RFC 3875, 4.1.18), in the widest reading: every sign that is neither a
/// letter nor a digit becomes `_`.
fn as_cgi(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut variables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let name: String = name
            .as_str()
            .chars()
            .map(|sign| {
                if sign.is_ascii_alphanumeric() {
                    sign.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        variables
            .entry(format!("HTTP_{name}"))
            .or_default()
            .push(value);
    }
    variables
}

/// All values that the app has of a variable.
pub fn variable(answer: &Answer, name: &str) -> Vec<String> {
    serde_json::from_value(answer.json()["headers"][name].clone()).unwrap_or_default()
}
