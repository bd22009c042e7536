//! `/account/sessions`: the rail of tickets.

use crate::{
    api::sessions::{EndOtherSessions, EndSession, list_sessions},
    app::{
        parts::{
            account::{AccountPage, instead},
            confirm::Confirm,
            failure::Failure,
            form::{at_work, focus, returned_form},
            server_form::Form,
            ticket::Ticket,
            time::{Shown, Time},
        },
        words,
    },
    wire::{
        Error,
        sessions::{DeviceSession, Devices},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

const PATH: &str = "/account/sessions";

/// Every device that is signed in; any of them can be ended.
#[component]
pub fn Sessions() -> impl IntoView {
    let end = ServerAction::<EndSession>::new();
    let end_others = ServerAction::<EndOtherSessions>::new();
    let list = Resource::new(
        move || (end.version().get(), end_others.version().get()),
        |_| list_sessions(),
    );
    let asked = RwSignal::new(asked_before());
    let said = RwSignal::new(said_before());
    let error = RwSignal::new(refused_before());
    // What is asked is remembered: it is done when the password has been confirmed.
    let wanted = RwSignal::new(returned_form("end_other_sessions").map(|_| Asked::Others));
    let failed = Signal::derive(move || match wanted.get() {
        Some(Asked::Others) => "Signing out the other devices failed.",
        _ => "Signing out that device failed.",
    });
    Effect::new(move |_| {
        if let Some(EndSession { id }) = end.input().get() {
            wanted.set(Some(Asked::One(id)));
        }
    });
    Effect::new(move |_| {
        if end_others.input().get().is_some() {
            wanted.set(Some(Asked::Others));
        }
    });
    let answered = move |answer: Result<u32, Error>| match answer {
        Ok(count) => {
            error.set(None);
            said.set(Some(count));
            // What was pressed is gone with its ticket.
            focus("main");
        }
        Err(Error::RecentSignInNeeded) => {
            said.set(None);
            error.set(None);
            asked.set(wanted.get_untracked());
        }
        Err(other) => {
            said.set(None);
            error.set(Some(other));
        }
    };
    Effect::new(move |_| {
        if let Some(answer) = end.value().get() {
            answered(answer.map(|ended| ended.count));
        }
    });
    Effect::new(move |_| {
        if let Some(answer) = end_others.value().get() {
            answered(answer.map(|ended| ended.count));
        }
    });
    let go_on = Callback::new(move |()| {
        match asked.get_untracked() {
            Some(Asked::One(id)) => {
                end.dispatch(EndSession { id });
            }
            Some(Asked::Others) => {
                end_others.dispatch(EndOtherSessions {});
            }
            None => {}
        }
        asked.set(None);
    });
    view! {
        <Title text="Devices" />
        <AccountPage path=PATH title="Devices">
            <div role="status" aria-live="polite">
                {move || {
                    said.get().map(|count| view! { <p class="notice ok">{words::ended(count)}</p> })
                }}
            </div>
            <Failure what=failed error=error />
            <Question asked=asked go_on=go_on />
            <Transition>
                {move || {
                    list.get()
                        .map(|answer| match answer {
                            Ok(devices) => {
                                view! { <Rail devices=devices end=end end_others=end_others /> }
                                    .into_any()
                            }
                            Err(error) => instead(&error, PATH).into_any(),
                        })
                }}
            </Transition>
        </AccountPage>
    }
    .into_any()
}

/// What somebody wants to end.
#[derive(Clone)]
enum Asked {
    One(String),
    Others,
}

/// Asks for the password, when something is wanted that needs it.
#[component]
fn Question(asked: RwSignal<Option<Asked>>, go_on: Callback<()>) -> impl IntoView {
    move || {
        asked.get().map(|asked| {
            let (then, id, what) = match asked {
                Asked::One(id) => (
                    "end_session",
                    Some(id),
                    "Enter your password to sign that device out.",
                ),
                Asked::Others => (
                    "end_other_sessions",
                    None,
                    "Enter your password to sign out all other devices.",
                ),
            };
            view! { <Confirm what=what then=then id=id path=PATH go_on=go_on /> }
        })
    }
}

/// A form without JavaScript came back, because it asks for the password first.
fn asked_before() -> Option<Asked> {
    let one = |id: Option<String>| id.map(Asked::One);
    if let Some(form) = returned_form("confirm_password") {
        return match form.typed("then").as_deref() {
            Some("end_session") => one(form.typed("id")),
            Some("end_other_sessions") => Some(Asked::Others),
            _ => None,
        };
    }
    let needs = Err(Error::RecentSignInNeeded);
    if let Some(form) = returned_form("end_session").filter(|form| form.outcome == needs) {
        return one(form.typed("id"));
    }
    returned_form("end_other_sessions")
        .filter(|form| form.outcome == needs)
        .map(|_| Asked::Others)
}

/// Why a form without JavaScript was not done, if not for want of the password.
fn refused_before() -> Option<Error> {
    ["end_session", "end_other_sessions"]
        .into_iter()
        .find_map(|function| returned_form(function)?.outcome.err())
        .filter(|error| *error != Error::RecentSignInNeeded)
}

/// What a form without JavaScript has ended.
fn said_before() -> Option<u32> {
    ["end_session", "end_other_sessions"]
        .into_iter()
        .find_map(|function| returned_form(function)?.outcome.ok())
}

#[component]
fn Rail(
    devices: Devices,
    end: ServerAction<EndSession>,
    end_others: ServerAction<EndOtherSessions>,
) -> impl IntoView {
    let now = devices.now;
    let has_others = devices.sessions.len() > 1;
    let pending = Signal::derive(move || end_others.pending().get());
    let tickets = devices
        .sessions
        .into_iter()
        .map(|session| view! { <Device session=session now=now end=end /> })
        .collect_view();
    view! {
        <section aria-labelledby="signed-in">
            <h2 id="signed-in">"Signed in now"</h2>
            <ul class="rail" role="list">
                {tickets}
            </ul>
        </section>
        {if has_others {
            view! {
                <section class="apart" aria-labelledby="others">
                    <h2 id="others">"All other devices"</h2>
                    <p class="quiet">"Sign out everywhere but here, at once."</p>
                    <Form action=end_others>
                        <button
                            class="btn danger"
                            type="submit"
                            aria-disabled=move || at_work(pending)
                            aria-busy=move || at_work(pending)
                        >
                            "Sign out all other devices"
                        </button>
                    </Form>
                </section>
            }
                .into_any()
        } else {
            view! { <p class="quiet">"No other device is signed in."</p> }.into_any()
        }}
    }
}

#[component]
fn Device(session: DeviceSession, now: i64, end: ServerAction<EndSession>) -> impl IntoView {
    let id = session.id;
    let ticket = id.clone();
    let number = session.number;
    let pending = {
        let id = id.clone();
        Signal::derive(move || {
            end.input()
                .with(|input| input.as_ref().is_some_and(|it| it.id == id))
        })
    };
    let button = (!session.is_this).then(|| {
        view! {
            <Form action=end>
                <input type="hidden" name="id" value=id />
                <button
                    class="btn"
                    type="submit"
                    aria-disabled=move || at_work(pending)
                    aria-busy=move || at_work(pending)
                >
                    "End this session"
                    <span class="unseen">{format!(", No. {number}")}</span>
                </button>
            </Form>
        }
    });
    view! {
        <Ticket id=Some(ticket) number=number device=words::device(&session.device) is_this=session.is_this>
            <p>
                "Last used " <Time at=session.last_seen_at shown=Shown::Ago(now) />
            </p>
            <p>
                "Signed in "
                <Time at=session.first_seen_at shown=Shown::Ago(now) />
                {format!(
                    " {}, from {}",
                    words::signed_in_by(&session.signed_in_by),
                    session.address,
                )}
            </p>
            <p>
                {format!("Ends after {} without use, and on ", words::span(session.idle_timeout_s))}
                <Time at=session.ends_at shown=Shown::Date /> " at the latest"
            </p>
            {button}
        </Ticket>
    }
}
