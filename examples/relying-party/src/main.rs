//! An app that people sign in to through Cloakroom, as a back end for its front end: the pattern of
//! "OAuth 2.0 for Browser-Based Applications". Tokens stay in this server. Its browser gets a cookie
//! that no script can read, and which means nothing to anybody else.

use axum::{
    Router,
    extract::{Query, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, TokenResponse,
    core::{
        CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
        CoreUserInfoClaims,
    },
    reqwest,
};
use std::{
    collections::HashMap,
    env,
    sync::{Arc, Mutex, PoisonError},
};

type Broken = Box<dyn std::error::Error + Send + Sync>;
/// What the library knows of Cloakroom: its endpoints are read when this server starts.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

const COOKIE: &str = "wiki";

struct App {
    issuer: IssuerUrl,
    client: Client,
    http: reqwest::Client,
    /// By the cookie's value. A real app keeps them in its database.
    sessions: Mutex<HashMap<String, Session>>,
}

enum Session {
    /// Somebody has been sent to Cloakroom: what the answer must fit.
    Sent {
        state: CsrfToken,
        nonce: Nonce,
        verifier: PkceCodeVerifier,
    },
    /// Somebody is signed in.
    SignedIn {
        email: String,
        refresh: Option<RefreshToken>,
    },
}

#[tokio::main]
async fn main() -> Result<(), Broken> {
    let set = |name: &str| env::var(name).map_err(|_| format!("{name} is not set"));
    let address = env::var("ADDRESS").unwrap_or("127.0.0.1:4000".to_owned());
    let url = env::var("URL").unwrap_or(format!("http://{address}"));
    // Whoever follows redirects here could be led anywhere.
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let issuer = IssuerUrl::new(set("ISSUER")?)?;
    let metadata = CoreProviderMetadata::discover_async(issuer.clone(), &http).await?;
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(set("CLIENT_ID")?),
        Some(ClientSecret::new(set("CLIENT_SECRET")?)),
    )
    .set_redirect_uri(RedirectUrl::new(format!("{url}/callback"))?);
    let app = Arc::new(App {
        issuer,
        client,
        http,
        sessions: Mutex::default(),
    });
    let router = Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/callback", get(callback))
        // What changes something is a POST, which no other site's page sends with a `Lax` cookie.
        .route("/refresh", post(refresh))
        .route("/sign-out", post(sign_out))
        .with_state(app);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on {url}");
    axum::serve(listener, router).await?;
    Ok(())
}

impl App {
    /// Takes the session of this browser out, if it has one.
    fn take(&self, headers: &axum::http::HeaderMap) -> Option<Session> {
        let cookies = headers.get("cookie")?.to_str().ok()?;
        let mut cookies = cookies
            .split(';')
            .filter_map(|it| it.trim().split_once('='));
        let (_, id) = cookies.find(|(name, _)| *name == COOKIE)?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(id)
    }

    /// Keeps a session, under a new id each time: one that somebody planted never becomes theirs.
    fn keep(&self, session: Session, answer: impl IntoResponse) -> Response {
        let id = CsrfToken::new_random().into_secret();
        let cookie = format!("{COOKIE}={id}; HttpOnly; SameSite=Lax; Path=/");
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(id, session);
        // Over https, add `Secure` and call it `__Host-wiki`.
        ([("set-cookie", cookie)], answer).into_response()
    }
}

async fn home(State(app): State<Arc<App>>, headers: axum::http::HeaderMap) -> Response {
    match app.take(&headers) {
        Some(Session::SignedIn { email, refresh }) => {
            let page = page(
                &format!("Hello {email}"),
                "<form method=post action=/refresh><button>Ask Cloakroom again</button></form>\
                 <form method=post action=/sign-out><button>Sign out here</button></form>",
            );
            app.keep(Session::SignedIn { email, refresh }, page)
        }
        _ => page("Nobody is signed in", "<a href=/sign-in>Sign in</a>").into_response(),
    }
}

/// Sends the browser to Cloakroom, with a challenge whose answer stays here (PKCE).
async fn sign_in(State(app): State<Arc<App>>) -> Response {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = app
        .client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("email".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let sent = Session::Sent {
        state,
        nonce,
        verifier,
    };
    app.keep(sent, Redirect::to(url.as_str()))
}

/// The browser is back.
async fn callback(
    State(app): State<Arc<App>>,
    headers: axum::http::HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(Session::Sent {
        state,
        nonce,
        verifier,
    }) = app.take(&headers)
    else {
        return page("That was not asked for", "<a href=/>Go on</a>").into_response();
    };
    // An answer to somebody else's question signs nobody in, nor does another provider's (RFC 9207).
    let issuer = query.get("iss").map(String::as_str);
    if query.get("state") != Some(state.secret()) || issuer != Some(app.issuer.as_str()) {
        return page("That was not asked for", "<a href=/>Go on</a>").into_response();
    }
    let Some(code) = query.get("code") else {
        return page("You said no", "<a href=/>Go on</a>").into_response();
    };
    match redeem(&app, code.clone(), verifier, &nonce).await {
        Ok(signed_in) => app.keep(signed_in, Redirect::to("/")),
        Err(error) => {
            eprintln!("not signed in: {error}");
            page("That did not work", "<a href=/>Go on</a>").into_response()
        }
    }
}

/// Buys the tokens, and reads in them who it is.
async fn redeem(
    app: &App,
    code: String,
    verifier: PkceCodeVerifier,
    nonce: &Nonce,
) -> Result<Session, Broken> {
    let tokens = app
        .client
        .exchange_code(AuthorizationCode::new(code))?
        .set_pkce_verifier(verifier)
        .request_async(&app.http)
        .await?;
    let id_token = tokens.id_token().ok_or("there is no id token")?;
    let verifier = app
        .client
        .id_token_verifier()
        .set_allowed_algs([CoreJwsSigningAlgorithm::EcdsaP256Sha256]);
    let subject = id_token.claims(&verifier, nonce)?.subject().clone();
    let about: CoreUserInfoClaims = app
        .client
        .user_info(tokens.access_token().clone(), Some(subject))?
        .request_async(&app.http)
        .await?;
    Ok(Session::SignedIn {
        email: about.email().ok_or("there is no address")?.to_string(),
        refresh: tokens.refresh_token().cloned(),
    })
}

/// New tokens for the one that refreshes: refused once the person has taken it back.
async fn refresh(State(app): State<Arc<App>>, headers: axum::http::HeaderMap) -> Response {
    let Some(Session::SignedIn {
        email,
        refresh: Some(token),
    }) = app.take(&headers)
    else {
        return Redirect::to("/").into_response();
    };
    let asked = match app.client.exchange_refresh_token(&token) {
        Ok(request) => request.request_async(&app.http).await,
        Err(error) => {
            eprintln!("not refreshed: {error}");
            return Redirect::to("/").into_response();
        }
    };
    match asked {
        Ok(tokens) => {
            let refresh = tokens.refresh_token().cloned();
            app.keep(Session::SignedIn { email, refresh }, Redirect::to("/"))
        }
        Err(error) => {
            eprintln!("not refreshed: {error}");
            page("Cloakroom says no: sign in again", "<a href=/>Go on</a>").into_response()
        }
    }
}

async fn sign_out(State(app): State<Arc<App>>, headers: axum::http::HeaderMap) -> Redirect {
    app.take(&headers);
    Redirect::to("/")
}

fn page(title: &str, rest: &str) -> Html<String> {
    // An address is the one thing of somebody else's making in here.
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    Html(format!(
        "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>The Wiki</title>\
         <h1>{title}</h1>{rest}"
    ))
}
