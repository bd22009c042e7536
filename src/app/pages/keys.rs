//! `/account/keys`: API keys.

use crate::{
    api::api_keys::{CreateApiKey, RevokeApiKey, list_api_keys},
    app::{
        lazy::LazyPage,
        parts::{
            account::{AccountPage, instead},
            confirm::Confirm,
            form::{Field, Progress, Submit, Summary, focus, returned_form, watch},
            time::Time,
        },
        words,
    },
    wire::{
        Error,
        api_keys::{ApiKey, ApiKeys, Scope},
    },
};
use leptos::{
    ev::SubmitEvent,
    form::ActionForm,
    html,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{HtmlInputElement, HtmlSelectElement},
};
use leptos_meta::Title;

const PATH: &str = "/account/keys";
/// How long a key may be good, in days, as the form offers it.
const DAYS: [u32; 4] = [7, 30, 90, 365];

/// Makes a key, shows it once, and lists those that there are; any of them can be revoked.
pub struct Keys;

#[cfg_attr(split, leptos_router::lazy_route)]
impl LazyPage for Keys {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        let create = ServerAction::<CreateApiKey>::new();
        let revoke = ServerAction::<RevokeApiKey>::new();
        let list = Resource::new(
            move || (create.version().get(), revoke.version().get()),
            |_| list_api_keys(),
        );
        let made = RwSignal::new(made_before());
        let revoked = RwSignal::new(revoked_before());
        let refused = RwSignal::new(refused_before());
        let asked = RwSignal::new(asked_before());
        Effect::new(move |_| match create.value().get() {
            Some(Ok(new)) => {
                made.set(Some(new.key));
                revoked.set(None);
                focus("new-key");
            }
            // What is asked for is remembered: it is done when the password has been confirmed.
            Some(Err(Error::RecentSignInNeeded)) => {
                made.set(None);
                revoked.set(None);
                asked.set(wanted());
            }
            _ => {}
        });
        Effect::new(move |_| {
            if let Some(answer) = revoke.value().get() {
                made.set(None);
                revoked.set(answer.as_ref().ok().map(|ended| ended.count));
                refused.set(answer.err());
                // What was pressed is gone with its key.
                focus("main");
            }
        });
        let go_on = Callback::new(move |()| {
            if let Some(wanted) = asked.get_untracked() {
                create.dispatch(wanted);
            }
            asked.set(None);
        });
        view! {
            <Title text="API keys" />
            <AccountPage path=PATH title="API keys">
                <p class="quiet">
                    "A key lets a program of yours ask about this account, without your password. "
                    "What it can ask is listed for " <a href="/developers" rel="external">
                        "developers"
                    </a> "."
                </p>
                <div role="status" aria-live="polite">
                    {move || {
                        revoked
                            .get()
                            .map(|count| view! { <p class="notice ok">{words::revoked(count)}</p> })
                    }}
                </div>
                <Summary error=refused />
                {move || made.get().map(|key| view! { <NewKey key=key /> })}
                {move || {
                    asked
                        .get()
                        .map(|asked| {
                            let CreateApiKey { label, scopes, expires_in_days } = asked;
                            let days = expires_in_days.map(|days| days.to_string());
                            let more = vec![
                                ("label", label),
                                ("scopes", scopes),
                                ("expires_in_days", days.unwrap_or_default()),
                            ];
                            view! {
                                <Confirm
                                    what="Enter your password to create the key."
                                    then="create_api_key"
                                    id=None
                                    more=more
                                    path=PATH
                                    go_on=go_on
                                />
                            }
                        })
                }}
                <Transition>
                    {move || {
                        list.get()
                            .map(|answer| match answer {
                                Ok(keys) => view! { <List keys=keys revoke=revoke /> }.into_any(),
                                Err(error) => instead(&error, PATH).into_any(),
                            })
                    }}
                </Transition>
                <NewKeyForm create=create />
            </AccountPage>
        }
        .into_any()
    }
}

/// What a form without JavaScript has made: it is shown on this page, and on no later one.
fn made_before() -> Option<String> {
    returned_form("create_api_key").and_then(|form| form.typed("key"))
}

/// What a form without JavaScript has revoked.
fn revoked_before() -> Option<u32> {
    returned_form("revoke_api_key").and_then(|form| form.outcome.ok())
}

/// Why a form without JavaScript has not revoked it.
fn refused_before() -> Option<Error> {
    returned_form("revoke_api_key").and_then(|form| form.outcome.err())
}

/// A form without JavaScript came back, because it asks for the password first.
fn asked_before() -> Option<CreateApiKey> {
    let form = match returned_form("confirm_password") {
        Some(form) if form.typed("then").as_deref() == Some("create_api_key") => form,
        _ => returned_form("create_api_key")
            .filter(|form| form.outcome == Err(Error::RecentSignInNeeded))?,
    };
    let days = form.typed("expires_in_days");
    Some(CreateApiKey {
        label: form.typed("label").unwrap_or_default(),
        scopes: form.typed("scopes").unwrap_or_default(),
        expires_in_days: days.and_then(|days| days.parse().ok()),
    })
}

/// What is chosen in the form just now. The framework's own reading of a form takes each name once,
/// and the boxes share theirs.
fn wanted() -> Option<CreateApiKey> {
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

/// The one time that a key is shown.
#[component]
fn NewKey(key: String) -> impl IntoView {
    view! {
        <section class="card made" aria-labelledby="new-key">
            <h2 id="new-key" tabindex="-1">
                "Your new key"
            </h2>
            <p>"Copy it now: it is shown this once, and never again."</p>
            <p>
                <code class="secret-text">{key}</code>
            </p>
            <p class="quiet small">
                "Whoever has it can do what it was made for. If somebody else may have it, revoke it here."
            </p>
        </section>
    }
}

#[component]
fn NewKeyForm(create: ServerAction<CreateApiKey>) -> impl IntoView {
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
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(wanted) = wanted() {
            create.dispatch(wanted);
        }
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
                on:submit=submit
            >
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
            <label for=code>{words::scope(scope)}</label>
            <p class="hint" id=format!("{code}-hint")>
                <code>{code}</code>
            </p>
        </div>
    }
}

#[component]
fn List(keys: ApiKeys, revoke: ServerAction<RevokeApiKey>) -> impl IntoView {
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
                "Changing your password leaves keys as they are: revoke those that somebody else may have."
            </p>
        </section>
    }
}

#[component]
fn Card(key: ApiKey, now: i64, revoke: ServerAction<RevokeApiKey>) -> impl IntoView {
    let id = key.id;
    let title_id = format!("key-{id}");
    let labelled_by = title_id.clone();
    let is_pending = {
        let id = id.clone();
        move || {
            revoke
                .input()
                .with(|input| input.as_ref().is_some_and(|it| it.id == id))
        }
    };
    let what: Vec<&str> = key.scopes.into_iter().map(words::scope).collect();
    let label = key.label.clone();
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
                                view! { "Last used " <Time at=at>{words::ago(at, now)}</Time> }
                                    .into_any()
                            }
                            None => "Never used".into_any(),
                        }} ", created " <Time at=key.created_at>{words::ago(key.created_at, now)}</Time>
                    </p>
                    <p>
                        "Expires on "
                        <Time at=key.expires_at>{words::date(key.expires_at)}</Time>
                    </p>
                    <ActionForm action=revoke>
                        <input type="hidden" name="id" value=id />
                        <button class="btn danger" type="submit" disabled=is_pending>
                            "Revoke"
                            <span class="unseen">{format!(" {label}")}</span>
                        </button>
                    </ActionForm>
                </div>
            </article>
        </li>
    }
}
