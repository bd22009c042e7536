//! `/account`.

use crate::{
    app::{lazy::LazyPage, parts::layout::Page, viewer::WhoIsSignedIn, words},
    wire::users::Viewer,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};

/// Who am I here, and what is signed in.
pub struct Account {
    was_made: bool,
}

#[cfg_attr(split, leptos_router::lazy_route)]
impl LazyPage for Account {
    fn data() -> Self {
        Self {
            was_made: use_query_map()
                .with_untracked(|query| query.get("done").is_some_and(|done| done == "signed_up")),
        }
    }

    fn view(this: Self) -> AnyView {
        let Account { was_made } = this;
        view! {
            <Title text="Your account" />
            <Page>
                <div class="wrap account">
                    <nav class="side" aria-label="Account">
                        <ul role="list">
                            <li>
                                <A href="/account">"Overview"</A>
                            </li>
                        </ul>
                    </nav>
                    <main id="main" class="content" tabindex="-1">
                        <h1>"Your account"</h1>
                        <Suspense>
                            {move || {
                                WhoIsSignedIn::here()
                                    .show(|viewer| match viewer {
                                        Some(viewer) => {
                                            view! { <Overview viewer=viewer was_made=was_made /> }.into_any()
                                        }
                                        None => view! { <SignedOut /> }.into_any(),
                                    })
                            }}
                        </Suspense>
                    </main>
                </div>
            </Page>
        }
        .into_any()
    }
}

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
    let title_id = format!("ticket-{}", session.number);
    let labelled_by = title_id.clone();
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
                <dd>{viewer.email}</dd>
                <dt>"Member since"</dt>
                <dd>
                    <Time at=viewer.created_at>{words::date(viewer.created_at)}</Time>
                </dd>
            </dl>
        </section>
        <section aria-labelledby="signed-in">
            <h2 id="signed-in">"What is signed in"</h2>
            <ul class="rail" role="list">
                <li>
                    <article class="ticket here" aria-labelledby=labelled_by>
                        <p class="stub">
                            <span>"No."</span>
                            " "
                            <b>{session.number}</b>
                        </p>
                        <div>
                            <p class="tag">"This device"</p>
                            <h3 id=title_id>{words::device(&session.device)}</h3>
                            <p>
                                "Signed in "
                                <Time at=session
                                    .started_at>{words::ago(session.started_at, viewer.now)}</Time>
                            </p>
                            <p>
                                {format!(
                                    "Ends after {} without use, and on ",
                                    words::span(session.idle_timeout_s),
                                )}
                                <Time at=session.ends_at>{words::date(session.ends_at)}</Time>
                                " at the latest"
                            </p>
                        </div>
                    </article>
                </li>
            </ul>
        </section>
    }
}

/// A time in words, with the exact one behind it.
#[component]
fn Time(
    /// Unix seconds.
    at: i64,
    children: Children,
) -> impl IntoView {
    view! {
        <time datetime=words::exact(at) title=words::exact_in_words(at)>
            {children()}
        </time>
    }
}

#[component]
fn SignedOut() -> impl IntoView {
    view! {
        <p>
            "You are signed out. "
            <a href="/sign-in?next=/account" rel="external">
                "Sign in"
            </a>
        </p>
    }
}
