//! The window that opened a page. An app may sign its users in from a popup, which hands the result
//! back by `window.opener`; `Cross-Origin-Opener-Policy: same-origin` on any response on the way,
//! redirects included, cuts the two apart. Pages that serve a client's request keep the opener, and
//! only those: elsewhere it is one more thing that another site could use.

use super::{cookie_check, doors, forms, headers::KeepsOpener, oidc, state::State};
use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::Response,
};
use std::borrow::Cow;

/// Layer around what a browser asks with its cookie.
pub async fn keep(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    // The answer to a form belongs to the page that it stood on. A server function's form names its
    // page (`forms`).
    let page = if uri.path() == oidc::logout::CONFIRMED {
        forms::came_from(request.headers())
    } else {
        uri.path_and_query().map(ToString::to_string)
    };
    let is_kept = match page {
        Some(page) => serves_client(&state, &page).await,
        None => false,
    };
    let mut response = next.run(request).await;
    if is_kept {
        response.extensions_mut().insert(KeepsOpener);
    }
    response
}

/// Whether this page of ours serves a request of a registered client.
pub async fn serves_client(state: &State, page: &str) -> bool {
    let Some((path, query)) = page.split_once('?') else {
        return false;
    };
    let (path, query) = match path {
        "/sign-in" | "/sign-up" | cookie_check::PATH => {
            let next = doors::sign_in_query(query).next;
            match next.as_deref().and_then(|next| next.split_once('?')) {
                Some((path, query)) => (Cow::from(path.to_owned()), Cow::from(query.to_owned())),
                None => return false,
            }
        }
        _ => (Cow::from(path), Cow::from(query)),
    };
    match &*path {
        oidc::authorize::PATH | oidc::consent::PATH => oidc::is_of_client(state, &query).await,
        oidc::logout::PATH => oidc::logout::is_of_client(state, &query).await,
        _ => false,
    }
}
