//! "Is it you?": the password once more, before something that whoever finds a browser open, or
//! has a copy of its cookie, must not do.

use crate::{
    api::users::ConfirmPassword,
    app::parts::{
        account::Whose,
        form::{Field, Progress, Submit, Summary, focus, watch},
        server_form::Form,
    },
};
use leptos::prelude::*;

/// Asks for the password, and then carries on.
#[component]
pub fn Confirm(
    /// What is done next.
    what: &'static str,
    /// The function that is called next where no script runs it.
    then: &'static str,
    /// Its argument, if it has one.
    #[prop(optional_no_strip)]
    id: Option<String>,
    /// Its other arguments.
    #[prop(optional)]
    more: Vec<(&'static str, String)>,
    /// The page that it stands on.
    path: &'static str,
    /// Carries on.
    go_on: Callback<()>,
) -> impl IntoView {
    let action = ServerAction::<ConfirmPassword>::new();
    let Progress { error, pending, .. } = watch(action, "confirm_password");
    // It appears above what was pressed, perhaps out of sight.
    Effect::new(|_| focus("password"));
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(_))) {
            go_on.run(());
        }
    });
    let more = more
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    view! {
        <section class="card confirm" aria-labelledby="confirm">
            <h2 id="confirm">"Is it you?"</h2>
            <p class="quiet">{what}</p>
            <Form action=action class="form">
                <Summary error=error />
                <Whose />
                <input type="hidden" name="next" value=path />
                <input type="hidden" name="then" value=then />
                {id.map(|id| view! { <input type="hidden" name="id" value=id /> })}
                {more}
                <Field
                    name="password"
                    label="Your password"
                    kind="password"
                    autocomplete="current-password"
                    error=error
                />
                <div class="row">
                    <Submit label="Go on" pending_label="Checking…" pending=pending />
                    <a class="btn" href=path rel="external">
                        "Cancel"
                    </a>
                </div>
            </Form>
        </section>
    }
}
