//! A form that calls a server function, by the browser's program or by the browser alone.

use crate::wire::{Error, form::Sent, page_account::PageAccount, users::FormPage};
use leptos::{
    ev::SubmitEvent,
    html,
    prelude::*,
    server_fn::ServerFn,
    wasm_bindgen::JsCast,
    web_sys::{FormData, HtmlButtonElement, HtmlFormElement, js_sys::Array},
};
use serde::de::DeserializeOwned;

/// The `<form>` of a server function. Every one on a page is this component.
#[component]
pub fn Form<F>(
    /// Calls the function.
    action: ServerAction<F>,
    /// Class of the element.
    #[prop(optional)]
    class: &'static str,
    /// Gets the element.
    #[prop(optional)]
    node_ref: NodeRef<html::Form>,
    children: Children,
) -> impl IntoView
where
    F: ServerFn<Error = Error> + DeserializeOwned + Send + Sync + Clone + 'static,
    F::Output: Send + Sync + 'static,
{
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        match F::deserialize(Sent(sent(&event))) {
            Ok(input) => {
                action.dispatch(input);
            }
            Err(_) => action.value().set(Some(Err(Error::BadRequest))),
        }
    };
    view! {
        <form
            node_ref=node_ref
            method="post"
            action=F::url()
            class=class
            novalidate=true
            on:submit=submit
        >
            <PageField />
            {children()}
        </form>
    }
}

/// Names the page that a form stands on, so that the answer to a form without JavaScript leads back
/// to it. `Referer` may be cut to the origin or left out, and a proxy may not pass `Host`. Names the
/// page's account as well: the browser may meanwhile be signed in to another.
#[component]
pub fn PageField() -> impl IntoView {
    // Needed without a program alone, so the HTML that the server made has them and no other.
    let page = use_context::<FormPage>().map(|page| page.0);
    let account = use_context::<PageAccount>().map(|account| account.tag);
    view! {
        <input type="hidden" name="page" value=page />
        <input type="hidden" name="account" value=account />
    }
}

/// Names and values that a form sends, those of the button that was pressed among them. The values of
/// ticked boxes of one name are one, with spaces between, as the server joins them.
fn sent(event: &SubmitEvent) -> Vec<(String, String)> {
    let form = event
        .target()
        .and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
    let Some(data) = form.and_then(|form| FormData::new_with_form(&form).ok()) else {
        return Vec::new();
    };
    let pressed = event
        .submitter()
        .and_then(|button| button.dyn_into::<HtmlButtonElement>().ok())
        .map(|button| (button.name(), button.value()));
    let text = |pair: &Array, at| pair.get(at).as_string();
    Array::from(&data)
        .iter()
        .filter_map(|pair| {
            let pair = pair.dyn_into().ok()?;
            // A file is no text.
            Some((text(&pair, 0)?, text(&pair, 1)?))
        })
        .chain(pressed)
        .fold(
            Vec::new(),
            |mut sent: Vec<(String, String)>, (name, value)| {
                match sent.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, values)) => *values = format!("{values} {value}"),
                    None => sent.push((name, value)),
                }
                sent
            },
        )
}
