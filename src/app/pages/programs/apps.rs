//! `/account/apps`: the programs that somebody signs in to from here.

use crate::{
    api::grants::{RevokeApp, list_apps},
    app::{
        parts::{
            account::{AccountPage, instead},
            failure::Failure,
            form::{at_work, focus, returned_form},
            server_form::Form,
            time::{Shown, Time},
        },
        words,
    },
    wire::grants::{App, Apps as List},
};
use leptos::prelude::*;
use leptos_meta::Title;

const PATH: &str = "/account/apps";

/// Every program that was allowed something; any of it can be taken back.
#[component]
pub fn Apps() -> impl IntoView {
    let revoke = ServerAction::<RevokeApp>::new();
    let list = Resource::new(move || revoke.version().get(), |_| list_apps());
    let before = returned_form("revoke_app").map(|form| form.outcome);
    let was_done = matches!(before, Some(Ok(_)));
    let refused = before.and_then(Result::err);
    let said = move || match revoke.value().get() {
        Some(answer) => answer.is_ok(),
        None => was_done,
    };
    let error = Signal::derive(move || match revoke.value().get() {
        Some(answer) => answer.err(),
        None => refused.clone(),
    });
    Effect::new(move |_| {
        if matches!(revoke.value().get(), Some(Ok(_))) {
            // What was pressed is gone with its app.
            focus("main");
        }
    });
    view! {
            <Title text="Connected apps" />
            <AccountPage path=PATH title="Connected apps">
                <div role="status" aria-live="polite">
                    {move || {
                        said()
                            .then(|| {
                                view! {
                                    <p class="notice ok">
                                        "The app is disconnected. It gets nothing more about you from here."
                                    </p>
                                }
                            })
                    }}
                </div>
                <Failure what="Disconnecting the app failed." error=error />
                <Transition>
                    {move || {
                        list.get()
                            .map(|answer| match answer {
                                Ok(apps) => view! { <Cards list=apps revoke=revoke /> }.into_any(),
                                Err(error) => instead(&error, PATH).into_any(),
                            })
                    }}
                </Transition>
            </AccountPage>
        }
        .into_any()
}

#[component]
fn Cards(list: List, revoke: ServerAction<RevokeApp>) -> impl IntoView {
    if list.apps.is_empty() {
        return view! { <p class="quiet">"You have not signed in to any other app from here."</p> }
            .into_any();
    }
    let now = list.now;
    let cards = list
        .apps
        .into_iter()
        .map(|app| view! { <Card app=app now=now revoke=revoke /> })
        .collect_view();
    view! {
        <p class="quiet">"Apps that you sign in to with this account, and what each of them can do."</p>
        <ul class="rail" role="list">
            {cards}
        </ul>
    }
    .into_any()
}

#[component]
fn Card(app: App, now: i64, revoke: ServerAction<RevokeApp>) -> impl IntoView {
    let title_id = app.client_id.clone();
    let labelled_by = title_id.clone();
    let id = app.client_id.clone();
    let pending = {
        let id = id.clone();
        Signal::derive(move || {
            revoke
                .input()
                .with(|input| input.as_ref().is_some_and(|it| it.client_id == id))
        })
    };
    let initial = app.name.chars().next().map(String::from);
    let scopes = app
        .scopes
        .iter()
        .map(|scope| view! { <li>{words::app_scope(scope)}</li> })
        .collect_view();
    let used = app.last_used_at.map(|at| {
        view! {
            <p>"Last used " <Time at=at shown=Shown::Ago(now) /></p>
        }
    });
    view! {
        <li>
            <article class="ticket whole" aria-labelledby=labelled_by>
                <p class="stub" aria-hidden="true">
                    <b>{initial}</b>
                </p>
                <div>
                    <h2 id=title_id dir="auto">
                        {app.name.clone()}
                    </h2>
                    <p>
                        "Connected "
                        <Time at=app.first_at shown=Shown::Ago(now) />
                    </p>
                    {used}
                    <ul class="can">{scopes}</ul>
                    {app
                        .outlives
                        .then(|| {
                            view! { <p class="quiet small">"Signing out here does not end this."</p> }
                        })}
                    <Form action=revoke>
                        <input type="hidden" name="client_id" value=id />
                        <button
                            class="btn"
                            type="submit"
                            aria-disabled=move || at_work(pending)
                            aria-busy=move || at_work(pending)
                        >
                            "Disconnect"
                            <span class="unseen">" " {app.name}</span>
                        </button>
                    </Form>
                </div>
            </article>
        </li>
    }
}
