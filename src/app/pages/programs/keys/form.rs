//! The form that makes a key.

use crate::{
    api::api_keys::CreateApiKey,
    app::{
        parts::{
            form::{Field, Progress, Submit, Summary, watch},
            server_form::PageField,
        },
        words,
    },
    wire::{Error, api_keys::Scope},
};
use leptos::{
    ev::SubmitEvent,
    html,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{HtmlInputElement, HtmlSelectElement},
};

/// How long a key may be good, in days, as the form offers it.
const DAYS: [u32; 4] = [7, 30, 90, 365];

/// What is to be made: a label, what it may do, and how long.
#[component]
pub fn NewKeyForm(
    /// What makes it.
    create: ServerAction<CreateApiKey>,
) -> impl IntoView {
    let Progress {
        returned,
        error,
        pending,
    } = watch(create, "create_api_key");
    let form = NodeRef::<html::Form>::new();
    Effect::new(move |_| {
        if let (Some(Ok(_)), Some(form)) = (create.value().get(), form.get()) {
            form.reset();
        }
    });
    // That the password is asked for is no error of the form.
    let error = Signal::derive(move || error.get().filter(|it| *it != Error::RecentSignInNeeded));
    let typed = |name| returned.as_ref().and_then(|form| form.typed(name));
    let (label, scopes) = (typed("label"), typed("scopes").unwrap_or_default());
    let chosen = typed("expires_in_days").and_then(|days| days.parse().ok());
    let days = DAYS
        .map(|days| {
            let is_chosen = days == chosen.unwrap_or(30);
            view! {
                <option value=days.to_string() selected=is_chosen>
                    {format!("{days} days")}
                </option>
            }
        })
        .collect_view();
    let boxes = Scope::ALL
        .iter()
        .map(|scope| {
            let is_ticked = scopes.split(' ').any(|code| code == scope.code());
            view! { <ScopeBox scope=*scope is_ticked=is_ticked /> }
        })
        .collect_view();
    let no_scope = move || error.get().and_then(|error| error.of_field("scopes"));
    let no_days = move || {
        error
            .get()
            .and_then(|error| error.of_field("expires_in_days"))
    };
    view! {
        <section class="apart" aria-labelledby="create">
            <h2 id="create">"Create a key"</h2>
            <form
                node_ref=form
                method="post"
                action="/api/create_api_key"
                class="form narrow"
                novalidate=true
                on:submit=move |event| send(&event, create)
            >
                <PageField />
                <Summary error=error />
                <Field
                    name="label"
                    label="What it is for"
                    kind="text"
                    autocomplete="off"
                    hint="Such as \"backup script\", so that you know it later.".to_owned()
                    value=label
                    error=error
                />
                <fieldset
                    id="scopes"
                    class="choices"
                    tabindex="-1"
                    aria-describedby=move || no_scope().map(|_| "scopes-error")
                >
                    <legend>"What it may do"</legend>
                    {boxes}
                    {move || {
                        no_scope()
                            .map(|_| {
                                view! {
                                    <p class="error" id="scopes-error">
                                        "Choose at least one."
                                    </p>
                                }
                            })
                    }}
                </fieldset>
                <div class="field">
                    <label for="expires_in_days">"It expires after"</label>
                    <select id="expires_in_days" name="expires_in_days">
                        {days}
                    </select>
                    {move || {
                        no_days()
                            .map(|problem| {
                                view! { <p class="error">{words::what_is_wrong(problem)}</p> }
                            })
                    }}
                </div>
                <Submit label="Create key" pending_label="Creating…" pending=pending />
            </form>
        </section>
    }
}

fn send(event: &SubmitEvent, create: ServerAction<CreateApiKey>) {
    event.prevent_default();
    if let Some(wanted) = wanted() {
        create.dispatch(wanted);
    }
}

#[component]
fn ScopeBox(scope: Scope, is_ticked: bool) -> impl IntoView {
    let code = scope.code();
    view! {
        <div class="check">
            <input
                id=code
                type="checkbox"
                name="scopes"
                value=code
                checked=is_ticked
                aria-describedby=format!("{code}-hint")
            />
            <label for=code>{words::key_scope(scope)}</label>
            <p class="hint" id=format!("{code}-hint")>
                <code>{code}</code>
            </p>
        </div>
    }
}

/// What is chosen in the form just now. The framework's own reading of a form takes each name once,
/// and the boxes share theirs.
pub fn wanted() -> Option<CreateApiKey> {
    let label = element::<HtmlInputElement>("label")?.value();
    let days = element::<HtmlSelectElement>("expires_in_days")?.value();
    let ticked = Scope::ALL
        .iter()
        .map(|scope| scope.code())
        .filter(|code| element::<HtmlInputElement>(code).is_some_and(|box_| box_.checked()));
    Some(CreateApiKey {
        label,
        scopes: ticked.collect::<Vec<_>>().join(" "),
        expires_in_days: days.parse().ok(),
    })
}

fn element<E: JsCast>(id: &str) -> Option<E> {
    document().get_element_by_id(id)?.dyn_into().ok()
}
