//! The ticket: one session. Nothing else looks like it.

use leptos::prelude::*;

/// A ticket on the rail.
#[component]
pub fn Ticket(
    /// The session's public id; none where the ticket stands alone.
    #[prop(optional_no_strip)]
    id: Option<String>,
    /// What stands on its stub.
    number: u16,
    /// What it was given to, in words.
    device: String,
    /// It is the one of this browser.
    is_this: bool,
    /// What is said of it.
    children: Children,
) -> impl IntoView {
    let title_id = format!("ticket-{}", id.unwrap_or_default());
    let labelled_by = title_id.clone();
    view! {
        <li>
            <article class="ticket" class:here=is_this aria-labelledby=labelled_by>
                <p class="stub">
                    <span>"No."</span>
                    " "
                    <b>{number}</b>
                </p>
                <div>
                    {is_this.then(|| view! { <p class="tag">"This device"</p> })}
                    <h3 id=title_id>{device}</h3>
                    {children()}
                </div>
            </article>
        </li>
    }
}
