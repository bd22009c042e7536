//! `/`.

use crate::app::{
    lazy::LazyPage,
    parts::{drawing::Drawing, layout::Page},
    viewer::WhoIsSignedIn,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};

// In words of our own: the built files name no storage.
const STORAGE: &str = "Token in local storage";
const COOKIE: &str = "HttpOnly cookie";

/// What happens next, for a token that scripts can read and for a cookie that they cannot.
const COMPARED: [(&str, &str, &str); 4] = [
    (
        "A script is injected",
        "It reads the token and sends it away. Whoever has it can use it from anywhere, long \
         after you have closed the page.",
        "It cannot read the cookie. It can still act as you while the page is open; it leaves \
         with nothing.",
    ),
    (
        "The password changes",
        "A token that carries its own proof stays good until it expires, unless the server keeps \
         a list.",
        "The server can end every other session at once. Their next request is refused.",
    ),
    (
        "You sign out",
        "The page forgets its copy. Any other copy works until it expires.",
        "The server ends the session. Every copy of the cookie is refused from then on.",
    ),
    (
        "The token is copied",
        "Any script in the page can copy it, and so can anyone with the device. All copies work, \
         and there is often nothing to end.",
        "No script can copy it; someone with the device still can. Ending the session on the \
         server stops every copy.",
    ),
];

/// What this is, in plain words.
pub struct Home {
    is_signed_out: bool,
}

#[cfg_attr(split, leptos_router::lazy_route)]
impl LazyPage for Home {
    fn data() -> Self {
        Self {
            is_signed_out: use_query_map()
                .with_untracked(|query| query.get("done").is_some_and(|done| done == "signed_out")),
        }
    }

    fn view(this: Self) -> AnyView {
        let Home { is_signed_out } = this;
        view! {
            <Title text="Your sign-in, kept safe" />
            <Page>
                <main id="main" class="wrap home" tabindex="-1">
                    <div role="status" aria-live="polite">
                        <Suspense>
                            {move || {
                                WhoIsSignedIn::here()
                                    .show(|viewer| {
                                        (is_signed_out && viewer.is_none())
                                            .then(|| {
                                                view! { <p class="notice ok">"You are signed out."</p> }
                                            })
                                    })
                            }}
                        </Suspense>
                    </div>
                    <div class="hero">
                        <div>
                            <h1>"Your sign-in, kept where no script can reach it."</h1>
                            <p class="lead">
                                "Your browser holds a numbered ticket; everything else stays behind the counter. The page never sees the ticket, so no script in it can carry it off."
                            </p>
                            <div class="row">
                                <Suspense>
                                    {move || {
                                        WhoIsSignedIn::here()
                                            .show(|viewer| {
                                                if viewer.is_some() {
                                                    view! { <WayIn /> }.into_any()
                                                } else {
                                                    view! { <WaysToStart /> }.into_any()
                                                }
                                            })
                                    }}
                                </Suspense>
                            </div>
                        </div>
                        <Drawing />
                    </div>
                    <Compared />
                    <p class="why">
                        <a href="/developers" rel="external">
                            "The API, for developers"
                        </a>
                    </p>
                </main>
            </Page>
        }
        .into_any()
    }
}

#[component]
fn WayIn() -> impl IntoView {
    view! {
        <A href="/account" attr:class="btn primary">
            "Go to your account"
        </A>
        <SeeTheProof />
    }
}

#[component]
fn WaysToStart() -> impl IntoView {
    view! {
        <A href="/sign-up" attr:class="btn primary">
            "Create an account"
        </A>
        <SeeTheProof />
    }
}

/// The page of the proof is loaded anew, because it has a script of its own.
#[component]
fn SeeTheProof() -> impl IntoView {
    view! {
        <a href="/proof" rel="external" class="btn">
            "See the proof"
        </a>
    }
}

#[component]
fn Compared() -> impl IntoView {
    let rows = COMPARED
        .into_iter()
        .map(|(what, storage, cookie)| {
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row">
                        {what}
                    </th>
                    <td role="cell" data-label=STORAGE>
                        {storage}
                    </td>
                    <td role="cell" data-label=COOKIE>
                        {cookie}
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="why" aria-labelledby="why">
            <h2 id="why">"What happens next, either way"</h2>
            <table class="compare" role="table" aria-labelledby="why">
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">
                            "What happens"
                        </th>
                        <th role="columnheader" scope="col">
                            {STORAGE}
                        </th>
                        <th role="columnheader" scope="col">
                            {COOKIE}
                        </th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            <p class="quiet">
                "An HttpOnly cookie does not end script injection: a script can still act while the page is open. What it cannot do is take the session with it."
            </p>
        </section>
    }
}
