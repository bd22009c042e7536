//! What is around a page's content.

use crate::{api::sessions::SignOut, app::viewer::WhoIsSignedIn, wire::users::GoOn};
use leptos::{form::ActionForm, prelude::*};

/// The page's frame: the name, who is signed in, and the line at the foot.
#[component]
pub fn Page(children: Children) -> impl IntoView {
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <header class="top">
            <a class="brand" href="/">"Cloakroom"</a>
            <nav aria-label="Account">
                <Suspense>
                    {move || {
                        WhoIsSignedIn::here()
                            .show(|viewer| match viewer {
                                Some(_) => view! {
                                    <a href="/account">"Account"</a>
                                    <SignOutForm />
                                }
                                    .into_any(),
                                None => view! {
                                    <a href="/sign-in">"Sign in"</a>
                                    <a href="/sign-up">"Create an account"</a>
                                }
                                    .into_any(),
                            })
                    }}
                </Suspense>
            </nav>
        </header>
        <main id="main">{children()}</main>
        <Foot />
    }
}

/// One card and a way back, for pages where nothing else should draw the eye.
#[component]
pub fn Plain(children: Children) -> impl IntoView {
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <header class="top">
            <a class="brand" href="/">"Cloakroom"</a>
        </header>
        <main id="main" class="centred">
            <div class="card">{children()}</div>
            <p><a href="/">"Back to the start"</a></p>
        </main>
        <Foot />
    }
}

#[component]
fn Foot() -> impl IntoView {
    view! {
        <footer class="foot">
            <p>"The server keeps the coat. The browser keeps the ticket."</p>
        </footer>
    }
}

#[component]
fn SignOutForm() -> impl IntoView {
    let action = ServerAction::<SignOut>::new();
    go_on_when_done(move || action.value().get().and_then(Result::ok));
    view! {
        <ActionForm action=action>
            <button class="quiet" type="submit">"Sign out"</button>
        </ActionForm>
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
