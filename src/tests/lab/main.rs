//! The lab, as far as no browser is needed, and the notes that it is about: what only a build with the
//! feature `lab` has.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../app.rs"]
mod app;
#[path = "../doors.rs"]
mod doors;
#[path = "../notes.rs"]
mod notes;
#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../place.rs"]
mod place;

use app::{EMAIL, PASSWORD, encoded};
use place::Place;
use reqwest::{Response, StatusCode};
use serde_json::Value;

/// The lab's server of the victim, by the name that it goes by.
struct Victim {
    origin: String,
    address: String,
    host: String,
    http: reqwest::Client,
}

impl Victim {
    async fn of(place: &mut Place) -> Self {
        let answer = place.serve("info").open("/lab").await;
        assert_eq!(answer.status, 303);
        let origin = answer.header("location").strip_suffix("/lab").unwrap();
        let host = origin.strip_prefix("http://").unwrap().to_owned();
        let (name, port) = host.split_once(':').unwrap();
        assert_eq!(name, "app.shop.localhost");
        Self {
            origin: origin.to_owned(),
            address: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::builder()
                .tls_certs_only([])
                .build()
                .unwrap(),
            host,
        }
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.http.get(self.address.clone() + path);
        request.header("host", &self.host).send().await.unwrap()
    }

    async fn post(&self, path: &str, token: &str, form: &[(&str, &str)]) -> Response {
        self.http
            .post(self.address.clone() + path)
            .header("host", &self.host)
            .header("origin", &self.origin)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encoded(form))
            .send()
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn it_touches_nothing_of_the_developers() {
    let mut place = Place::new();
    let victim = Victim::of(&mut place).await;
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let answer = victim.post("/api/sign_up", "", &form).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(place.said(&["user", "list"], ""), "");
}

#[tokio::test]
async fn it_is_reached_by_its_own_names_alone() {
    let mut place = Place::new();
    let victim = Victim::of(&mut place).await;
    assert_eq!(victim.get("/lab").await.status(), StatusCode::OK);
    for host in ["evil.example", "localhost", &victim.address[7..]] {
        let request = victim.http.get(victim.address.clone() + "/lab");
        let answer = request.header("host", host).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
}

#[tokio::test]
async fn its_access_tokens_are_believed_for_their_signature_alone() {
    let mut place = Place::new();
    let victim = Victim::of(&mut place).await;
    let form = [("email", EMAIL), ("password", PASSWORD)];
    victim.post("/api/sign_up", "", &form).await;
    let wrong = [("email", EMAIL), ("password", "another lamp over six")];
    let refused = victim.post("/lab/tokens", "", &wrong).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let issued = victim.post("/lab/tokens", "", &form).await.text().await;
    let issued: Value = serde_json::from_str(&issued.unwrap()).unwrap();
    let token = issued["access_token"].as_str().unwrap();
    let note = [("text", "The spare key is under the blue pot.")];
    let written = victim.post("/lab/notes", token, &note).await;
    assert_eq!(written.status(), StatusCode::OK);
    let forged = &token[..token.len() - 4];
    for other in ["", "a.b.c", forged] {
        let refused = victim.post("/lab/notes", other, &note).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{other}");
    }
}

#[tokio::test]
async fn the_log_says_what_the_page_says_and_no_secret() {
    let mut place = Place::new();
    let victim = Victim::of(&mut place).await;
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let answer = victim.post("/api/sign_up?run=first", "", &form).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let value = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    victim
        .post("/lab/notes?run=first", "a.secret.token", &[])
        .await;
    victim.post("/lab/notes?run=second", "", &[]).await;
    victim.post("/lab/notes", "", &[]).await;
    let listed = victim
        .get("/lab/record?of=first&after=0")
        .await
        .text()
        .await;
    let listed: Value = serde_json::from_str(&listed.unwrap()).unwrap();
    let entries = listed["entries"].as_array().unwrap();
    let paths: Vec<_> = entries
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["/api/sign_up", "/lab/notes"]);
    assert_eq!(entries[0]["sets_session"], true);
    assert_eq!(entries[1]["decided"], "Authorization: Bearer");

    let log = place.stop();
    let told = log.lines().filter(|line| line.contains("lab_request"));
    let told: Vec<&str> = told.collect();
    assert_eq!(told.len(), 3, "{log}");
    for (entry, line) in entries.iter().zip(told) {
        for name in ["number", "status", "took_ms", "sets_session"] {
            let said = format!("{name}={}", entry[name]);
            assert!(line.contains(&said), "{said}: {line}");
        }
        for name in ["method", "path", "decided"] {
            let said = format!("{name}={}", entry[name]);
            assert!(line.contains(&said), "{said}: {line}");
        }
    }
    for secret in [&*value, "a.secret.token", PASSWORD, EMAIL] {
        assert!(!log.contains(secret), "{secret}");
    }
}
