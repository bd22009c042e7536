//! A box of a form that is ticked or not.

use crate::{
    app::parts::form::described_by,
    wire::{Error, users::ReturnedForm},
};
use leptos::prelude::*;

/// A box with its label, its hint, and its error.
#[component]
pub fn Check(
    /// The name in the form, and the id.
    name: &'static str,
    /// The statement that a tick agrees to.
    label: &'static str,
    /// What follows from a tick.
    hint: &'static str,
    /// The form that came back, if it did.
    returned: Option<ReturnedForm>,
    /// The form's error.
    #[prop(into)]
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let is_ticked = returned.is_some_and(|form| form.is_ticked(name));
    let is_wrong = move || error.get().is_some_and(|it| it.of_field(name).is_some());
    view! {
        <div class="check">
            <input
                id=name
                type="checkbox"
                name=name
                value="true"
                checked=is_ticked
                aria-describedby=described_by(name, true, error)
                aria-invalid=move || is_wrong().then_some("true")
            />
            <label for=name>{label}</label>
            <p class="hint" id=format!("{name}-hint")>
                {hint}
            </p>
            {move || {
                is_wrong()
                    .then(|| {
                        view! {
                            <p class="error" id=format!("{name}-error")>
                                "Tick the box or leave it empty."
                            </p>
                        }
                    })
            }}
        </div>
    }
}
