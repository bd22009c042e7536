//! No such page.

use crate::app::parts::layout::Plain;
use leptos::prelude::*;
use leptos_meta::Title;

/// Says so, with the status that goes with it.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found" />
        <Plain>
            <h1>"There is no page at this address."</h1>
            <p>"Check the address, or begin again at the start."</p>
        </Plain>
    }
}
