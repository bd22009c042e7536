//! What the pages of an account share.

use crate::{
    app::{
        parts::{
            layout::Page,
            time::{Shown, Time},
        },
        viewer::WhoIsSignedIn,
        words,
    },
    wire::Error,
};
use leptos::prelude::*;

/// The pages, and what they are called.
const PAGES: [(&str, &str); 6] = [
    ("/account", "Overview"),
    ("/account/sessions", "Devices"),
    ("/account/security", "Security"),
    ("/account/apps", "Connected apps"),
    ("/account/keys", "API keys"),
    ("/account/activity", "Activity"),
];

/// A page of the account: the others beside it, and what its owner must know above all.
#[component]
pub fn AccountPage(
    /// Its path.
    path: &'static str,
    /// What it is called.
    title: &'static str,
    children: Children,
) -> impl IntoView {
    let links = PAGES
        .into_iter()
        .map(|(to, name)| {
            // The overview is loaded anew: what it says of who is signed in is asked for once.
            let rel = (to == "/account").then_some("external");
            view! {
                <li>
                    <a href=to rel=rel aria-current=(to == path).then_some("page")>
                        {name}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <Page>
            <div class="wrap account">
                <nav class="side" aria-label="Account">
                    <ul role="list">{links}</ul>
                </nav>
                <main id="main" class="content" tabindex="-1">
                    <h1>{title}</h1>
                    <Suspense>
                        {move || {
                            WhoIsSignedIn::here()
                                .show(|viewer| {
                                    viewer
                                        .and_then(|viewer| viewer.session.copied_at)
                                        .map(|at| view! { <Copied at=at /> })
                                })
                        }}
                    </Suspense>
                    {children()}
                </main>
            </div>
        </Page>
    }
}

/// Somebody had a copy of a cookie: told in the session that was started next.
#[component]
fn Copied(at: i64) -> impl IntoView {
    view! {
        <div class="notice danger">
            <p>
                "A copy of your sign-in may have been used on " <Time at=at shown=Shown::Exact />
                ". The device that it was made from was signed out, and so was the copy."
            </p>
            <p>
                "Another person may have had access to that device. "
                <a href="/account/security">"Change your password"</a>
                " if you cannot explain it."
            </p>
        </div>
    }
}

/// Why there is nothing to show, and what to do.
pub fn instead(error: &Error, path: &'static str) -> impl IntoView + use<> {
    let sign_in = format!("/sign-in?next={path}");
    let is_signed_out = *error == Error::SignInNeeded;
    view! {
        <div class="notice danger" role="alert">
            <p>{words::what_happened(error)}</p>
            {is_signed_out
                .then(|| {
                    view! {
                        <p>
                            <a href=sign_in rel="external">
                                "Sign in"
                            </a>
                        </p>
                    }
                })}
        </div>
    }
}

/// Whose password is asked for: for password managers, and for judging a new one.
#[component]
pub fn Whose() -> impl IntoView {
    view! {
        <Suspense>
            {move || {
                WhoIsSignedIn::here()
                    .show(|viewer| {
                        viewer
                            .map(|viewer| {
                                view! {
                                    <input
                                        id="email"
                                        type="text"
                                        value=viewer.email
                                        autocomplete="username"
                                        readonly
                                        hidden
                                    />
                                }
                            })
                    })
            }}
        </Suspense>
    }
}
