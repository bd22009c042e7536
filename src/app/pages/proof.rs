//! `/proof`: what a script on the page can find of the session, tried in the visitor's own browser.
//!
//! The words are here; `public/proof.js` does the looking, as an injected script would, and fills
//! them in.

use crate::app::{lazy::LazyPage, parts::layout::Page, viewer::WhoIsSignedIn};
use leptos::prelude::*;
use leptos_meta::Title;

/// Where a script can look: the id that `proof.js` knows it by, its name, and what it is.
const PLACES: [(&str, &str, &str); 12] = [
    (
        "cookies",
        "Cookies that scripts may read",
        "Most sites keep some cookies where scripts can read them. Yours for this site is marked \
         HttpOnly: the browser sends it to the server and shows it to no script.",
    ),
    (
        "cookie-store",
        "The browser's cookie store",
        "A newer way for scripts to ask for cookies. It keeps the same ones to itself.",
    ),
    (
        "local-storage",
        "Local storage",
        "A notebook that a site keeps in your browser. Every script on the page can read all of \
         it, which is why a sign-in does not belong there.",
    ),
    (
        "session-storage",
        "Session storage",
        "The same notebook, for one tab.",
    ),
    (
        "databases",
        "Databases",
        "Larger stores that a site can keep in your browser (IndexedDB). Every record is read.",
    ),
    (
        "caches",
        "Kept answers",
        "Answers that a site has put aside for later (Cache Storage): addresses, headers and texts.",
    ),
    (
        "workers",
        "Background workers",
        "Programs of a site that go on without its page (service workers).",
    ),
    (
        "html",
        "The page itself",
        "The page as it stands now, and once more as the server sends it, with the data that the \
         server put into it for its program.",
    ),
    (
        "globals",
        "What scripts share",
        "Everything that scripts on this page have within common reach.",
    ),
    (
        "addresses",
        "Addresses and timings",
        "The page's address, its history, and the browser's list of everything that was loaded.",
    ),
    (
        "functions",
        "The server's answers",
        "Everything that the page can ask the server, asked now. Where asking would change \
         something it is asked in a way that the server refuses.",
    ),
    (
        "memory",
        "The program's memory",
        "The page's program is compiled to WebAssembly. A script can load the same program and \
         read its whole memory, so this one does.",
    ),
];

/// What a script can do all the same.
const DEEDS: [(&str, &str, &str); 7] = [
    (
        "ask",
        "Ask the server as you",
        "Any script on the page can ask whatever the page can ask, for as long as the page is open.",
    ),
    (
        "end-devices",
        "Sign out a device",
        "Just after you signed in the server lets you sign out other devices without asking again, \
         so a script can as well. Later it asks for your password. Here it is tried with a device \
         that does not exist.",
    ),
    (
        "change-password",
        "Change your password",
        "The server asks for the password of now, however recently you signed in. A script does \
         not know it, unless you type it on the page that the script is on.",
    ),
    (
        "foreign-script",
        "Load more from elsewhere",
        "The page's policy (CSP) lets no script in from another site.",
    ),
    (
        "foreign-request",
        "Send what it read to another site",
        "The policy lets the page talk to this site alone.",
    ),
    (
        "foreign-image",
        "The same, dressed up as a picture",
        "The address of a picture can carry data away, so the policy names where pictures are from.",
    ),
    (
        "leave",
        "Take you to another site",
        "This is not tried, because it works: a script can open another site, with what it has read \
         in the address. No policy of today's browsers stops that.",
    ),
];

/// Looks for the session wherever a script can look, and says what it found.
pub struct Proof;

#[cfg_attr(split, leptos_router::lazy_route)]
impl LazyPage for Proof {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        // The script waits for this: before, the page's program has not come up, and has no memory
        // to look at.
        let is_live = RwSignal::new(false);
        Effect::new(move |_| is_live.set(true));
        view! {
            <Title text="The proof" />
            <Page>
                <main
                    id="main"
                    class="wrap proof"
                    tabindex="-1"
                    data-live=move || is_live.get().then_some("true")
                >
                    <h1>"Can a script take your sign-in?"</h1>
                    <p class="lead">
                        "Cloakroom promises that no script on a page can read what keeps you signed in. Here a script tries, in your own browser, and you see what it finds."
                    </p>
                    <Suspense>
                        {move || {
                            WhoIsSignedIn::here()
                                .show(|viewer| {
                                    if viewer.is_some() {
                                        view! { <Checks /> }.into_any()
                                    } else {
                                        view! { <SignInFirst /> }.into_any()
                                    }
                                })
                        }}
                    </Suspense>
                </main>
            </Page>
        }
        .into_any()
    }
}

#[component]
fn SignInFirst() -> impl IntoView {
    view! {
        <div class="notice">
            <p>
                "Sign in first. The script looks for your own session; while you are signed out there is none in this browser, and finding nothing would prove nothing."
            </p>
        </div>
        <p class="row">
            <a class="btn primary" href="/sign-in?next=/proof" rel="external">
                "Sign in"
            </a>
            <a class="btn" href="/sign-up">
                "Create an account"
            </a>
        </p>
    }
}

#[component]
fn Checks() -> impl IntoView {
    view! {
        <div id="proof-said" role="status" aria-live="polite">
            <p class="notice">
                "Nothing has been tried yet: the page is still on its way. In a browser that runs no scripts there is nothing to try."
            </p>
        </div>
        <p class="row">
            <button id="proof-again" class="btn primary" type="button" hidden>
                "Run again"
            </button>
            <a class="btn" href="#report">
                "To the report"
            </a>
        </p>
        <section aria-labelledby="places">
            <h2 id="places">"What a script can find"</h2>
            <ol class="checks" role="list">
                {PLACES.into_iter().map(check).collect_view()}
            </ol>
        </section>
        <section aria-labelledby="deeds">
            <h2 id="deeds">"What a script can still do"</h2>
            <p class="quiet">
                "A cookie that no script can read keeps your sign-in from being carried off. It does not make a page safe that runs somebody else's script: while the page is open the script acts as you. This is tried here as well, without harm."
            </p>
            <ol class="checks" role="list">
                {DEEDS.into_iter().map(check).collect_view()}
            </ol>
        </section>
        <section aria-labelledby="server">
            <h2 id="server">"What the server sees"</h2>
            <p class="quiet">
                "Of the cookie's value the page was given a fingerprint: enough to recognise it, useless to sign in with."
            </p>
            <dl id="proof-server" class="facts"></dl>
        </section>
        <section aria-labelledby="report">
            <h2 id="report" tabindex="-1">
                "The report"
            </h2>
            <p class="quiet">"The same as plain text, to keep or to send. Nothing in it signs anybody in."</p>
            <textarea id="proof-report" class="report" rows="12" readonly aria-labelledby="report"></textarea>
            <p class="row">
                <button id="proof-copy" class="btn" type="button" hidden>
                    "Copy the report"
                </button>
                <span id="proof-copied" role="status" aria-live="polite"></span>
            </p>
        </section>
    }
}

/// One line, which opens to what it is about.
fn check((id, name, about): (&'static str, &'static str, &'static str)) -> impl IntoView {
    view! {
        <li id=format!("check-{id}") data-state="waiting">
            <details>
                <summary>
                    <b>{name}</b>
                    <span class="state">"Not tried yet"</span>
                </summary>
                <p>{about}</p>
                <p class="looked"></p>
            </details>
        </li>
    }
}
