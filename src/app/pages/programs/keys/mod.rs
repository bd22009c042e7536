//! `/account/keys`: API keys.

mod form;
mod list;

use crate::{
    api::api_keys::{CreateApiKey, RevokeApiKey, list_api_keys},
    app::{
        parts::{
            account::{AccountPage, instead},
            confirm::Confirm,
            form::{Summary, focus, returned_form},
        },
        words,
    },
    wire::Error,
};
use form::{NewKeyForm, wanted};
use leptos::prelude::*;
use leptos_meta::Title;
use list::List;

const PATH: &str = "/account/keys";

/// Makes a key, shows it once, and lists those that there are; any of them can be revoked.
#[component]
pub fn Keys() -> impl IntoView {
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
