//! The service of both clients: Cloakroom's own router, and beside it the lab's page, client A's
//! routes, and what no script in a browser can play.

use super::{
    super::{cookie, headers as usual, notes, router::router as cloakroom},
    Lab,
    pocket::{Client, Source},
    record::{self, Entry, run_of},
    refuse, sites, tokens,
};
use crate::{app, wire::notes::Note};
use axum::{
    Form, Json, Router,
    extract::{Query, Request, State as Extract, rejection::FormRejection},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tower_http::csrf::CsrfLayer;

/// The whole of it.
pub fn router(lab: Lab) -> Router {
    let files = Arc::new(app::SiteFiles::find(&lab.state.leptos));
    let page = {
        let lab = lab.clone();
        get(async move || {
            let (other, sibling) = (&lab.sites.other, &lab.sites.sibling);
            Html(app::lab_document(&files.current(), other, sibling))
        })
    };
    let origins: Arc<[String]> = Arc::new([lab.sites.victim.clone()]);
    // What is not an attack is asked for by the lab's own page alone.
    let staged = Router::new()
        .route("/lab/record", get(list_record))
        .route("/lab/copy", post(copy))
        .route("/lab/plant", post(plant))
        .layer(CsrfLayer::new());
    Router::new()
        .route("/lab", page)
        .route("/lab/lab.js", get(async || file("text/javascript", SCRIPT)))
        .route("/lab/lab.css", get(async || file("text/css", STYLE)))
        .route("/lab/tokens", post(sign_in))
        .route("/lab/notes", get(list_notes).post(write_note))
        .merge(staged)
        .layer(middleware::from_fn_with_state(
            lab.state.clone(),
            usual::write,
        ))
        .layer(middleware::from_fn_with_state(policy(&lab), relax))
        .fallback_service(cloakroom(lab.state.clone()))
        .layer(middleware::from_fn_with_state(lab.clone(), record::keep))
        .layer(middleware::from_fn_with_state(origins, sites::only_as))
        .with_state(lab)
}

const SCRIPT: &str = include_str!("lab.js");
const STYLE: &str = include_str!("lab.css");

/// A file of the lab's.
pub fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// The lab's content security policy. The one of every other page would keep the injected script
/// out, and would keep it from sending what it found: that is off here, so that what the cookie
/// does alone is seen.
fn policy(lab: &Lab) -> String {
    let (other, sibling) = (&lab.sites.other, &lab.sites.sibling);
    format!(
        "default-src 'none'; script-src 'self' {other}; style-src 'self'; \
         img-src 'self' data: {other}; connect-src 'self' {other}; \
         frame-src {other} {sibling}; form-action 'self' {other}; base-uri 'none'; \
         object-src 'none'; frame-ancestors 'none'"
    )
}

/// The layer that puts it in place of the usual one.
async fn relax(Extract(policy): Extract<String>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(policy) = HeaderValue::try_from(policy) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The fields of signing in.
#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
}

/// `POST /lab/tokens`: signing in to A.
async fn sign_in(
    Extract(lab): Extract<Lab>,
    Form(typed): Form<SignIn>,
) -> Result<Json<tokens::Issued>, StatusCode> {
    let issued = lab.tokens.issue(&lab.state, &typed.email, typed.password);
    issued.await.map(Json).map_err(refuse)
}

/// `GET /lab/notes`: A's notes.
async fn list_notes(
    Extract(lab): Extract<Lab>,
    headers: HeaderMap,
) -> Result<Json<Vec<Note>>, StatusCode> {
    let user_id = user_of_a(&lab, &headers)?;
    let listed = notes::list(&lab.state, &user_id).await;
    listed.map(Json).map_err(refuse)
}

/// The text of a new note.
#[derive(Deserialize)]
struct NewNote {
    text: String,
}

/// `POST /lab/notes`: A writes one.
async fn write_note(
    Extract(lab): Extract<Lab>,
    headers: HeaderMap,
    typed: Result<Form<NewNote>, FormRejection>,
) -> Result<Json<Note>, StatusCode> {
    let user_id = user_of_a(&lab, &headers)?;
    let Form(NewNote { text }) = typed.map_err(|error| error.status())?;
    let written = notes::write(&lab.state, &user_id, &text).await;
    written.map(Json).map_err(refuse)
}

/// Whose the request is, to A: whoever shows a token.
fn user_of_a(lab: &Lab, headers: &HeaderMap) -> Result<String, StatusCode> {
    let user_id = lab.tokens.bearer(headers, &lab.state.clock);
    user_id.ok_or(StatusCode::UNAUTHORIZED)
}

/// Which part of the record.
#[derive(Deserialize)]
struct Part {
    #[serde(rename = "of")]
    run: String,
    after: u64,
}

/// A part of the record, and the time it was read at.
#[derive(Serialize)]
struct Listed {
    entries: Vec<Entry>,
    /// In Unix milliseconds.
    now_ms: i64,
}

/// `GET /lab/record`: what was asked in a run, after this entry.
async fn list_record(Extract(lab): Extract<Lab>, Query(part): Query<Part>) -> Json<Listed> {
    Json(Listed {
        entries: lab.record.after(&part.run, part.after),
        now_ms: lab.state.clock.now_ms(),
    })
}

/// `POST /lab/copy`: malware that reads the disk. The browser keeps there what this request
/// carries, the cookie that no script can read included.
async fn copy(Extract(lab): Extract<Lab>, uri: Uri, headers: HeaderMap) -> StatusCode {
    let Some(run) = run_of(&uri) else {
        return StatusCode::BAD_REQUEST;
    };
    if let Some(token) = tokens::in_header(&headers) {
        lab.pockets
            .put(&run, Source::Disk, Client::A, token.to_owned());
    }
    let cookies = headers.get(header::COOKIE);
    if let Some(cookies) = cookies.and_then(|cookies| cookies.to_str().ok()) {
        lab.pockets
            .put(&run, Source::Disk, Client::B, cookies.to_owned());
    }
    StatusCode::NO_CONTENT
}

/// What a client of A's that was planted with it keeps.
#[derive(Serialize)]
struct Planted {
    access_token: Option<String>,
}

/// `POST /lab/plant`: a hole by which the attacker puts his own token and cookie into the victim's
/// browser, which as a rule would not let him.
async fn plant(Extract(lab): Extract<Lab>, uri: Uri) -> Response {
    let own = |client| lab.pockets.get(&run_of(&uri)?, Source::Own, client);
    let access_token = own(Client::A);
    let mut response = Json(Planted { access_token }).into_response();
    let names = &lab.state.cookie_names;
    let prefix = format!("{}=", names.session);
    let session = own(Client::B);
    if let Some(token) = session.as_deref().and_then(|it| it.strip_prefix(&prefix)) {
        let cookies = cookie::SetCookies::default();
        cookies.start_session(token, None);
        cookies.write(names, &mut response);
    }
    response
}
