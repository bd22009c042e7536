//! What is shown: pages and their parts, compiled for the server and for WASM.

#[cfg(feature = "ssr")]
mod document;
mod lazy;
mod pages;
mod parts;
mod viewer;
mod words;

#[cfg(feature = "ssr")]
pub use document::{SiteFiles, document, error_document, shell};
#[cfg(all(feature = "ssr", feature = "lab"))]
pub use pages::lab::lab_document;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

/// The app: every page of it on one screen. Pages are streamed in order, so that they are whole
/// without JavaScript. A lazy page is a file of its own in the download.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    viewer::provide();
    view! {
        <Title formatter=|page: String| format!("{page} · Cloakroom") />
        <Router>
            <Routes fallback=pages::NotFound>
                <Route path=path!("/") view={lazy::page::<pages::Home>()} ssr=SsrMode::InOrder />
                <Route path=path!("/sign-up") view={lazy::page::<pages::SignUp>()} ssr=SsrMode::InOrder />
                <Route path=path!("/sign-in") view=pages::SignIn ssr=SsrMode::InOrder />
                <Route path=path!("/proof") view={lazy::page::<pages::Proof>()} ssr=SsrMode::InOrder />
                <Route path=path!("/account") view={lazy::page::<pages::Account>()} ssr=SsrMode::InOrder />
                <Route path=path!("/account/sessions") view={lazy::page::<pages::Sessions>()} ssr=SsrMode::InOrder />
                <Route path=path!("/account/security") view={lazy::page::<pages::Security>()} ssr=SsrMode::InOrder />
                <Route path=path!("/account/apps") view={lazy::page::<pages::Apps>()} ssr=SsrMode::InOrder />
                <Route path=path!("/consent") view={lazy::page::<pages::Consent>()} ssr=SsrMode::InOrder />
                <Route path=path!("/account/keys") view={lazy::page::<pages::Keys>()} ssr=SsrMode::InOrder />
                <Route path=path!("/account/activity") view={lazy::page::<pages::Activity>()} ssr=SsrMode::InOrder />
                <ExampleRoutes />
            </Routes>
        </Router>
    }
}

/// The page of the worked example, `docs/build-on-it.md`.
#[cfg(feature = "lab")]
#[component(transparent)]
fn ExampleRoutes() -> impl leptos_router::MatchNestedRoutes + Clone {
    view! {
        <Route path=path!("/notes") view={lazy::page::<pages::Notes>()} ssr=SsrMode::InOrder />
    }
    .into_inner()
}

/// A release has none.
#[cfg(not(feature = "lab"))]
#[component(transparent)]
fn ExampleRoutes() -> impl leptos_router::MatchNestedRoutes + Clone {
    leptos_router::any_nested_route::IntoAnyNestedRoute::into_any_nested_route(())
}
