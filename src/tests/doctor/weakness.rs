//! A server that is weak in one way.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// What the server was asked.
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
}

/// What it answers.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

type Before = dyn Fn(&mut Request) -> Option<Response> + Send + Sync;
type After = dyn Fn(&Asked, &mut Answer) + Send + Sync;

/// One thing that is wrong with a server: what is done to a request before Cloakroom has it, and to
/// the answer after.
pub struct Weakness {
    pub what: &'static str,
    pub findings: Vec<&'static str>,
    /// What is noted, and fails nothing.
    pub notes: Vec<&'static str>,
    before: Box<Before>,
    after: Box<After>,
}

impl Weakness {
    pub fn new(what: &'static str, findings: &[&'static str]) -> Self {
        Self {
            what,
            findings: findings.to_vec(),
            notes: Vec::new(),
            before: Box::new(|_| None),
            after: Box::new(|_, _| {}),
        }
    }

    pub fn noted(mut self, finding: &'static str) -> Self {
        self.notes.push(finding);
        self
    }

    pub fn before(
        mut self,
        change: impl Fn(&mut Request) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        self.before = Box::new(change);
        self
    }

    pub fn after(mut self, change: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static) -> Self {
        self.after = Box::new(change);
        self
    }

    pub async fn around(&self, mut request: Request, next: Next) -> Response {
        let asked = Asked {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: request.headers().clone(),
        };
        if let Some(answer) = (self.before)(&mut request) {
            return answer;
        }
        let (parts, body) = next.run(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let mut answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        // Whether the site is built or not: there is a style sheet.
        if asked.path.starts_with("/pkg/") && asked.path.contains(".css") {
            answer.status = StatusCode::OK;
            let kept = HeaderValue::from_static("public, no-cache");
            answer.headers.insert(header::CACHE_CONTROL, kept);
        }
        (self.after)(&asked, &mut answer);
        answer.headers.remove(header::CONTENT_LENGTH);
        let mut response = (answer.status, Body::from(answer.body)).into_response();
        *response.headers_mut() = answer.headers;
        response
    }
}

pub fn is(request: &Request, path: &str) -> bool {
    request.uri().path() == path
}

pub fn has(request: &Request, name: &str, value: &str) -> bool {
    request.headers().get(name).is_some_and(|it| it == value)
}

/// As if it came from a page of the site itself.
pub fn from_here(request: &mut Request) -> Option<Response> {
    let headers = request.headers_mut();
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    headers.remove("sec-fetch-mode");
    headers.remove(header::UPGRADE);
    headers.remove(header::CONNECTION);
    None
}
