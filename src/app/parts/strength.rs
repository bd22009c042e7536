//! A new password, and how strong it is, in words, while it is typed.

use crate::{
    app::{
        parts::form::{beside_show_button, described_by, framed},
        words,
    },
    wire::{Error, Problem, fields::PASSWORD_MAX, strength, users::PasswordPolicy},
};
use leptos::{prelude::*, tachys::html::attribute::custom::custom_attribute, task::spawn_local};

/// The estimator and its dictionaries are heavier than the whole app, so they are a file of
/// their own that is fetched when somebody begins to type.
#[cfg_attr(split, lazy)]
async fn judge(password: String, email: String) -> (u8, Option<Problem>) {
    let strength::Strength { score, reason } = strength::judge(&password, &email);
    (score, reason)
}

/// The browser cuts off all that is typed or pasted beyond this, in UTF-16 code units, and says
/// nothing. No password that the server takes is that long, in whatever normal form it is typed, so
/// that one that is a little too long is refused and never kept short.
const TYPED_MAX: u32 = 4 * PASSWORD_MAX;

/// The field of a new password, with what is asked of it.
#[component]
pub fn NewPasswordField(
    /// The name in the form.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// Where what is typed is told.
    typed: RwSignal<String>,
    /// The form's error.
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let policy = SharedValue::new(|| {
        use_context::<PasswordPolicy>().unwrap_or(PasswordPolicy { min_length: 15 })
    })
    .into_inner();
    let hint = format!(
        "At least {} characters. A few words you will remember work well.",
        policy.min_length
    );
    // What password managers make a password by.
    let rules = format!(
        "minlength: {}; maxlength: {PASSWORD_MAX};",
        policy.min_length
    );
    let is_shown = RwSignal::new(false);
    let input = view! {
        <input
            id=name
            name=name
            type=move || if is_shown.get() { "text" } else { "password" }
            autocomplete="new-password"
            minlength=policy.min_length
            maxlength={TYPED_MAX}
            {..custom_attribute("passwordrules", rules)}
            aria-describedby=described_by(name, true, error)
            aria-invalid=move || {
                error.get().is_some_and(|error| error.of_field(name).is_some()).then_some("true")
            }
            autocapitalize="none"
            on:input=move |event| typed.set(event_target_value(&event))
        />
    };
    let input = beside_show_button(name, label, is_shown, input.into_any());
    let meter: Children = Box::new(move || {
        view! { <StrengthMeter password=typed min=policy.min_length /> }.into_any()
    });
    framed(name, label, input, hint, Some(meter), error)
}

/// Says how strong what stands in the field is: the same code as the server's rule.
#[component]
fn StrengthMeter(
    /// What is typed.
    #[prop(into)]
    password: Signal<String>,
    /// How many code points the policy asks for.
    min: u32,
) -> impl IntoView {
    let judged = RwSignal::new(None::<(u8, Option<Problem>)>);
    Effect::new(move |_| {
        let typed = password.get();
        let length = typed.chars().count();
        if length == 0 {
            judged.set(None);
        } else if length < min as usize {
            // The hint above says how many characters are asked for.
            judged.set(Some((0, None)));
        } else {
            // What was said of fewer characters holds no longer, and the estimator may never arrive.
            judged.update(|judged| *judged = judged.take().filter(|it| *it != (0, None)));
            let email = typed_email();
            spawn_local(async move {
                let (score, reason) = judge(typed.clone(), email).await;
                // An answer about what was typed before is of no use.
                if password.get_untracked() == typed {
                    judged.set(Some((score, reason)));
                }
            });
        }
    });
    view! {
        <div class="meter" aria-live="polite">
            {move || {
                judged
                    .get()
                    .map(|(score, reason)| {
                        view! {
                            <p class="strength" data-level=score.to_string()>
                                <span class="bar" aria-hidden="true">
                                    <i></i>
                                    <i></i>
                                    <i></i>
                                    <i></i>
                                </span>
                                <b>{words::strength(score)}</b>
                                " "
                                <span>{reason.map(words::what_is_wrong)}</span>
                            </p>
                        }
                    })
            }}
        </div>
    }
}

fn typed_email() -> String {
    use leptos::{wasm_bindgen::JsCast, web_sys::HtmlInputElement};
    document()
        .get_element_by_id("email")
        .and_then(|field| field.dyn_into::<HtmlInputElement>().ok())
        .map(|field| field.value())
        .unwrap_or_default()
}
