//! No such page.

use crate::app::parts::layout::Stray;
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
        <Stray
            what="There is no page at this address."
            then="It may have moved, or the address has a typing slip in it."
        />
    }
}
