//! The keys that there are: the card of a session, without its notch.

use crate::{
    api::api_keys::RevokeApiKey,
    app::{
        parts::{
            form::at_work,
            server_form::Form,
            time::{Shown, Time},
        },
        words,
    },
    wire::api_keys::{ApiKey, ApiKeys},
};
use leptos::prelude::*;

/// The keys that can be used.
#[component]
pub fn List(
    /// All of them.
    keys: ApiKeys,
    /// What stops one.
    revoke: ServerAction<RevokeApiKey>,
) -> impl IntoView {
    let now = keys.now;
    let is_empty = keys.keys.is_empty();
    let cards = keys
        .keys
        .into_iter()
        .map(|key| view! { <Card key=key now=now revoke=revoke /> })
        .collect_view();
    view! {
        <section aria-labelledby="keys">
            <h2 id="keys">"Your keys"</h2>
            {is_empty.then(|| view! { <p class="quiet">"There is none yet."</p> })}
            <ul class="rail" role="list">
                {cards}
            </ul>
            <p class="quiet small">
                "When you change your password, choose there which keys are revoked with it."
            </p>
        </section>
    }
}

#[component]
fn Card(key: ApiKey, now: i64, revoke: ServerAction<RevokeApiKey>) -> impl IntoView {
    let id = key.id;
    let title_id = format!("key-{id}");
    let labelled_by = title_id.clone();
    let pending = {
        let id = id.clone();
        Signal::derive(move || {
            revoke
                .input()
                .with(|input| input.as_ref().is_some_and(|it| it.id == id))
        })
    };
    let what: Vec<&str> = key.scopes.into_iter().map(words::key_scope).collect();
    // Two keys may have one label.
    let which = format!(" {}, {}", key.label, key.shown_as);
    view! {
        <li>
            <article class="ticket plain" aria-labelledby=labelled_by>
                <p class="stub">
                    <b>"Key"</b>
                </p>
                <div>
                    <h3 id=title_id dir="auto">
                        {key.label}
                    </h3>
                    <p>
                        <code>{key.shown_as}</code>
                    </p>
                    <p>{what.join(", ")}</p>
                    <p>
                        {match key.last_used_at {
                            Some(at) => {
                                view! { "Last used " <Time at=at shown=Shown::Ago(now) /> }
                                    .into_any()
                            }
                            None => "Never used".into_any(),
                        }} ", created " <Time at=key.created_at shown=Shown::Ago(now) />
                    </p>
                    <p>
                        "Expires on "
                        <Time at=key.expires_at shown=Shown::Date />
                    </p>
                    <Form action=revoke>
                        <input type="hidden" name="id" value=id />
                        <button
                            class="btn danger"
                            type="submit"
                            aria-disabled=move || at_work(pending)
                            aria-busy=move || at_work(pending)
                        >
                            "Revoke"
                            <span class="unseen">{which}</span>
                        </button>
                    </Form>
                </div>
            </article>
        </li>
    }
}
