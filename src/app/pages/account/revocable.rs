//! Keys and apps in the form that changes the password.

use crate::{
    api::users::list_revocable,
    app::{
        parts::{
            check::Check,
            time::{Shown, Time},
        },
        words,
    },
    wire::{
        Error,
        users::{Acts, ReturnedForm, Revocable, Revocables},
    },
};
use leptos::prelude::*;

/// Ticks of a form that came back without JavaScript.
struct Ticked {
    listed: Option<String>,
    revoke: Option<String>,
}

impl Ticked {
    fn of(form: &ReturnedForm) -> Self {
        Self {
            listed: form.typed("listed"),
            revoke: form.typed("revoke"),
        }
    }

    /// Ids of a long list may have had no room on the way back: without them more is ticked, not less.
    fn has(&self, item: &Revocable) -> bool {
        let names = |ids: &str| ids.split(' ').any(|id| id == item.id);
        match (&self.listed, &self.revoke) {
            (None, None) => true,
            (listed, revoke) => {
                let is_listed = listed.as_deref().is_some_and(names);
                revoke.as_deref().is_some_and(names) || (item.is_new && !is_listed)
            }
        }
    }
}

/// Boxes of the keys and apps that the change can revoke; those are ticked that an attacker who knew the
/// password may have made.
#[component]
pub fn RevocableBoxes(
    /// The form that came back, if it did.
    returned: Option<ReturnedForm>,
    /// The form's error.
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let list = Resource::new(|| (), |()| list_revocable());
    let returned = StoredValue::new(returned);
    view! {
        <Suspense fallback=|| {
            view! {
                <p class="hint">
                    "Listing your API keys and apps… Those made since your password was last changed are revoked with the change."
                </p>
            }
        }>
            {move || {
                list.get()
                    .map(|answer| match answer {
                        Ok(list) => {
                            let returned = returned.get_value();
                            view! { <Boxes list=list returned=returned error=error /> }.into_any()
                        }
                        Err(error) => {
                            view! {
                                <div class="notice danger">
                                    <p>
                                        "Your API keys and connected apps could not be listed. "
                                        {words::what_happened(&error)}
                                    </p>
                                    <p>
                                        "Those made since your password was last changed are revoked with the change."
                                    </p>
                                </div>
                            }
                                .into_any()
                        }
                    })
            }}
        </Suspense>
    }
}

#[component]
fn Boxes(
    list: Revocables,
    returned: Option<ReturnedForm>,
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let Revocables { listed, more, now } = list;
    if listed.is_empty() {
        return ().into_any();
    }
    let ids: Vec<&str> = listed.iter().map(|item| &*item.id).collect();
    let ids = ids.join(" ");
    let before = returned.as_ref().map(Ticked::of);
    let boxes = listed
        .into_iter()
        .map(|item| {
            let is_ticked = before.as_ref().map_or(item.is_new, |it| it.has(&item));
            view! { <RevocableBox item=item is_ticked=is_ticked now=now /> }
        })
        .collect_view();
    view! {
        <fieldset class="choices" aria-describedby="revoke-hint">
            <legend>"Revoke API keys and apps"</legend>
            <p class="hint" id="revoke-hint">
                "They act for you without your password. Those made since you last changed it are ticked: "
                "another person may have made them. Untick the ones you know."
            </p>
            <input type="hidden" name="listed" value=ids />
            {boxes}
            {(more > 0)
                .then(|| {
                    view! {
                        <p class="hint">
                            {format!(
                                "{more} more are not listed. Those of them that were made since you last changed your password are revoked as well.",
                            )}
                        </p>
                        <Check
                            name="revoke_others"
                            label="Revoke all that are not listed"
                            hint="Also those made before you last changed your password."
                            returned=returned
                            error=error
                        />
                    }
                })}
        </fieldset>
    }
    .into_any()
}

#[component]
fn RevocableBox(item: Revocable, is_ticked: bool, now: i64) -> impl IntoView {
    let id = format!("revoke-{}", item.id);
    let hint = format!("{id}-hint");
    let described_by = hint.clone();
    let label_for = id.clone();
    let (kind, shown_as, made) = match item.acts {
        Acts::ByKey(shown_as) => ("API key ", Some(shown_as), "created "),
        Acts::AsApp => ("App ", None, "last connected "),
    };
    view! {
        <div class="check">
            <input
                id=id
                type="checkbox"
                name="revoke"
                value=item.id
                checked=is_ticked
                aria-describedby=described_by
            />
            <label for=label_for>{kind} <bdi>{item.name}</bdi></label>
            <p class="hint" id=hint>
                {shown_as.map(|shown_as| view! { <code>{shown_as}</code> ", " })} {made}
                <Time at=item.made_at shown=Shown::Ago(now) />
                {match item.last_used_at {
                    Some(at) => {
                        view! { ", last used " <Time at=at shown=Shown::Ago(now) /> }.into_any()
                    }
                    None => ", never used".into_any(),
                }}
            </p>
        </div>
    }
}
