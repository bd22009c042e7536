//! The provider, as programs see it: through HTTP, with clients that are registered as the
//! operator's commands register them.

mod assertions;
mod authentication;
mod discovery;
mod from_pages;
mod keys;
mod operator;
mod tokens;

use crate::app::{Answer, TestApp, with_form};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use cloakroom::server::{
    clients::{self, GrantType, NewAuthentication, Registration},
    oidc::scopes::Scopes,
};
use reqwest::Method;
use serde_json::{Value, json};

pub const ISSUER: &str = "http://localhost:3000";
pub const AUDIENCE: &str = "https://api.example";
pub const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// A client as its developer has it.
pub struct Service {
    pub id: String,
    pub secret: String,
}

impl Service {
    /// The header of `client_secret_basic`.
    pub fn basic(&self) -> String {
        basic(&self.id, &self.secret)
    }
}

pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

/// What an operator says of a service that asks for itself.
pub fn registration(authentication: NewAuthentication) -> Registration {
    Registration {
        name: Some("Orders".to_owned()),
        scopes: Scopes::parse("openid orders:read orders:write"),
        grant_types: Some(vec![GrantType::ClientCredentials]),
        audience: Some(AUDIENCE.to_owned()),
        authentication: Some(authentication),
        ..Registration::default()
    }
}

/// One with a secret.
pub async fn service(app: &TestApp) -> Service {
    service_with(app, |_| {}).await
}

pub async fn service_with(app: &TestApp, change: impl FnOnce(&mut Registration)) -> Service {
    let mut said = registration(NewAuthentication::ClientSecret);
    change(&mut said);
    let (id, secret) = clients::add(&app.state, said).await.unwrap();
    let secret = secret.unwrap().reveal().to_owned();
    Service { id, secret }
}

/// A client's request, from no browser.
pub async fn ask(
    app: &TestApp,
    path: &str,
    authorization: Option<&str>,
    form: &[(&str, &str)],
) -> Answer {
    let browser = app.browser();
    let mut request = browser.request(Method::POST, path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    browser.send(with_form(request, form)).await
}

/// A token for the service itself.
pub async fn token(app: &TestApp, service: &Service) -> String {
    let answer = ask(app, "/oauth2/token", Some(&service.basic()), &[GRANT]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// Whether a token is good, as a client is told.
pub async fn is_active(app: &TestApp, service: &Service, token: &str) -> bool {
    let form = [("token", token)];
    let answer = ask(app, "/oauth2/introspect", Some(&service.basic()), &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["active"].as_bool().unwrap()
}

pub async fn jwks(app: &TestApp) -> Vec<Value> {
    let browser = app.browser();
    let answer = browser.open("/oauth2/jwks").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["keys"].as_array().unwrap().clone()
}

/// One part of a token.
pub fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn encode(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap())
}

/// A sentence for the client's developer, of the letters that it may have (RFC 6749, 5.2).
pub fn assert_described(description: &str, what: &str) {
    let may = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(description.len() > 10, "{what}: {description:?}");
    assert!(description.bytes().all(may), "{what}: {description:?}");
}

/// A refusal in OAuth's words, which nobody keeps.
pub fn assert_refused(answer: &Answer, status: u16, code: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    let body = answer.json();
    assert_eq!(body["error"], code, "{what}");
    assert_described(body["error_description"].as_str().unwrap(), what);
    assert_eq!(body.as_object().unwrap().len(), 2, "{what}");
    assert_eq!(
        answer.header("cache-control"),
        "no-store, no-transform",
        "{what}"
    );
    assert!(answer.set_cookies().is_empty(), "{what}");
    if status == 401 {
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Basic realm="), "{what}: {challenge}");
    }
}

/// A key pair of somebody's, for ES256.
pub struct Keys(EcdsaKeyPair);

impl Keys {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The public part.
    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let half = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256",
                "x": half(&point[1..33]), "y": half(&point[33..]) })
    }

    /// The public part as those have it who confuse it with a secret.
    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}
