//! `/lab`: made by the server alone; a plain script does the rest.

use crate::app::{
    document::{Files, html_alone},
    parts::layout::{Foot, Top},
};
use leptos::prelude::*;

/// An attack: its name for the script, its title, and what happens in it.
const ATTACKS: [(&str, &str, &str); 8] = [
    (
        "injected",
        "A script is injected",
        "A script of the attacker's runs in the page, as one from a hacked package would. It reads \
         what it can and sends it to the attacker, who uses it from a computer of his own.",
    ),
    (
        "password",
        "The password changes",
        "The attacker has what the script found, and the password as well. The victim changes the \
         password.",
    ),
    (
        "sign-out",
        "The victim signs out",
        "The attacker has a copy: of A's token from the script, of B's cookie from malware. Then \
         the victim signs out of both.",
    ),
    (
        "copy",
        "Malware copies the disk",
        "No cookie can hide from a program with access to the disk. The victim goes on working, \
         and the attacker waits before he uses his copies. If he used them at once, both would be \
         served at first. At the usual settings both are then signed out within nine minutes of the \
         copy, no matter which of the two renews first, as long as the victim asks once a minute. A victim who does not \
         come back notices nothing.",
    ),
    (
        "cross-site",
        "Other sites send requests",
        "A form, a fetch, an image and a WebSocket, from a page of another site and from a page of \
         a subdomain beside the service.",
    ),
    (
        "planted",
        "A subdomain plants a cookie",
        "A page of the subdomain sets cookies for the whole domain, one of them by the name of the \
         session's.",
    ),
    (
        "fixation",
        "The attacker hands out his own session",
        "A hole in the browser lets the attacker put his own token and cookie into the victim's. \
         The victim signs in with them in place, and writes a note.",
    ),
    (
        "acting",
        "A script acts while the page is open",
        "It steals nothing. It writes a note in the victim's name, from the victim's own page. \
         Here A is not worse than B: no cookie helps against it.",
    ),
];

/// The whole page. The attacker's origins are another site and a subdomain beside this one.
pub fn lab_document(files: &Files, other: &str, sibling: &str) -> String {
    let (other, sibling) = (other.to_owned(), sibling.to_owned());
    let more = view! {
        <link rel="stylesheet" href="/lab/lab.css" />
        <script src="/lab/lab.js" defer=true></script>
    };
    html_alone(files, "The lab · Cloakroom", more, move || {
        view! {
            <Top />
            <main
                id="main"
                class="wrap lab"
                tabindex="-1"
                data-other=other.clone()
                data-sibling=sibling.clone()
            >
                <div class="lead">
                    <h1>"The lab"</h1>
                    <p class="quiet">
                        "Two clients of one notes service, side by side, under the same attacks. Nothing here is told from memory: every line comes from a request that was made when you pressed a button."
                    </p>
                    <noscript>
                        <p class="notice">
                            "The lab needs JavaScript. Allow it for this page and load it again."
                        </p>
                    </noscript>
                    <p class="notice">
                        "Cloakroom's own content security policy would have stopped the sending as well. It is off here, so that you see what the cookie does alone."
                    </p>
                </div>
                <div class="clients">
                    <Client
                        key="a"
                        title="A: a token in localStorage"
                        how="Signing in answers with a JWT. The page keeps it in localStorage and sends it in a header, as countless tutorials do."
                    />
                    <Client
                        key="b"
                        title="B: Cloakroom's cookie"
                        how="Signing in sets an HttpOnly cookie. The browser keeps it and sends it; the page never holds it."
                    />
                </div>
                <section class="attacker" aria-labelledby="attacker">
                    <h2 id="attacker">"The attacker"</h2>
                    <p class="quiet">
                        "His site is at " <code>{other.clone()}</code> " and, beside the service, at "
                        <code>{sibling.clone()}</code>
                        ". He also has a client of his own, for which no browser's rules hold."
                    </p>
                    <p id="loot">"He has nothing yet."</p>
                    <div id="frames" class="row"></div>
                </section>
                <section class="attacks" aria-labelledby="attacks">
                    <h2 id="attacks">"Attacks"</h2>
                    <div class="row">
                        <button class="btn primary" type="button" id="all" disabled=true>
                            "Run all of them"
                        </button>
                        <p id="progress" role="status"></p>
                    </div>
                    <ol role="list">
                        {ATTACKS
                            .into_iter()
                            .map(|(key, title, what)| {
                                view! { <Attack key=key title=title what=what /> }
                            })
                            .collect_view()}
                    </ol>
                </section>
            </main>
            <Foot />
        }
    })
}

/// One of the two: who is signed in, their notes, and a form for another.
#[component]
fn Client(
    /// `a` or `b`.
    key: &'static str,
    /// Its name.
    title: &'static str,
    /// How it stays signed in.
    how: &'static str,
) -> impl IntoView {
    let (heading, field) = (format!("client-{key}"), format!("note-{key}"));
    view! {
        <section class="client" data-client=key aria-labelledby=heading.clone()>
            <h2 id=heading.clone()>{title}</h2>
            <p class="quiet">{how}</p>
            <p class="who">"Nobody is signed in."</p>
            <ul class="list" role="list"></ul>
            <form class="row">
                <div class="field">
                    <label for=field.clone()>"A note"</label>
                    <input id=field.clone() name="text" maxlength="200" autocomplete="off" required=true />
                </div>
                <button class="btn" type="submit" disabled=true>
                    "Write it"
                    <span class="unseen">": " {title}</span>
                </button>
            </form>
        </section>
    }
}

/// What happens, a button, what came of it for each client, and the requests that were made.
#[component]
fn Attack(
    /// Its name for the script.
    key: &'static str,
    /// Its name.
    title: &'static str,
    /// What happens.
    what: &'static str,
) -> impl IntoView {
    let heading = format!("attack-{key}");
    view! {
        <li>
            <article data-attack=key aria-labelledby=heading.clone()>
                <div class="what">
                    <h3 id=heading.clone()>{title}</h3>
                    <p class="quiet">{what}</p>
                    <button class="btn" type="button" disabled=true aria-describedby=heading.clone()>
                        "Run it"
                        <span class="unseen">": " {title}</span>
                    </button>
                </div>
                <div class="verdicts">
                    <div class="verdict" data-client="a">
                        <h4>"A: token"</h4>
                        <p class="word">"Not run yet"</p>
                        <p class="reason"></p>
                        <p class="decided"></p>
                    </div>
                    <div class="verdict" data-client="b">
                        <h4>"B: cookie"</h4>
                        <p class="word">"Not run yet"</p>
                        <p class="reason"></p>
                        <p class="decided"></p>
                    </div>
                </div>
                <details hidden=true>
                    <summary></summary>
                    <ol role="list" class="timeline"></ol>
                </details>
            </article>
        </li>
    }
}
