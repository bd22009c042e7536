//! `/sign-in`.

use crate::{
    api::sessions::SignIn as Ask,
    app::parts::{
        check::Check,
        form::{Field, Progress, Submit, Summary, follow, sign_in_query},
        layout::Lone,
        server_form::Form,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

/// Address, password, and whether to stay.
#[component]
pub fn SignIn() -> impl IntoView {
    let action = ServerAction::<Ask>::new();
    let Progress {
        returned,
        error,
        pending,
    } = follow(action, "sign_in");
    let typed = |name: &str| returned.as_ref().and_then(|form| form.typed(name));
    let query = sign_in_query();
    let email = typed("email").or(query.email);
    let sign_up = format!("/sign-up{}", query.carried);
    view! {
        <Title text="Sign in" />
        <Lone below=Box::new(move || view! { "New here? " <a href=sign_up rel="external">"Create an account"</a> }.into_any())>
            <h1>"Sign in"</h1>
            <Form action=action class="form">
                <Summary error=error />
                <input type="hidden" name="next" value=query.next />
                <Field
                    name="email"
                    label="E-mail address"
                    kind="email"
                    autocomplete="username"
                    value=email
                    error=error
                />
                <Field
                    name="password"
                    label="Password"
                    kind="password"
                    autocomplete="current-password"
                    error=error
                />
                <Check
                    name="keep_me_signed_in"
                    label="Keep me signed in"
                    hint="Also after the browser is closed. On a shared computer leave it off, and sign out."
                    returned=returned
                    error=error
                />
                <Submit label="Sign in" pending_label="Signing in…" pending=pending />
            </Form>
        </Lone>
    }
}
