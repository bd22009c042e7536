//! Forms: fields with their errors, and what comes back into them.

use crate::{
    app::{parts::layout::go_on_when_done, words},
    wire::{
        Error,
        users::{GoOn, ReturnedForm, SignInQuery},
    },
};
use leptos::{prelude::*, server_fn::ServerFn, wasm_bindgen::JsCast, web_sys::HtmlElement};
use leptos_router::{
    hooks::use_location,
    location::{Location, Url},
};

/// A form from its submit to its answer.
pub struct Progress {
    /// What had been typed when it came back without JavaScript.
    pub returned: Option<ReturnedForm>,
    /// Why it was not done, if it was not.
    pub error: Signal<Option<Error>>,
    /// It is at work, or done and about to go on.
    pub pending: Signal<bool>,
}

/// Follows a form that changes who is signed in: goes on when it is done, and to the first field
/// that is wrong when it is not.
pub fn follow<S>(action: ServerAction<S>, function: &str) -> Progress
where
    S: ServerFn<Output = GoOn, Error = Error> + Send + Sync + Clone + 'static,
{
    let progress = watch(action, function);
    let done = move || action.value().get().and_then(Result::ok);
    go_on_when_done(done);
    Progress {
        pending: Signal::derive(move || action.pending().get() || done().is_some()),
        ..progress
    }
}

/// Watches a form that leaves everybody where they are, and goes to the first field that is wrong.
pub fn watch<S>(action: ServerAction<S>, function: &str) -> Progress
where
    S: ServerFn<Error = Error> + Send + Sync + Clone + 'static,
    S::Output: Send + Sync + Clone + 'static,
{
    let returned = returned_form(function);
    let before = returned
        .as_ref()
        .and_then(|form| form.outcome.clone().err());
    let error = Signal::derive(move || match action.value().get() {
        Some(answer) => answer.err(),
        None => before.clone(),
    });
    focus_first_error(error);
    Progress {
        returned,
        error,
        pending: Signal::derive(move || action.pending().get()),
    }
}

/// The form that came back without JavaScript, if it asked this function. A page with one stays
/// as the server made it (`document.rs`), so nothing of it travels on to the browser's program.
pub fn returned_form(function: &str) -> Option<ReturnedForm> {
    use_context::<ReturnedForm>().filter(|returned| returned.function == function)
}

/// Parameters that this page was opened with. The browser's program has none: they are in the HTML
/// that the server made, and a page with parameters is always loaded whole.
pub fn sign_in_query() -> SignInQuery {
    use_context().unwrap_or_default()
}

/// What went wrong with the form as a whole, announced once.
#[component]
pub fn Summary(#[prop(into)] error: Signal<Option<Error>>) -> impl IntoView {
    let here = use_location();
    view! {
        <div class="notice danger" role="alert" hidden=move || error.get().is_none()>
            {move || {
                error
                    .get()
                    .map(|error| {
                        view! {
                            <p>{words::what_happened(&error)}</p>
                            {error.needs_sign_in().then(|| sign_in_link(&here))}
                        }
                    })
            }}
        </div>
    }
}

/// The way to the sign-in page and back here; none on the sign-in page itself.
pub fn sign_in_link(here: &Location) -> impl IntoView + use<> {
    let path = here.pathname.get_untracked();
    let search = here.search.get_untracked();
    (path != "/sign-in").then(|| {
        let here = if search.is_empty() {
            path
        } else {
            path + "?" + &search
        };
        let next = Url::escape(&here);
        view! {
            <p>
                <a href=format!("/sign-in?next={next}") rel="external">
                    "Sign in"
                </a>
            </p>
        }
    })
}

/// A labelled field with its error under it; a password's can be shown.
#[component]
pub fn Field(
    /// The name in the form, and the id.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// `email`, `password` or `text`.
    kind: &'static str,
    /// What password managers know it by.
    autocomplete: &'static str,
    /// What comes back into it.
    #[prop(optional_no_strip)]
    value: Option<String>,
    /// What helps before anything is wrong.
    #[prop(optional)]
    hint: String,
    /// The form's error.
    #[prop(into)]
    error: Signal<Option<Error>>,
    /// What stands under the field.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let problem = move || error.get().and_then(|error| error.of_field(name));
    let described_by = described_by(name, !hint.is_empty(), error);
    let is_secret = kind == "password";
    let is_shown = RwSignal::new(false);
    let shown_as = move || {
        if is_secret && !is_shown.get() {
            "password"
        } else {
            "text"
        }
    };
    let input = view! {
        <input
            id=name
            name=name
            type=shown_as
            autocomplete=autocomplete
            value=value
            aria-describedby=described_by
            aria-invalid=move || problem().map(|_| "true")
            // Chromium changes some international domains in a field of type `email`.
            inputmode=(kind == "email").then_some("email")
            autocapitalize="none"
        />
    };
    let input = if is_secret {
        beside_show_button(name, label, is_shown, input.into_any())
    } else {
        input.into_any()
    };
    framed(name, label, input, hint, children, error)
}

/// Ids of what describes a field: its hint, and its error while there is one.
pub fn described_by(
    name: &'static str,
    has_hint: bool,
    error: Signal<Option<Error>>,
) -> impl Fn() -> Option<String> + Send + Clone + 'static {
    move || {
        let is_wrong = error.get().is_some_and(|it| it.of_field(name).is_some());
        match (has_hint, is_wrong) {
            (true, true) => Some(format!("{name}-hint {name}-error")),
            (true, false) => Some(format!("{name}-hint")),
            (false, true) => Some(format!("{name}-error")),
            (false, false) => None,
        }
    }
}

/// Input of a password with the button that shows it.
pub fn beside_show_button(
    name: &'static str,
    label: &'static str,
    is_shown: RwSignal<bool>,
    input: AnyView,
) -> AnyView {
    view! {
        <div class="secret">
            {input} <ShowButton of=name label=label is_shown=is_shown />
        </div>
    }
    .into_any()
}

/// An input between its label and its error.
pub fn framed(
    name: &'static str,
    label: &'static str,
    input: AnyView,
    hint: String,
    children: Option<Children>,
    error: Signal<Option<Error>>,
) -> AnyView {
    let problem = move || error.get().and_then(|error| error.of_field(name));
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {input}
            {(!hint.is_empty())
                .then(|| {
                    view! {
                        <p class="hint" id=format!("{name}-hint")>
                            {hint}
                        </p>
                    }
                })}
            {children.map(|children| children())}
            {move || {
                problem()
                    .map(|problem| {
                        view! {
                            <p class="error" id=format!("{name}-error")>
                                {words::what_is_wrong(problem)}
                            </p>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

/// Shows a password while it is typed. It needs a script, so it is not there without one.
#[component]
fn ShowButton(of: &'static str, label: &'static str, is_shown: RwSignal<bool>) -> impl IntoView {
    let is_live = RwSignal::new(false);
    Effect::new(move |_| is_live.set(true));
    view! {
        <button
            class="show"
            type="button"
            aria-controls=of
            hidden=move || !is_live.get()
            on:click=move |_| is_shown.update(|shown| *shown = !*shown)
        >
            {move || if is_shown.get() { "Hide" } else { "Show" }}
            <span class="unseen">" " {label}</span>
        </button>
    }
}

/// The value of `aria-disabled` and `aria-busy` of a button whose form is at work. The button keeps
/// the focus, which `disabled` would take away; a second submit is dropped by the page's script.
pub fn at_work(pending: Signal<bool>) -> Option<&'static str> {
    pending.get().then_some("true")
}

/// The button that sends the form; it says when it is at work, and keeps its size.
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
            class="btn primary wide"
            type="submit"
            aria-disabled=move || at_work(pending)
            aria-busy=move || at_work(pending)
        >
            <span class="idle">{label}</span>
            <span class="busy">{pending_label}</span>
        </button>
    }
}

/// Moves the focus to the first field that is wrong, when an answer says so.
fn focus_first_error(error: Signal<Option<Error>>) {
    Effect::new(move |_| {
        let Some(Error::Fields { fields }) = error.get() else {
            return;
        };
        if let Some(first) = fields.first() {
            focus(&first.field);
        }
    });
}

/// Moves the focus to the element of this id.
pub fn focus(id: &str) {
    let element = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    if let Some(element) = element {
        // What cannot take the focus can still be found.
        let _ = element.focus();
    }
}
