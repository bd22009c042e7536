//! Alerts of buttons.

use crate::{
    app::{parts::form::sign_in_link, words},
    wire::Error,
};
use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

/// An alert that says which action failed, why, and what to do. It scrolls into view: the button may
/// be far below it.
#[component]
pub fn Failure(
    /// Sentence that names the action.
    #[prop(into)]
    what: Signal<&'static str>,
    /// Why.
    #[prop(into)]
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let here = use_location();
    let notice = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let (Some(_), Some(notice)) = (error.get(), notice.get()) {
            notice.scroll_into_view();
        }
    });
    view! {
        <div
            node_ref=notice
            class="notice danger"
            role="alert"
            hidden=move || error.get().is_none()
        >
            {move || {
                error
                    .get()
                    .map(|error| {
                        view! {
                            <p>{what.get()} " " {words::what_happened(&error)}</p>
                            {(error == Error::SignInNeeded).then(|| sign_in_link(&here))}
                        }
                    })
            }}
        </div>
    }
}
