//! Traefik's rules for headers, followed as `docs/forward-auth.md` sets them.
//!
//! Traefik is not in Debian. This proxy does what its middlewares `headers` and `forwardAuth` do to
//! headers: names are compared without regard to case, and `-` and `_` differ.

use super::{
    behind::Behind,
    proxies::{cgi_app, cloakroom, documented, with_addresses},
};
use crate::proxy::free_address;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::sync::Arc;
use tokio::{net::TcpListener, task::JoinHandle};
use toml::Value;

/// Headers of one connection, which no proxy passes on.
const OF_THE_CONNECTION: [&str; 3] = ["connection", "transfer-encoding", "content-length"];

/// Listens until it is dropped.
struct Traefik(JoinHandle<()>);

impl Drop for Traefik {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Rules {
    http: Value,
    client: reqwest::Client,
}

async fn behind_traefik() -> Behind {
    let at = free_address().await;
    let cloakroom = cloakroom(at).await;
    let written = with_addresses(
        documented("toml\n[http.routers.app]"),
        &[
            ("http://127.0.0.1:3000", cloakroom.url.clone()),
            (
                "http://127.0.0.1:9000",
                format!("http://{}", cgi_app().await),
            ),
        ],
    );
    let read: Value = toml::from_str(&format!("[http.routers.app]\n{written}")).unwrap();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([]);
    let rules = Rules {
        http: read["http"].clone(),
        client: client.build().unwrap(),
    };
    let listener = TcpListener::bind(at).await.unwrap();
    let serve = Router::new().fallback(pass).with_state(Arc::new(rules));
    let task = tokio::spawn(async move { axum::serve(listener, serve).await.unwrap() });
    Behind::new(at, cloakroom, Traefik(task))
}

/// Passes a request through the middlewares of the router, in its order, to the service.
async fn pass(State(rules): State<Arc<Rules>>, request: Request) -> Response {
    let router = &rules.http["routers"]["app"];
    let (mut parts, body) = request.into_parts();
    let mut cookies = Vec::new();
    for name in texts(&router["middlewares"]) {
        let middleware = &rules.http["middlewares"][name];
        if let Some(rule) = middleware.get("headers") {
            for (name, value) in rule["customRequestHeaders"].as_table().unwrap() {
                let name: HeaderName = name.parse().unwrap();
                match value.as_str().unwrap() {
                    "" => drop(parts.headers.remove(name)),
                    value => drop(parts.headers.insert(name, value.parse().unwrap())),
                }
            }
            continue;
        }
        let rule = &middleware["forwardAuth"];
        let mut asked = parts.headers.clone();
        let target = parts.uri.to_string();
        for (name, value) in [
            ("x-forwarded-method", parts.method.as_str()),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-uri", &target),
            ("x-forwarded-for", "127.0.0.1"),
        ] {
            asked.insert(name, HeaderValue::from_str(value).unwrap());
        }
        asked.insert("x-forwarded-host", parts.headers[header::HOST].clone());
        asked.remove(header::HOST);
        let address = rule["address"].as_str().unwrap();
        let answer = send(
            &rules.client,
            http::Method::GET,
            address,
            asked,
            Body::empty(),
        )
        .await;
        if !answer.status().is_success() {
            return answer;
        }
        for name in texts(&rule["authResponseHeaders"]) {
            let name: HeaderName = name.parse().unwrap();
            parts.headers.remove(&name);
            for value in answer.headers().get_all(&name) {
                parts.headers.append(&name, value.clone());
            }
        }
        for name in texts(&rule["addAuthCookiesToResponse"]) {
            let set = answer.headers().get_all(header::SET_COOKIE).iter();
            let named = |it: &&HeaderValue| it.to_str().unwrap().starts_with(&format!("{name}="));
            cookies.extend(set.filter(named).cloned());
        }
    }
    let service = &rules.http["services"][router["service"].as_str().unwrap()];
    let server = service["loadBalancer"]["servers"][0]["url"]
        .as_str()
        .unwrap();
    let address = format!("{server}{}", parts.uri);
    let mut answer = send(&rules.client, parts.method, &address, parts.headers, body).await;
    for cookie in cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

async fn send(
    client: &reqwest::Client,
    method: http::Method,
    address: &str,
    mut headers: HeaderMap,
    body: Body,
) -> Response {
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    let body = to_bytes(body, 1 << 16).await.unwrap();
    let request = client.request(method, address).headers(headers).body(body);
    let answered = request.send().await.unwrap();
    let (status, mut headers) = (answered.status(), answered.headers().clone());
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    (status, headers, answered.bytes().await.unwrap()).into_response()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
}

#[tokio::test]
async fn no_visitor_chooses_a_user() {
    behind_traefik()
        .await
        .lets_no_visitor_choose_a_user("-_.")
        .await;
}

#[tokio::test]
async fn no_visitor_names_the_host() {
    behind_traefik().await.lets_no_visitor_name_the_host().await;
}

#[tokio::test]
async fn an_anonymous_browser_is_sent_to_sign_in_and_comes_back() {
    behind_traefik().await.sends_browsers_to_sign_in().await;
}

#[tokio::test]
async fn a_script_gets_a_401() {
    behind_traefik().await.answers_scripts_with_401().await;
}

#[tokio::test]
async fn preflights_alone_reach_the_app_without_a_session() {
    behind_traefik().await.lets_preflights_through().await;
}

#[tokio::test]
async fn an_ended_session_is_refused_at_the_next_request() {
    behind_traefik().await.refuses_ended_sessions().await;
}

#[tokio::test]
async fn odd_paths_reach_the_app() {
    behind_traefik().await.lets_odd_paths_through().await;
}

#[tokio::test]
async fn the_app_gets_no_cookie() {
    behind_traefik().await.gives_the_app_no_cookie().await;
}
