//! A client's server, as its developers have it: it is told of endings and verifies what it is
//! told with nothing but what is published (OpenID Connect Back-Channel Logout, 2.6).

use super::{Id, Kind, Logout};
use crate::grants::{ISSUER, OtherApp};
use axum::{Router, extract, http::StatusCode, routing::post};
use cloakroom::server::clock::Clock;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// What the client sent along when it asked for its id token.
const NONCE: &str = "the nonce";

/// A port that is its own, before Cloakroom knows of it.
pub struct Listening(TcpListener);

/// A client's server that runs.
pub struct RelyingParty {
    url: String,
    knows: Knows,
    told: UnboundedReceiver<String>,
}

/// What it was set up with.
#[derive(Clone)]
struct Knows {
    /// Where Cloakroom's keys are.
    jwks: String,
    client_id: String,
    clock: Clock,
}

impl Listening {
    pub fn address(&self) -> String {
        format!("http://{}/logged-out", self.0.local_addr().unwrap())
    }

    pub fn serve(self, other: &OtherApp<'_>) -> RelyingParty {
        let knows = Knows {
            jwks: format!("{}/oauth2/jwks", other.app.url),
            client_id: other.id.clone(),
            clock: other.app.state.clock.clone(),
        };
        let (tell, told) = mpsc::unbounded_channel();
        let url = format!("http://{}", self.0.local_addr().unwrap());
        let server = Router::new()
            .route("/logged-out", post(logged_out))
            .with_state((knows.clone(), tell));
        tokio::spawn(async move { axum::serve(self.0, server).await });
        RelyingParty { url, knows, told }
    }
}

/// The address at which it is told.
async fn logged_out(
    extract::State((knows, tell)): extract::State<(Knows, UnboundedSender<String>)>,
    body: String,
) -> (StatusCode, &'static str) {
    let refused = (StatusCode::BAD_REQUEST, "no logout token");
    let mut form = form_urlencoded::parse(body.as_bytes());
    let Some((_, token)) = form.find(|(name, _)| name == "logout_token") else {
        return refused;
    };
    let is_typed = decode_header(&*token).is_ok_and(|it| it.typ.as_deref() == Some("logout+jwt"));
    let claims = knows.verified(&token).await;
    if !is_typed || !claims.is_some_and(|claims| is_logout(&claims)) {
        return refused;
    }
    // Nobody listens any more once a test has what it waited for.
    let _ = tell.send(token.into_owned());
    (StatusCode::OK, "signed out")
}

impl RelyingParty {
    pub async fn bind() -> Listening {
        Listening(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next logout token that it was sent and took.
    pub async fn told(&mut self) -> String {
        self.told.recv().await.unwrap()
    }

    /// For what it would take a token if its library looked at no type: at the signature, the
    /// issuer, the audience, the times, and the claims that each kind must and must not have.
    pub async fn by_claims_alone(&self, token: &str) -> Option<Kind> {
        let claims = self.knows.verified(token).await?;
        let is_id = claims["nonce"] == NONCE && claims["sub"].is_string();
        match (is_id, is_logout(&claims)) {
            (true, false) => Some(Id),
            (false, true) => Some(Logout),
            (false, false) => None,
            (true, true) => panic!("both: {claims}"),
        }
    }
}

/// Steps 4 to 6: about somebody or some session, of the one event, and never of a sign-in.
fn is_logout(claims: &Value) -> bool {
    (claims["sub"].is_string() || claims["sid"].is_string())
        && claims["events"][EVENT].is_object()
        && claims["jti"].is_string()
        && claims.get("nonce").is_none()
}

impl Knows {
    /// Steps 2 and 3, as for an id token: the claims of what Cloakroom signed for this client, with
    /// the algorithm that it is registered with, and whose time it is.
    async fn verified(&self, token: &str) -> Option<Value> {
        let header = decode_header(token).ok()?;
        let jwk = self.key(&header.kid?).await?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[&self.client_id]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "aud"]);
        // The library would ask the machine for the time.
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        let claims = decode::<Value>(token, &key, &validation).ok()?.claims;
        let now = self.clock.now_s();
        let is_of_now = claims["exp"].as_i64()? > now && claims["iat"].as_i64()? <= now;
        is_of_now.then_some(claims)
    }

    async fn key(&self, id: &str) -> Option<Jwk> {
        let answer = reqwest::get(&self.jwks).await.unwrap();
        let published: JwkSet = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        published.find(id).cloned()
    }
}
