//! `/sign-up`.

use crate::{
    api::users::SignUp as Ask,
    app::{
        lazy::LazyPage,
        parts::{
            form::{Field, Progress, Submit, Summary, follow, sign_in_query},
            layout::Lone,
            server_form::Form,
            strength::NewPasswordField,
        },
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

/// Address and password, and an account is made.
pub struct SignUp;

#[cfg_attr(split, leptos_router::lazy_route)]
impl LazyPage for SignUp {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        let action = ServerAction::<Ask>::new();
        let Progress {
            returned,
            error,
            pending,
        } = follow(action, "sign_up");
        let email = returned.as_ref().and_then(|form| form.typed("email"));
        let typed = RwSignal::new(String::new());
        let query = sign_in_query();
        let sign_in = format!("/sign-in{}", query.carried);
        view! {
            <Title text="Create an account" />
            <Lone below=Box::new(move || view! { "Already have an account? " <a href=sign_in rel="external">"Sign in"</a> }.into_any())>
                <h1>"Create an account"</h1>
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
                    <NewPasswordField name="password" label="Password" typed=typed error=error />
                    <Submit label="Create account" pending_label="Creating account…" pending=pending />
                </Form>
            </Lone>
        }
        .into_any()
    }
}
