//! `/account/security`: the password.

use super::revocable::RevocableBoxes;
use crate::{
    api::users::ChangePassword,
    app::{
        parts::{
            account::{AccountPage, Whose, instead},
            check::Check,
            form::{Field, Progress, Submit, Summary, focus, watch},
            server_form::Form,
            strength::NewPasswordField,
        },
        viewer::WhoIsSignedIn,
        words,
    },
    wire::users::Revoked,
};
use leptos::prelude::*;
use leptos_meta::Title;

const PATH: &str = "/account/security";

/// Changes the password; every other device is signed out with it, and new API keys and apps are revoked.
#[component]
pub fn Security() -> impl IntoView {
    let asked = WhoIsSignedIn::ask();
    let action = ServerAction::<ChangePassword>::new();
    let Progress {
        returned,
        error,
        pending,
    } = watch(action, "change_password");
    let before = returned
        .as_ref()
        .and_then(|form| Some((form.outcome.clone().ok()?, form.revoked)));
    let ended = move || match action.value().get() {
        Some(answer) => answer.ok().map(|it| {
            let (keys, apps) = (it.keys, it.apps);
            (it.count, Revoked { keys, apps })
        }),
        None => before,
    };
    let returned = StoredValue::new(returned);
    let typed = RwSignal::new(String::new());
    // A password that is in force does not stay in the page's memory.
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(_))) {
            typed.set(String::new());
            // The form is gone, and what was pressed with it.
            focus("main");
        }
    });
    view! {
        <Title text="Security" />
        <AccountPage path=PATH title="Security">
            <Suspense>{move || asked.missing().map(|error| instead(&error, PATH))}</Suspense>
            <section aria-labelledby="password-title">
                <h2 id="password-title">"Password"</h2>
                <div role="status" aria-live="polite">
                    {move || {
                        ended()
                            .map(|(count, revoked)| {
                                view! {
                                    <p class="notice ok">{words::password_changed(count, revoked)}</p>
                                }
                            })
                    }}
                </div>
                // A page with a password field after the change would get the old password from a
                // password manager, which then offers to keep that.
                <Show
                    when=move || ended().is_none()
                    fallback=|| {
                        view! {
                            <p>
                                <a href=PATH rel="external">
                                    "Change it again"
                                </a>
                            </p>
                        }
                    }
                >
                    <Form action=action class="form narrow">
                        <Summary error=error />
                        <Whose />
                        <Field
                            name="current_password"
                            label="Your password now"
                            kind="password"
                            autocomplete="current-password"
                            error=error
                        />
                        <NewPasswordField name="new_password" label="New password" typed=typed error=error />
                        <Check
                            name="keep_others"
                            label="Keep my other devices signed in"
                            hint="Leave it off if another person may know your password: then every other device is signed out."
                            returned=returned.get_value()
                            error=error
                        />
                        <RevocableBoxes returned=returned.get_value() error=error />
                        <Submit label="Change password" pending_label="Changing…" pending=pending />
                    </Form>
                </Show>
            </section>
        </AccountPage>
    }
}
