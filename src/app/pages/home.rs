//! `/`.

use crate::app::{parts::layout::Page, viewer::WhoIsSignedIn};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// What happens next, for a token in localStorage and for an `HttpOnly` cookie.
const COMPARED: [(&str, &str, &str); 4] = [
    (
        "A script is injected",
        "It reads the token and sends it away. Somebody else is you, anywhere, until it expires.",
        "It finds nothing to take. It can act as you while the page is open, and no longer.",
    ),
    (
        "The password changes",
        "A stolen token goes on working until it expires.",
        "What was signed in elsewhere can be ended at once.",
    ),
    (
        "You sign out",
        "The page forgets the token. A copy still works.",
        "The server ends the session. A copy is refused at its next request.",
    ),
    (
        "The token is copied",
        "Nobody notices: every copy is as good as the first.",
        "The copy names a session that its owner can see and end.",
    ),
];

/// What this is, in plain words.
#[component]
pub fn Home() -> impl IntoView {
    let is_signed_out = use_query_map()
        .with_untracked(|query| query.get("done").is_some_and(|done| done == "signed_out"));
    let rows = COMPARED
        .into_iter()
        .map(|(what, storage, cookie)| {
            view! {
                <tr>
                    <th scope="row">{what}</th>
                    <td data-column="Token in storage">{storage}</td>
                    <td data-column="HttpOnly cookie">{cookie}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Title text="Your sign-in, kept safe" />
        <Page>
            <div role="status" class="notice">
                {is_signed_out.then_some("You are signed out.")}
            </div>
            <section class="hero">
                <h1>"Your sign-in, kept where no script can reach it."</h1>
                <p>
                    "The page never holds the key to your account. The browser carries it past
                    every script on the page, and the server can call it back at any moment."
                </p>
                <p class="actions">
                    <Suspense>
                        {move || {
                            WhoIsSignedIn::here()
                                .show(|viewer| {
                                    if viewer.is_some() {
                                        view! {
                                            <a class="button" href="/account">"Go to your account"</a>
                                        }
                                            .into_any()
                                    } else {
                                        view! {
                                            <a class="button" href="/sign-up">"Create your account"</a>
                                        }
                                            .into_any()
                                    }
                                })
                        }}
                    </Suspense>
                </p>
            </section>
            <h2>"What happens next"</h2>
            <table class="compare">
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col">"Token in storage"</th>
                        <th scope="col">"HttpOnly cookie"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </Page>
    }
}
