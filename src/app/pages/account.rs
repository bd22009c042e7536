//! `/account`.

use crate::{
    app::{parts::layout::Page, viewer::WhoIsSignedIn, words},
    wire::users::Viewer,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// Who am I here, and what is signed in.
#[component]
pub fn Account() -> impl IntoView {
    let is_new = use_query_map()
        .with_untracked(|query| query.get("done").is_some_and(|done| done == "signed_up"));
    view! {
        <Title text="Your account" />
        <Page>
            <h1>"Your account"</h1>
            <div role="status" class="notice">
                {is_new
                    .then_some("Your account is ready, and you are signed in on this device.")}
            </div>
            <Suspense>
                {move || {
                    WhoIsSignedIn::here()
                        .show(|viewer| match viewer {
                            Some(viewer) => view! { <Overview viewer=viewer /> }.into_any(),
                            None => view! {
                                <p>
                                    "You are signed out. "
                                    <a href="/sign-in?next=/account" rel="external">"Sign in"</a>
                                </p>
                            }
                                .into_any(),
                        })
                }}
            </Suspense>
        </Page>
    }
}

#[component]
fn Overview(viewer: Viewer) -> impl IntoView {
    let session = viewer.session;
    view! {
        <p class="who">{viewer.email}</p>
        <p class="soft">{format!("Member since {}", words::date(viewer.created_at))}</p>
        <h2>"Signed in"</h2>
        <article class="ticket mine">
            <p class="number">{format!("No. {}", session.number)}</p>
            <h3>{words::device(&session.device)}</h3>
            <p class="brass">"This device"</p>
            <p>{format!("Signed in {}", words::ago(session.started_at, viewer.now))}</p>
            <p class="soft">
                {format!(
                    "Ends after {} without use, and on {} at the latest",
                    words::span(session.idle_timeout_s),
                    words::date(session.ends_at),
                )}
            </p>
        </article>
    }
}
