//! Every route and every layer, in order, on one screen.

use super::{
    answer, caller, cookie_check, documents, doors, forms, forward_auth, headers, health, oidc,
    opener, state::State, v1, walls,
};
use crate::{
    app,
    wire::{self, documents::Document},
};
use axum::{
    Router,
    extract::{Request, State as Extract},
    middleware::{self, Next},
    response::{Redirect, Response},
    routing::{any, get},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode, header};
use leptos_axum::{
    AxumRouteListing, LeptosRoutes, generate_route_list, render_app_to_stream_in_order_with_context,
};
use std::{
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tower_http::{
    catch_panic::CatchPanicLayer, csrf::CsrfLayer, services::ServeDir, timeout::TimeoutLayer,
};

/// The pages, as the app itself lists them: once a process, before any is rendered. While the list
/// is made no page of the process gets its data, and one that asks just then waits for ever.
static PAGES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();

/// The whole server but its socket.
pub fn router(state: State) -> Router {
    let provided = state.clone();
    let context = move || doors::provide(&provided);
    let files = Arc::new(app::SiteFiles::find(&state.leptos));
    let error_page: answer::ErrorPage = {
        let files = Arc::clone(&files);
        Arc::new(move |error| app::error_document(&files.current(), error))
    };
    let pages: documents::Pages = {
        let files = Arc::clone(&files);
        Arc::new(move |document| app::document(&files.current(), document))
    };
    let shell = move || app::shell(&files.current());

    // What knows who calls: pages and server functions.
    let not_found = render_app_to_stream_in_order_with_context(context.clone(), shell.clone());
    let pages_of_app = PAGES.get_or_init(|| generate_route_list(app::App)).clone();
    let people = Router::new()
        .leptos_routes_with_context(&state, pages_of_app, context, shell)
        .route("/api/{*function}", any(no_function))
        .route("/api/", any(no_function))
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(state.clone(), by_kind))
        .route("/signed-in", get(cookie_check::check))
        .merge(forward_auth::routes())
        .merge(oidc::authorize::routes())
        .merge(oidc::logout::routes())
        .layer(middleware::from_fn_with_state(state.clone(), opener::keep))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            caller::identify,
        ))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            forms::read_whole,
        ));

    // What is the same for everybody: no session is needed, none is looked at.
    Router::new()
        .merge(site_files(&state))
        .merge(health::routes())
        .route("/developers", get(developers))
        .route(
            "/.well-known/change-password",
            get(async || Redirect::to("/account/security")),
        )
        .merge(people)
        .layer(middleware::from_fn_with_state(
            state.clone(),
            walls::same_site_only,
        ))
        .layer(CsrfLayer::new())
        // What programs ask, from any site: no cookie is looked at, and no browser shows a key by
        // itself, so that nothing has to be said about other sites.
        .merge(oidc::routes())
        .merge(v1::routes(&state))
        .layer(middleware::from_fn(walls::plain_requests))
        // A proxy asks with the path, the method and the site of another app's request.
        .merge(forward_auth::checks(&state))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(u64::from(state.config.server.request_timeout_s)),
        ))
        .layer(CatchPanicLayer::custom(broken))
        .layer(middleware::from_fn_with_state(pages, documents::finish))
        .layer(middleware::from_fn_with_state(error_page, answer::finish))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            headers::write,
        ))
        .with_state(state)
}

/// The API for programs, for the people who write them.
async fn developers() -> Response {
    documents::show(StatusCode::OK, Document::Developers(v1::reference()))
}

async fn no_function() -> Response {
    answer::refuse(wire::Error::NotFound)
}

/// Server functions and pages each have a layer of their own.
async fn by_kind(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") {
        return forms::around_functions(Extract(state), request, next).await;
    }
    if request.method() == http::Method::POST {
        return answer::refuse(wire::Error::MethodNotAllowed);
    }
    let guarded = match forms::take_returned(request) {
        Ok(request) => doors::guard_pages(request).await,
        Err(elsewhere) => Err(elsewhere),
    };
    match guarded {
        Ok(request) => next.run(request).await,
        Err(elsewhere) => *elsewhere,
    }
}

/// The built files, and those outside their folder that pages name.
fn site_files(state: &State) -> Router<State> {
    let site = Path::new(&*state.leptos.site_root);
    let folder = state.leptos.site_pkg_dir.trim_matches('/');
    let built = ServeDir::new(site.join(folder))
        .precompressed_br()
        .precompressed_gzip();
    let plain = ServeDir::new(site).append_index_html_on_directories(false);
    Router::new()
        .nest_service(&format!("/{folder}"), built)
        .layer(middleware::from_fn(keep_built))
        .merge(
            Router::new()
                .route_service("/favicon.svg", plain.clone())
                .route_service("/icon.svg", plain.clone())
                // Browsers ask for these without being told to.
                .route_service("/favicon.ico", plain.clone())
                .route_service("/apple-touch-icon.png", plain.clone())
                .layer(middleware::from_fn_with_state(
                    "public, max-age=86400",
                    keep_found,
                )),
        )
        .merge(
            Router::new()
                .route_service("/proof.js", plain.clone())
                .route_service("/session.css", plain.clone())
                .route_service("/session.js", plain.clone())
                .route_service("/session-dialog.js", plain)
                .layer(middleware::from_fn_with_state(
                    "public, no-cache",
                    keep_found,
                )),
        )
}

/// Lets browsers keep a built file for ever if its name has a hash; they ask again for any other.
async fn keep_built(request: Request, next: Next) -> Response {
    let lasting = if has_hash(request.uri().path()) {
        "public, max-age=31536000, immutable"
    } else {
        "public, no-cache"
    };
    keep_found(Extract(lasting), request, next).await
}

/// Whether cargo-leptos put a hash before the extension: 16 bytes in base64url.
fn has_hash(path: &str) -> bool {
    path.rsplit('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .is_some_and(|hash| hash.len() == 16)
}

/// Says how long a file may be kept, where there is one.
async fn keep_found(
    Extract(lasting): Extract<&'static str>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static(lasting));
    }
    response
}

/// The last resort: a panic is a 500 like any other (ASVS 16.5.4).
fn broken(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    // The panic hook has printed what and where.
    answer::refuse(wire::Error::Unexpected {
        id: "panic".to_owned(),
    })
}
