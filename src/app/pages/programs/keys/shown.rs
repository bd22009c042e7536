//! New keys, each in sight until its owner has it.

use crate::{
    api::api_keys::AcknowledgeApiKey,
    app::parts::{
        form::{at_work, focus},
        server_form::Form,
    },
    wire::api_keys::ShownKey,
};
use leptos::{
    html,
    prelude::*,
    wasm_bindgen::{JsCast, JsValue, closure::Closure},
    web_sys::js_sys::{Function, Reflect},
};

/// A new key with what copies it and what takes it out of sight.
#[component]
pub fn NewKey(
    /// The key.
    key: ShownKey,
    /// Takes it out of sight.
    acknowledge: ServerAction<AcknowledgeApiKey>,
    /// Id of the key that was just made on this page: its heading gets the focus.
    just_made: RwSignal<Option<String>>,
) -> impl IntoView {
    let ShownKey {
        id,
        label,
        shown_as,
        key,
    } = key;
    let heading = format!("new-key-{id}");
    let labelled_by = heading.clone();
    let text = NodeRef::<html::Code>::new();
    let outcome = RwSignal::new("");
    Effect::new({
        let (id, heading) = (id.clone(), heading.clone());
        move |_| {
            if just_made.get_untracked().as_ref() == Some(&id) {
                just_made.set(None);
                focus(&heading);
            }
        }
    });
    let pending = Signal::derive(move || acknowledge.pending().get());
    let is_in_sight = key.is_some();
    // Two keys may have one label.
    let which = format!(" {label} ({shown_as})");
    view! {
        <section class="card made" aria-labelledby=labelled_by>
            <h2 id=heading tabindex="-1">
                "Your new key: "
                <bdi>{label}</bdi>
            </h2>
            <p>
                "Copy it to where it is needed. It is shown on this page for an hour at most, until you sign out here or press “I have it”. After that it cannot be shown again."
            </p>
            {key
                .map(|key| {
                    view! {
                        <p>
                            <code class="secret-text" node_ref=text>
                                {key}
                            </code>
                        </p>
                    }
                })}
            <div class="row">
                {is_in_sight
                    .then(|| {
                        view! { <CopyButton text=text which=which.clone() outcome=outcome /> }
                    })}
                <Form action=acknowledge>
                    <input type="hidden" name="id" value=id />
                    <button
                        class="btn"
                        type="submit"
                        aria-disabled=move || at_work(pending)
                        aria-busy=move || at_work(pending)
                    >
                        "I have it"
                        <span class="unseen">{which}</span>
                    </button>
                </Form>
                <span class="quiet" aria-live="polite">
                    {move || outcome.get()}
                </span>
            </div>
            <p class="quiet small">
                "A program with this key can do what the key was made for. If another person may have it, revoke it below."
            </p>
        </section>
    }
}

/// Copies the text of an element. It needs a script, so that it is not there without one.
#[component]
fn CopyButton(
    text: NodeRef<html::Code>,
    which: String,
    outcome: RwSignal<&'static str>,
) -> impl IntoView {
    let is_live = RwSignal::new(false);
    Effect::new(move |_| is_live.set(true));
    let copy = move |_| {
        let Some(text) = text.get_untracked() else {
            return;
        };
        // Emptied first: a second "Copied" is announced as well.
        outcome.set("");
        let select = {
            let text = JsValue::from(text.clone());
            move || {
                select(&text);
                outcome.set("Selected. Copy it with Ctrl+C or ⌘C.");
            }
        };
        let Some(copying) = copy(&text.text_content().unwrap_or_default()) else {
            // In a later turn, so that the same words a second time are announced as well.
            return request_animation_frame(select);
        };
        let copied = Closure::once_into_js(move || outcome.set("Copied"));
        let refused = Closure::once_into_js(select);
        call(&copying, "then", &[&copied, &refused]);
    };
    view! {
        <button class="btn primary" type="button" hidden=move || !is_live.get() on:click=copy>
            "Copy"
            <span class="unseen">{which}</span>
        </button>
    }
}

/// Begins to put a text into the clipboard. A page over plain http has none, except on the machine
/// itself.
fn copy(text: &str) -> Option<JsValue> {
    let navigator = get(&window(), "navigator")?;
    let clipboard = get(&navigator, "clipboard")?;
    call(&clipboard, "writeText", &[&text.into()])
}

/// Selects the text of an element.
fn select(element: &JsValue) {
    if let Some(selection) = call(&window(), "getSelection", &[]) {
        call(&selection, "selectAllChildren", &[element]);
    }
}

fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(of, &name.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

fn call(of: &JsValue, method: &str, with: &[&JsValue]) -> Option<JsValue> {
    let method: Function = get(of, method)?.dyn_into().ok()?;
    let with = with.iter().copied().collect();
    Reflect::apply(&method, of, &with).ok()
}
