//! Signing in to other apps from here, as browsers and these apps' servers see it.

mod authorize;
mod back_channel;
mod codes;
mod consent;
mod endings;
mod logout;
mod opener;
mod pruning;
mod refresh;
mod userinfo;

use crate::app::{Answer, Browser, EMAIL, TestApp, encoded, with_form};
use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use cloakroom::server::{
    clients::{self, GrantType, NewAuthentication, Registration},
    oidc::scopes::Scopes,
};
use reqwest::Method;
use serde_json::Value;

pub const CALLBACK: &str = "https://app.example/callback";
pub const ISSUER: &str = "http://localhost:3000";
pub const SCOPE: &str = "openid email";
pub const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";

/// An app that people sign in to, as its server has it.
pub struct OtherApp<'a> {
    pub app: &'a TestApp,
    pub id: String,
    pub secret: String,
}

/// One that keeps a secret.
pub async fn other_app(app: &TestApp) -> OtherApp<'_> {
    other_app_with(app, |_| {}).await
}

pub async fn other_app_with(app: &TestApp, change: impl FnOnce(&mut Registration)) -> OtherApp<'_> {
    let mut said = Registration {
        name: Some("The Wiki".to_owned()),
        redirect_uris: Some(vec![CALLBACK.to_owned()]),
        scopes: Scopes::parse("openid email offline_access notes:read"),
        grant_types: Some(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]),
        authentication: Some(NewAuthentication::ClientSecret),
        ..Registration::default()
    };
    change(&mut said);
    let (id, secret) = clients::add(&app.state, said).await.unwrap();
    let secret = secret.map_or_else(String::new, |it| it.reveal().to_owned());
    OtherApp { app, id, secret }
}

pub fn challenge(verifier: &str) -> String {
    let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(digest)
}

/// The first value of a parameter of an address.
pub fn param(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

/// The claims of a token.
pub fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

impl OtherApp<'_> {
    /// What it usually asks, with these parameters in place of its own; an empty one is left out.
    pub fn query(&self, other: &[(&str, &str)]) -> String {
        let challenge = challenge(VERIFIER);
        let usual = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", CALLBACK),
            ("scope", SCOPE),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let is_usual = |name: &str| usual.iter().any(|(known, _)| *known == name);
        let replaced = usual.map(|(name, _)| {
            let value = other.iter().find(|(it, _)| *it == name);
            (
                name,
                value.map_or(value_of(&usual, name), |(_, value)| *value),
            )
        });
        let more = other.iter().filter(|(name, _)| !is_usual(name)).copied();
        let all: Vec<_> = replaced
            .into_iter()
            .chain(more)
            .filter(|(_, value)| !value.is_empty())
            .collect();
        encoded(&all)
    }

    /// Where its link leads.
    pub fn link(&self, other: &[(&str, &str)]) -> String {
        format!("/oauth2/authorize?{}", self.query(other))
    }

    /// The person says yes; the code.
    pub async fn allowed(&self, browser: &Browser, other: &[(&str, &str)]) -> String {
        let asked = browser.open(&self.link(other)).await;
        let page = asked.header("location").to_owned();
        assert!(page.starts_with("/consent?"), "{asked:?}");
        let request = page.split_once('?').unwrap().1;
        let form = [("request", request), ("decision", "allow")];
        let answer = browser.call("decide_authorization", &form).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let next = answer.json()["next"].as_str().unwrap().to_owned();
        code_of(&browser.open(&next).await)
    }

    /// Asks for tokens, showing its secret.
    pub async fn ask(&self, form: &[(&str, &str)]) -> Answer {
        let mut form = form.to_vec();
        form.push(("client_id", &self.id));
        if !self.secret.is_empty() {
            form.push(("client_secret", &self.secret));
        }
        self.post("/oauth2/token", &form).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let server = self.app.browser();
        server
            .send(with_form(server.request(Method::POST, path), form))
            .await
    }

    pub async fn redeem(&self, code: &str) -> Answer {
        self.redeem_with(code, CALLBACK, VERIFIER).await
    }

    pub async fn redeem_with(&self, code: &str, redirect_uri: &str, verifier: &str) -> Answer {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
        ];
        if !verifier.is_empty() {
            form.push(("code_verifier", verifier));
        }
        self.ask(&form).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.ask(&form).await
    }

    /// A person signs in to it; its tokens.
    pub async fn tokens(&self, browser: &Browser, other: &[(&str, &str)]) -> Value {
        let code = self.allowed(browser, other).await;
        let answer = self.redeem(&code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// Whether an access token is still good where Cloakroom is asked.
    pub async fn is_good(&self, access_token: &str) -> bool {
        self.userinfo(access_token).await.status == 200
    }

    pub async fn userinfo(&self, access_token: &str) -> Answer {
        let server = self.app.browser();
        let request = server
            .request(Method::GET, "/oauth2/userinfo")
            .header("authorization", format!("Bearer {access_token}"));
        server.send(request).await
    }
}

fn value_of<'a>(all: &[(&str, &'a str)], name: &str) -> &'a str {
    all.iter().find(|(it, _)| *it == name).unwrap().1
}

pub fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name}: {answer}"))
}

/// The code that a browser brings, and what comes with it.
pub fn code_of(answer: &Answer) -> String {
    let location = answer.header("location");
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(location.starts_with(CALLBACK), "{location}");
    assert_eq!(param(location, "state").as_deref(), Some("the state"));
    assert_eq!(param(location, "iss").as_deref(), Some(ISSUER));
    param(location, "code").unwrap_or_else(|| panic!("{location}"))
}

/// Whether a refusal says this.
pub fn assert_says(answer: &Answer, error: &str) {
    assert_eq!(answer.json()["error"], error, "{}", answer.body);
    assert_eq!(answer.status, 400, "{}", answer.body);
}

#[tokio::test]
async fn a_person_signs_in_to_another_app() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(100);
    let tokens = other.tokens(&browser, &[]).await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(tokens["scope"], SCOPE);
    let id_token = claims(text(&tokens, "id_token"));
    let now = app.state.clock.now_s();
    assert_eq!(id_token["iss"], ISSUER);
    assert_eq!(id_token["aud"], other.id.as_str());
    assert_eq!(id_token["nonce"], "the nonce");
    assert_eq!(id_token["auth_time"], now - 100);
    assert_eq!(
        (&id_token["iat"], &id_token["exp"]),
        (&now.into(), &(now + 300).into())
    );
    assert_eq!(id_token["amr"][0], "pwd");
    let sessions = browser.list_sessions().await;
    assert_eq!(id_token["sid"], sessions["sessions"][0]["id"]);
    let hash = digest::digest(&digest::SHA256, text(&tokens, "access_token").as_bytes());
    let half = BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]);
    assert_eq!(id_token["at_hash"], half.as_str());
    let said = other.userinfo(text(&tokens, "access_token")).await;
    assert_eq!(said.status, 200);
    assert_eq!(said.json()["sub"], id_token["sub"]);
    assert_eq!(said.json()["email"], EMAIL);
    let refreshed = other.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    assert!(other.is_good(text(&refreshed.json(), "access_token")).await);
}
