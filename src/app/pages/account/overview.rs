//! `/account`.

use crate::{
    api::activity::list_activity,
    app::{
        pages::account::activity::Entries,
        parts::{
            account::{AccountPage, instead},
            ticket::Ticket,
            time::{Shown, Time},
        },
        viewer::WhoIsSignedIn,
        words,
    },
    wire::users::Viewer,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// Who am I here, what is signed in, and what happened lately.
#[component]
pub fn Account() -> impl IntoView {
    let was_made = use_query_map()
        .with_untracked(|query| query.get("done").is_some_and(|done| done == "signed_up"));
    let asked = WhoIsSignedIn::here();
    let lately = Resource::new(|| (), |()| list_activity(None));
    view! {
        <Title text="Your account" />
        <AccountPage path="/account" title="Your account">
            <Suspense>
                {move || {
                    asked
                        .show(|viewer| {
                            viewer.map(|viewer| view! { <Overview viewer=viewer was_made=was_made /> })
                        })
                }} {move || asked.missing().map(|error| instead(&error, "/account"))}
            </Suspense>
            <section aria-labelledby="lately">
                <h2 id="lately">"What happened lately"</h2>
                <Suspense>
                    {move || {
                        lately
                            .get()
                            .and_then(Result::ok)
                            .map(|mut page| {
                                page.entries.truncate(LATELY);
                                view! { <Entries page=page /> }
                            })
                    }}
                </Suspense>
                <p>
                    <a href="/account/activity">"All activity"</a>
                </p>
            </section>
        </AccountPage>
    }
    .into_any()
}

/// Entries on this page.
const LATELY: usize = 3;
/// The word of a new account is not said of an old one, whatever the link says.
const NEW_FOR_S: i64 = 600;

#[component]
fn Overview(
    viewer: Viewer,
    /// The link says that the account was just made.
    was_made: bool,
) -> impl IntoView {
    let is_new = was_made && viewer.now < viewer.created_at + NEW_FOR_S;
    let session = viewer.session;
    view! {
        <div role="status" aria-live="polite">
            {is_new
                .then(|| {
                    view! {
                        <p class="notice ok">
                            "Your account is ready, and you are signed in on this device."
                        </p>
                    }
                })}
        </div>
        <section aria-labelledby="who">
            <h2 id="who">"Who you are here"</h2>
            <dl class="facts">
                <dt>"E-mail address"</dt>
                <dd>
                    <bdi>{viewer.email}</bdi>
                </dd>
                <dt>"Member since"</dt>
                <dd>
                    <Time at=viewer.created_at shown=Shown::Date />
                </dd>
            </dl>
        </section>
        <section aria-labelledby="signed-in">
            <h2 id="signed-in">"What is signed in"</h2>
            <ul class="rail" role="list">
                <Ticket id=None number=session.number device=words::device(&session.device) is_this=true>
                    <p>
                        "Signed in "
                        <Time at=session.started_at shown=Shown::Ago(viewer.now) />
                    </p>
                    <p>
                        {format!(
                            "Ends after {} without use, and on ",
                            words::span(session.idle_timeout_s),
                        )} <Time at=session.ends_at shown=Shown::Date />
                        " at the latest"
                    </p>
                </Ticket>
            </ul>
            <p>
                <a href="/account/sessions">"All devices"</a>
            </p>
        </section>
    }
}
