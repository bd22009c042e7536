//! What a refusal says of its cause, and that `/developers` lists the same.

use super::{ALL, SECRET, assert_problem, jwt_of, sign, with_checksum};
use crate::app::{Answer, Browser, EMAIL, Program, TestApp};
use cloakroom::server::secret::Secret;
use reqwest::{Method, header};
use serde_json::{Value, json};

/// Sentences that were told, each of one cause.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    fn tell(&mut self, text: String) {
        let is_new = !self.0.contains(&text);
        assert!(is_new, "one sentence for two causes: {text}");
        self.0.push(text);
    }
}

/// The `detail` of a refusal, which repeats nothing of the key.
fn detail(answer: &Answer, status: u16, code: &str, key: &str) -> String {
    assert_problem(answer, status, code);
    let signature = key.rsplit_once('.').unwrap().1;
    for part in [&signature[..43], &key[20..60]] {
        assert!(!answer.body.contains(part), "{}", answer.body);
    }
    let detail = answer.json()["detail"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(!detail.is_empty(), "{}", answer.body);
    detail
}

#[tokio::test]
async fn a_refusal_says_what_the_request_shows_and_developers_reads_the_same() {
    let app = TestApp::with(|config| SECRET.clone_into(&mut config.secret.key)).await;
    let browser = app.signed_up(EMAIL).await;
    let key = browser.key(ALL).await;
    let mut told = Told::default();
    by_what_the_header_says(&app, &browser, &key, &mut told).await;
    by_where_the_key_is(&app, &browser, &key, &mut told).await;
    by_the_address(&app, &browser, &key, &mut told).await;
    by_a_head_that_is_no_http(&app, &key, &mut told).await;
    by_how_the_key_ended(&app, &browser, &key, &mut told).await;
    let Told(mut told) = told;
    let page = app.browser().open("/developers").await.body;
    let (_, problems) = page.split_once("id=\"problems\"").unwrap();
    let (problems, _) = problems.split_once("</section>").unwrap();
    let mut read: Vec<String> = problems
        .split("<li>")
        .skip(1)
        .map(|it| it.split('<').next().unwrap().replace("&quot;", "\""))
        .collect();
    read.sort();
    told.sort();
    assert_eq!(read, told);
}

async fn by_what_the_header_says(app: &TestApp, browser: &Browser, key: &str, told: &mut Told) {
    let foreign = with_checksum(jwt_of(&sign(&[7; 32], key, |_| {}, |_| {})));
    let session = browser.session().unwrap();
    // What Authorization says, and which problem that is.
    for (value, code) in [
        (format!("Basic {key}"), "key_needed"),
        ("Bearer".to_owned(), "key_needed"),
        (format!("Bearer Bearer {key}"), "invalid_token"),
        (format!("Bearer \"{key}\""), "invalid_token"),
        (
            format!("Bearer {} {}", &key[..50], &key[50..]),
            "invalid_token",
        ),
        (format!("Bearer {key},"), "invalid_token"),
        (format!("Bearer {session}"), "invalid_token"),
        ("Bearer secret".to_owned(), "invalid_token"),
        (format!("Bearer {}", &key[..key.len() - 1]), "invalid_token"),
        (format!("Bearer {foreign}"), "invalid_token"),
    ] {
        let request = app
            .browser()
            .request(Method::GET, "/v1/me")
            .header(header::AUTHORIZATION, value);
        told.tell(detail(&app.browser().send(request).await, 401, code, key));
    }
    // The same causes, dressed otherwise.
    for (value, word) in [
        (key.to_owned(), "does not begin with"),
        (format!("Bearer: {key}"), "does not begin with"),
        (format!("Bearer '{key}'"), "quotation marks"),
        (format!("bearer BEARER {key}"), "twice"),
        (format!("Bearer {}", &key[..40]), "cut short"),
        (format!("Bearer {}", jwt_of(key)), "another kind"),
        ("Bearer rt_x".to_owned(), "another kind"),
    ] {
        let request = app
            .browser()
            .request(Method::GET, "/v1/me")
            .header(header::AUTHORIZATION, value);
        let answer = app.browser().send(request).await;
        assert!(answer.body.contains(word), "{word}: {}", answer.body);
    }
    // Quotation marks of a word processor.
    let raw = app
        .raw(format!("GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \u{201c}{key}\u{201d}\r\n\r\n"))
        .await;
    assert!(raw.contains("no key has"), "{raw}");
}

async fn by_where_the_key_is(app: &TestApp, browser: &Browser, key: &str, told: &mut Told) {
    let anonymous = app.browser();
    let plain = |path: &str| anonymous.request(Method::GET, path);
    told.tell(detail(
        &anonymous.send(plain("/v1/me")).await,
        401,
        "key_needed",
        key,
    ));
    let elsewhere = plain("/v1/me").header("x-api-key", key);
    told.tell(detail(
        &anonymous.send(elsewhere).await,
        401,
        "key_needed",
        key,
    ));
    let named_otherwise = plain("/v1/me").header("x-secret", key);
    assert!(
        anonymous
            .send(named_otherwise)
            .await
            .body
            .contains("not read")
    );
    let cookie = browser.request(Method::GET, "/v1/me");
    told.tell(detail(&browser.send(cookie).await, 401, "key_needed", key));
    let both = browser
        .request(Method::GET, "/v1/me")
        .header(header::AUTHORIZATION, format!("Bearer {key}"));
    told.tell(detail(
        &browser.send(both).await,
        400,
        "invalid_request",
        key,
    ));
    let program = Program::new(&app.url, key);
    let twice = program
        .request(Method::GET, "/v1/me")
        .header(header::AUTHORIZATION, format!("Bearer {key}"));
    told.tell(detail(
        &program.send(twice).await,
        400,
        "invalid_request",
        key,
    ));
}

async fn by_the_address(app: &TestApp, browser: &Browser, key: &str, told: &mut Told) {
    let program = Program::new(&app.url, key);
    let long = format!("/v1/{}", "x".repeat(9_000));
    for path in [
        &*format!("/v1/me?key={key}"),
        "/v1/activity?after=x",
        "/v1/activity?after=1.a&after=2.a",
        "//v1/me",
        "/v1/a%2fb",
        &long,
    ] {
        told.tell(detail(
            &program.get(path).await,
            400,
            "invalid_request",
            key,
        ));
    }
    assert!(program.get("/v1//me").await.body.contains("(//)"));
    told.tell(detail(
        &program.get("/v1/nothing").await,
        404,
        "not_found",
        key,
    ));
    let gone = program.delete("/v1/sessions/nobody-has-this-one-ab").await;
    told.tell(detail(&gone, 404, "not_found", key));
    let wrong_method = program.send(program.request(Method::POST, "/v1/me")).await;
    told.tell(detail(&wrong_method, 405, "method_not_allowed", key));
    let narrow = Program::new(&app.url, &browser.key("keys:read").await);
    told.tell(detail(
        &narrow.get("/v1/me").await,
        403,
        "insufficient_scope",
        key,
    ));
}

async fn by_a_head_that_is_no_http(app: &TestApp, key: &str, told: &mut Told) {
    // A carriage return at the end of the key never gets as far as the routes.
    let raw = app
        .raw(format!(
            "GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\r\n\r\n"
        ))
        .await;
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400"), "{raw}");
    assert!(
        head.contains("content-type: application/problem+json"),
        "{raw}"
    );
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{raw}"
    );
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["type"], "/developers#invalid_request");
    told.tell(problem["detail"].as_str().unwrap().to_owned());
}

async fn by_how_the_key_ended(app: &TestApp, browser: &Browser, key: &str, told: &mut Told) {
    let own = Secret::parse(SECRET)
        .unwrap()
        .derive("api-key+jwt")
        .unwrap()[0]
        .bytes;
    // Whether a key has ended is told of one that was signed here, and of no other.
    let ended = sign(
        &own,
        key,
        |_| {},
        |claims| claims["exp"] = json!(1_800_000_000),
    );
    let forged = sign(
        &[7; 32],
        key,
        |_| {},
        |claims| claims["exp"] = json!(1_800_000_000),
    );
    let refused = async |key: &str| Program::new(&app.url, key).get("/v1/me").await;
    assert!(refused(&forged).await.body.contains("did not sign"));
    told.tell(detail(
        &refused(&with_checksum(jwt_of(&ended))).await,
        401,
        "invalid_token",
        key,
    ));
    let minted = browser.mint(ALL).await;
    let id = minted["id"].as_str().unwrap();
    browser.call("revoke_api_key", &[("id", id)]).await;
    let revoked = minted["key"].as_str().unwrap();
    told.tell(detail(
        &refused(revoked).await,
        401,
        "invalid_token",
        revoked,
    ));
    let like_revoked = with_checksum(jwt_of(&sign(&[7; 32], revoked, |_| {}, |_| {})));
    assert!(refused(&like_revoked).await.body.contains("did not sign"));
}
