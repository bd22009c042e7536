//! `/consent`: another app asks who somebody is, and they say whether it may know.

use crate::{
    api::{
        grants::{Decide, describe_authorization},
        users::ConfirmPassword,
    },
    app::{
        parts::{
            account::Whose,
            form::{Field, Progress, Submit, Summary, at_work, follow, sign_in_link},
            layout::Lone,
            server_form::Form,
        },
        words,
    },
    wire::{Error, grants::AppRequest},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// Which app it is, where it is, what it gets; yes and no.
#[component]
pub fn Consent() -> impl IntoView {
    let request = use_location().search.get_untracked();
    let asked = {
        let request = request.clone();
        Resource::new(move || request.clone(), describe_authorization)
    };
    let below = || {
        view! {
            "What you allow can be taken back under "
            <a href="/account/apps">"Connected apps"</a>
            "."
        }
        .into_any()
    };
    view! {
        <Title text="Sign in to an app" />
        <Lone below=Box::new(below)>
            <Suspense>
                {move || {
                    let request = request.clone();
                    asked
                        .get()
                        .map(|answer| match answer {
                            Ok(app) => {
                                match app.confirm_first.clone() {
                                    Some(next) => view! { <Who app=app next=next /> }.into_any(),
                                    None => view! { <Ask app=app request=request /> }.into_any(),
                                }
                            }
                            Err(error) => view! { <Refused error=error /> }.into_any(),
                        })
                }}
            </Suspense>
        </Lone>
    }
    .into_any()
}

/// Nothing can be asked.
#[component]
fn Refused(error: Error) -> impl IntoView {
    let is_signed_out = error == Error::SignInNeeded;
    let what = match error {
        Error::BadRequest => {
            "What the app sent cannot be read. Go back to the app and try again.".to_owned()
        }
        other => words::what_happened(&other),
    };
    let here = use_location();
    view! {
        <h1>"This did not work"</h1>
        <div class="notice danger" role="alert">
            <p>{what}</p>
            {is_signed_out.then(|| sign_in_link(&here))}
        </div>
    }
}

/// The app wants to be sure that it is still the same person.
#[component]
fn Who(
    app: AppRequest,
    /// Where they go on to.
    next: String,
) -> impl IntoView {
    let action = ServerAction::<ConfirmPassword>::new();
    let Progress { error, pending, .. } = follow(action, "confirm_password");
    view! {
        <h1>"Is it you?"</h1>
        <Form action=action class="form">
            <p class="quiet">
                <bdi>{app.name}</bdi>
                " wants to be sure. Enter the password of "
                <bdi>{app.email}</bdi>
                "."
            </p>
            <Summary error=error />
            <Whose />
            <input type="hidden" name="next" value=next />
            <Field
                name="password"
                label="Your password"
                kind="password"
                autocomplete="current-password"
                error=error
            />
            <Submit label="Go on" pending_label="Checking…" pending=pending />
        </Form>
    }
}

/// Yes or no.
#[component]
fn Ask(
    app: AppRequest,
    /// What the app asks, as it asked it.
    request: String,
) -> impl IntoView {
    let action = ServerAction::<Decide>::new();
    let Progress { error, pending, .. } = follow(action, "decide_authorization");
    let scopes = app
        .scopes
        .iter()
        .map(|scope| view! { <li>{words::app_scope(scope)}</li> })
        .collect_view();
    let has_scopes = !app.scopes.is_empty();
    view! {
        <h1>"Sign in to " <bdi>{app.name}</bdi> "?"</h1>
        <Form action=action class="form">
            <Summary error=error />
            <p>
                "You are signed in here as " <b>
                    <bdi>{app.email}</bdi>
                </b> ". If you allow it, you go back to " <b>{app.host}</b> "."
            </p>
            {has_scopes
                .then(|| {
                    view! {
                        <div>
                            <h2>"The app can then"</h2>
                            <ul class="can">{scopes}</ul>
                        </div>
                    }
                })}
            <input type="hidden" name="request" value=request />
            <div class="row">
                <button
                    class="btn primary"
                    type="submit"
                    name="decision"
                    value="allow"
                    aria-disabled=move || at_work(pending)
                    aria-busy=move || at_work(pending)
                >
                    "Allow"
                </button>
                <button
                    class="btn"
                    type="submit"
                    name="decision"
                    value="deny"
                    aria-disabled=move || at_work(pending)
                    aria-busy=move || at_work(pending)
                >
                    "Do not allow"
                </button>
            </div>
        </Form>
    }
}
