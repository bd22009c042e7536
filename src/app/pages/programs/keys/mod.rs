//! `/account/keys`: API keys.

mod form;
mod list;
mod shown;

use crate::{
    api::api_keys::{AcknowledgeApiKey, CreateApiKey, RevokeApiKey, list_api_keys},
    app::{
        parts::{
            account::{AccountPage, instead},
            confirm::Confirm,
            failure::Failure,
            form::{focus, returned_form},
        },
        words,
    },
    wire::{
        Error,
        api_keys::{ApiKeys, ShownKey},
    },
};
use form::{NewKeyForm, wanted};
use leptos::prelude::*;
use leptos_meta::Title;
use list::List;
use shown::NewKey;

const PATH: &str = "/account/keys";

/// Makes keys, shows each until its owner has it, and lists those that can be used; any of them can be
/// revoked.
#[component]
pub fn Keys() -> impl IntoView {
    let create = ServerAction::<CreateApiKey>::new();
    let revoke = ServerAction::<RevokeApiKey>::new();
    let acknowledge = ServerAction::<AcknowledgeApiKey>::new();
    let list = Resource::new(
        move || {
            (
                create.version().get(),
                revoke.version().get(),
                acknowledge.version().get(),
            )
        },
        |_| list_api_keys(),
    );
    let just_made = RwSignal::new(None);
    let shown = keep_shown(list, acknowledge);
    let show = Callback::new(move |()| list.refetch());
    let done = RwSignal::new(revoked_before().map(words::revoked));
    let refused = RwSignal::new(refused_before());
    let failed = RwSignal::new("Revoking the key failed.");
    let asked = RwSignal::new(asked_before());
    let is_out_of_sight =
        move || asked.get().is_none() && shown().iter().any(|key| key.key.is_none());
    Effect::new(move |_| match create.value().get() {
        Some(Ok(new)) => {
            just_made.set(Some(new.id));
            done.set(None);
        }
        // What is asked for is remembered: it is done when the password has been confirmed.
        Some(Err(Error::RecentSignInNeeded)) => {
            done.set(None);
            asked.set(wanted());
        }
        _ => {}
    });
    Effect::new(move |_| {
        if let Some(answer) = revoke.value().get() {
            if answer.is_ok() {
                // What was pressed is gone with its key.
                focus("main");
            }
            failed.set("Revoking the key failed.");
            done.set(
                answer
                    .as_ref()
                    .ok()
                    .map(|ended| words::revoked(ended.count)),
            );
            refused.set(answer.err());
        }
    });
    Effect::new(move |_| {
        if let Some(answer) = acknowledge.value().get() {
            failed.set("Taking the key out of sight failed.");
            done.set(answer.is_ok().then_some(words::KEY_OUT_OF_SIGHT));
            if answer.is_ok() {
                focus("main");
            }
            refused.set(answer.err());
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
            <Introduction />
            <div role="status" aria-live="polite">
                {move || done.get().map(|text| view! { <p class="notice ok">{text}</p> })}
            </div>
            <Failure what=failed error=refused />
            {move || asked.get().map(|asked| view! { <AskFirst asked=asked go_on=go_on /> })}
            <Transition>
                // An element of its own: the list changes before the rest of the page is in place.
                <div class="new-keys">
                    {move || is_out_of_sight().then(|| view! { <ShowAgain show=show /> })}
                    <For each=shown key=|key| (key.id.clone(), key.key.is_some()) let(key)>
                        <NewKey key=key acknowledge=acknowledge just_made=just_made />
                    </For>
                </div>
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

/// Says what a key is for.
#[component]
fn Introduction() -> impl IntoView {
    view! {
        <p class="quiet">
            "A key lets a program of yours ask about this account, without your password. "
            "What it can ask is listed for " <a href="/developers" rel="external">
                "developers"
            </a> "."
        </p>
    }
}

/// New keys to show. One that this page shows stays until it is revoked or its owner has it: the server
/// shows it for an hour, and not to the session of a later sign-in.
fn keep_shown(
    list: Resource<Result<ApiKeys, Error>>,
    acknowledge: ServerAction<AcknowledgeApiKey>,
) -> impl Fn() -> Vec<ShownKey> + Copy {
    let shown = StoredValue::new(Vec::<ShownKey>::new());
    let taken = StoredValue::new(Vec::<String>::new());
    let asked = StoredValue::new(None);
    Effect::new(move |_| match acknowledge.input().get() {
        Some(AcknowledgeApiKey { id }) => asked.set_value(Some(id)),
        None if matches!(acknowledge.value().get_untracked(), Some(Ok(_))) => {
            taken.update_value(|taken| taken.extend(asked.get_value()));
        }
        None => {}
    });
    move || {
        if let Some(Ok(ApiKeys {
            keys, shown: told, ..
        })) = list.get()
        {
            let taken = taken.get_value();
            let mut now = shown.get_value();
            now.retain(|known| known.key.is_some() && keys.iter().any(|key| key.id == known.id));
            for key in told {
                if !now.iter().any(|known| known.id == key.id) {
                    now.push(key);
                }
            }
            now.retain(|key| !taken.contains(&key.id));
            // The newest first, as in the list.
            now.sort_by_key(|shown| keys.iter().position(|key| key.id == shown.id));
            shown.set_value(now);
        }
        shown.get_value()
    }
}

/// Asks for the password before a new key is shown again.
#[component]
fn ShowAgain(show: Callback<()>) -> impl IntoView {
    view! {
        <Confirm
            what="Enter your password to see your new key again."
            then=""
            id=None
            path=PATH
            go_on=show
        />
    }
}

/// Asks for the password before the key is made.
#[component]
fn AskFirst(asked: CreateApiKey, go_on: Callback<()>) -> impl IntoView {
    let CreateApiKey {
        label,
        scopes,
        expires_in_days,
    } = asked;
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
}

/// What a form without JavaScript has revoked.
fn revoked_before() -> Option<u32> {
    returned_form("revoke_api_key").and_then(|form| form.outcome.ok())
}

/// Why a form without JavaScript has not revoked a key, or not taken it out of sight.
fn refused_before() -> Option<Error> {
    returned_form("revoke_api_key")
        .or_else(|| returned_form("acknowledge_api_key"))
        .and_then(|form| form.outcome.err())
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
