//! `/account/activity`.

use crate::{
    api::activity::list_activity,
    app::{
        parts::{
            account::{AccountPage, instead},
            time::{Shown, Time, Zone},
        },
        words,
    },
    wire::activity,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

const PATH: &str = "/account/activity";

/// What happened to the account, newest first, a page at a time.
#[component]
pub fn Activity() -> impl IntoView {
    let query = use_query_map();
    let after = Memo::new(move |_| query.with(|query| query.get("after")));
    let is_first = Memo::new(move |_| after.get().is_none());
    let page = Resource::new(move || after.get(), list_activity);
    view! {
        <Title text="Activity" />
        <AccountPage path=PATH title="Activity">
            <p class="quiet">
                "What happened to your account. If something here was not you, do this in order:"
            </p>
            <ol class="quiet">
                <li>
                    <a href="/account/security">"Change your password"</a>
                    ". Leave the keys and apps ticked that you do not know, and let all other devices be signed out."
                </li>
                <li>
                    "Look through your " <a href="/account/keys">"API keys"</a> " and "
                    <a href="/account/apps">"connected apps"</a>
                    ", and revoke what you do not need."
                </li>
                <li>
                    "If it happens again, change your password from another device: this one may be in the hands of another person."
                </li>
            </ol>
            <h2>"Newest first"</h2>
            <Transition>
                {move || {
                    page.get()
                        .map(|answer| match answer {
                            Ok(page) => {
                                let older = page
                                    .next
                                    .as_ref()
                                    .map(|after| format!("{PATH}?after={after}"));
                                view! {
                                    <Entries page=page />
                                    <p class="row">
                                        {(!is_first.get())
                                            .then(|| {
                                                view! {
                                                    <a class="btn" href=PATH>
                                                        "Newest"
                                                    </a>
                                                }
                                            })}
                                        {older
                                            .map(|older| {
                                                view! {
                                                    <a class="btn" href=older>
                                                        "Older"
                                                    </a>
                                                }
                                            })}
                                    </p>
                                }
                                    .into_any()
                            }
                            Err(error) => instead(&error, PATH).into_any(),
                        })
                }}
            </Transition>
        </AccountPage>
    }
}

/// A list by day, one sentence an entry.
#[component]
pub fn Entries(page: activity::Activity) -> impl IntoView {
    let zone = Zone::of_page();
    move || {
        let mut days: Vec<(String, Vec<activity::Entry>)> = Vec::new();
        for entry in page.entries.clone() {
            let day = zone.get().date(entry.at);
            match days.last_mut() {
                Some((last, entries)) if *last == day => entries.push(entry),
                _ => days.push((day, vec![entry])),
            }
        }
        days.into_iter()
            .map(|(day, entries)| view! { <Day day=day entries=entries /> })
            .collect_view()
    }
}

#[component]
fn Day(day: String, entries: Vec<activity::Entry>) -> impl IntoView {
    let entries = entries
        .into_iter()
        .map(|entry| view! { <Happened entry=entry /> })
        .collect_view();
    view! {
        <section class="day">
            <h3>{day}</h3>
            <ul role="list">{entries}</ul>
        </section>
    }
}

#[component]
fn Happened(entry: activity::Entry) -> impl IntoView {
    let is_alarming = matches!(
        entry.kind,
        activity::Kind::SessionCopied
            | activity::Kind::RenewalUnconfirmed
            | activity::Kind::SignInFailed
            | activity::Kind::TriesRefused
    );
    view! {
        <li class:alarming=is_alarming>
            <Time at=entry.at shown=Shown::TimeOfDay />
            <div>
                <p>{words::happened(entry.kind, entry.how_many)}</p>
                <p class="quiet small">
                    {words::by(entry.kind, &entry.device, entry.address.as_deref())}
                </p>
            </div>
        </li>
    }
}
