//! Forms: fields with their errors, and what comes back into them.

use crate::{
    app::words,
    wire::{Error, users::ReturnedForm},
};
use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

/// A form that came back without JavaScript, if one did.
#[derive(Clone)]
pub struct Returned(pub Option<ReturnedForm>);

impl Returned {
    /// The one that asked this function.
    pub fn of(function: &str) -> Option<ReturnedForm> {
        use_context::<Self>()
            .and_then(|returned| returned.0)
            .filter(|returned| returned.function == function)
    }
}

/// What went wrong with the form as a whole, announced once.
#[component]
pub fn Summary(#[prop(into)] error: Signal<Option<Error>>) -> impl IntoView {
    view! {
        <div role="alert" class="summary">
            {move || error.get().map(|error| view! { <p>{words::what_happened(&error)}</p> })}
        </div>
    }
}

/// A labelled field with its error under it.
#[component]
pub fn Field(
    /// The name in the form, and the id.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// `email` or `password`.
    kind: &'static str,
    /// What password managers know it by.
    autocomplete: &'static str,
    /// What comes back into it.
    #[prop(optional_no_strip)]
    value: Option<String>,
    /// What helps before anything is wrong.
    #[prop(optional)]
    hint: Option<String>,
    /// The form's error.
    #[prop(into)]
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let problem = move || error.get().and_then(|error| error.of_field(name));
    let hint_id = format!("{name}-hint");
    let error_id = format!("{name}-error");
    let described_by = format!("{hint_id} {error_id}");
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=kind
                autocomplete=autocomplete
                value=value
                aria-describedby=described_by
                aria-invalid=move || problem().map(|_| "true")
                spellcheck="false"
                autocapitalize="none"
            />
            <p class="hint" id=hint_id>{hint}</p>
            <p class="error" id=error_id>
                {move || problem().map(words::what_is_wrong)}
            </p>
        </div>
    }
}

/// The button that sends the form; it says when it is at work.
#[component]
pub fn Submit(
    /// A verb.
    label: &'static str,
    /// The verb at work.
    pending_label: &'static str,
    /// Whether it is.
    #[prop(into)]
    pending: Signal<bool>,
) -> impl IntoView {
    view! {
        <button
            class="primary"
            type="submit"
            disabled=move || pending.get()
            aria-busy=move || pending.get().then_some("true")
        >
            {move || if pending.get() { pending_label } else { label }}
        </button>
    }
}

/// Moves the focus to the first field that is wrong, when an answer says so.
pub fn focus_first_error(error: Signal<Option<Error>>) {
    Effect::new(move |_| {
        let Some(Error::Fields { fields }) = error.get() else {
            return;
        };
        let input = fields
            .first()
            .and_then(|first| document().get_element_by_id(&first.field))
            .and_then(|input| input.dyn_into::<HtmlElement>().ok());
        if let Some(input) = input {
            // A field that cannot take the focus still has its error beside it.
            let _ = input.focus();
        }
    });
}
