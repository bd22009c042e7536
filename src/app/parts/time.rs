//! Times in words.

use crate::app::words;
use leptos::prelude::*;

/// A time in words, with the exact one behind it.
#[component]
pub fn Time(
    /// Unix seconds.
    at: i64,
    children: Children,
) -> impl IntoView {
    view! {
        <time datetime=words::exact(at) title=words::exact_in_words(at)>
            {children()}
        </time>
    }
}
