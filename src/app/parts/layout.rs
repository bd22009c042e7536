//! What is around a page's content.

use crate::{
    api::sessions::SignOut,
    app::{
        parts::{
            failure::Failure,
            form::{Progress, at_work, follow},
            server_form::Form,
        },
        viewer::WhoIsSignedIn,
    },
    wire::users::GoOn,
};
use leptos::prelude::*;

/// The name, who is signed in, the page's own `<main>`, and the line at the foot.
#[component]
pub fn Page(children: Children) -> impl IntoView {
    let sign_out = ServerAction::<SignOut>::new();
    let Progress { error, pending, .. } = follow(sign_out, "sign_out");
    view! {
        <Top>
            <nav aria-label="Main">
                <Suspense>
                    {move || {
                        WhoIsSignedIn::here()
                            .show(|viewer| {
                                if viewer.is_some() {
                                    view! { <SignedInLinks action=sign_out pending=pending /> }
                                        .into_any()
                                } else {
                                    view! { <SignedOutLinks /> }.into_any()
                                }
                            })
                    }}
                </Suspense>
            </nav>
        </Top>
        <div class="wrap">
            <Failure what="Signing out failed: you may still be signed in here." error=error />
        </div>
        {children()}
        <Foot />
    }
}

/// One card and a way back, for pages where nothing else should draw the eye.
#[component]
pub fn Lone(
    /// The card.
    children: Children,
    /// What stands under it.
    below: Children,
) -> impl IntoView {
    view! {
        <Top />
        <main id="main" class="lone" tabindex="-1">
            <div class="card">{children()}</div>
            <p>{below()}</p>
            <p>
                <a href="/">"Back to the start"</a>
            </p>
        </main>
        <Foot />
    }
}

/// One sentence and one way on, for what went astray.
#[component]
pub fn Stray(
    /// What happened.
    #[prop(into)]
    what: String,
    /// What to do, or to know.
    #[prop(into)]
    then: String,
) -> impl IntoView {
    view! {
        <Top />
        <main id="main" class="wrap stray" tabindex="-1">
            <h1>{what}</h1>
            <p class="quiet">{then}</p>
            <a class="btn primary" href="/">
                "Go to the start"
            </a>
        </main>
        <Foot />
    }
}

/// The name, and what can be reached from anywhere.
#[component]
pub fn Top(
    /// What stands beside the name.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        // The router would scroll there and leave the focus behind.
        <a class="skip" href="#main" rel="external">
            "Skip to the content"
        </a>
        <header class="top">
            <div class="wrap">
                <a class="brand" href="/">
                    <svg viewBox="0 0 30 20" aria-hidden="true">
                        <path
                            fill-rule="evenodd"
                            d="M2 0h25a3 3 0 0 1 3 3v4a3 3 0 0 0 0 6v4a3 3 0 0 1-3 3H2v-2a2 2 0 0 0 0-4v-2a2 2 0 0 0 0-4V6a2 2 0 0 0 0-4zM16 3.5a3.2 3.2 0 0 0-1.6 5.970L12.8 15a.6.6 0 0 0 .58.8h5.240a.6.6 0 0 0 .58-.8l-1.6-5.530A3.2 3.2 0 0 0 16 3.5z"
                        />
                    </svg>
                    "Cloakroom"
                </a>
                {children.map(|children| children())}
            </div>
        </header>
    }
}

/// The line at the foot.
#[component]
pub fn Foot() -> impl IntoView {
    view! {
        <footer class="foot">
            <p>"The server keeps the coat. The browser keeps the ticket."</p>
        </footer>
    }
}

#[component]
fn SignedOutLinks() -> impl IntoView {
    view! {
        <ul role="list">
            <li>
                <a href="/sign-in">"Sign in"</a>
            </li>
        </ul>
    }
}

#[component]
fn SignedInLinks(action: ServerAction<SignOut>, pending: Signal<bool>) -> impl IntoView {
    view! {
        <ul role="list">
            <li>
                <a href="/account" rel="external">
                    "Account"
                </a>
            </li>
            <li>
                <Form action=action>
                    <button
                        class="btn"
                        type="submit"
                        aria-disabled=move || at_work(pending)
                        aria-busy=move || at_work(pending)
                    >
                        "Sign out"
                    </button>
                </Form>
            </li>
        </ul>
    }
}

/// A change of who is signed in loads the next page anew: nothing of the person before stays in
/// the page's memory.
pub fn go_on_when_done(done: impl Fn() -> Option<GoOn> + 'static) {
    Effect::new(move |_| {
        if let Some(GoOn { next }) = done() {
            // A page that cannot navigate stays; the change itself is done.
            let _ = window().location().assign(&next);
        }
    });
}
