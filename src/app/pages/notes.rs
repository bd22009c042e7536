//! `/notes`: the worked example of `docs/build-on-it.md`.

use crate::{
    api::notes::{WriteNote, list_notes},
    app::{
        lazy::LazyPage,
        parts::{
            account::instead,
            form::{Field, Progress, Submit, Summary, watch},
            layout::Page,
            server_form::Form,
            time::{Shown, Time},
        },
    },
    wire::notes::Note,
};
use leptos::{html, prelude::*};
use leptos_meta::Title;

const PATH: &str = "/notes";

/// Writes a note, and lists those that there are.
pub struct Notes;

#[cfg_attr(split, leptos_router::lazy_route)]
impl LazyPage for Notes {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        let action = ServerAction::<WriteNote>::new();
        let Progress {
            returned,
            error,
            pending,
        } = watch(action, "write_note");
        let text = returned.and_then(|form| form.typed("text"));
        let notes = Resource::new(move || action.version().get(), |_| list_notes());
        let form = NodeRef::<html::Form>::new();
        Effect::new(move |_| {
            if let (Some(Ok(_)), Some(form)) = (action.value().get(), form.get()) {
                form.reset();
            }
        });
        view! {
            <Title text="Notes" />
            <Page>
                <main id="main" class="wrap content" tabindex="-1">
                    <h1>"Notes"</h1>
                    <Form action=action node_ref=form class="form narrow">
                        <Summary error=error />
                        <Field
                            name="text"
                            label="A new note"
                            kind="text"
                            autocomplete="off"
                            value=text
                            error=error
                        />
                        <Submit label="Keep it" pending_label="Keeping…" pending=pending />
                    </Form>
                    <section aria-labelledby="newest-first">
                        <h2 id="newest-first">"Newest first"</h2>
                        <Transition>
                            {move || {
                                notes
                                    .get()
                                    .map(|answer| match answer {
                                        Ok(notes) => view! { <List notes=notes /> }.into_any(),
                                        Err(error) => instead(&error, PATH).into_any(),
                                    })
                            }}
                        </Transition>
                    </section>
                </main>
            </Page>
        }
        .into_any()
    }
}

#[component]
fn List(notes: Vec<Note>) -> impl IntoView {
    if notes.is_empty() {
        return view! { <p class="quiet">"You have not written any yet."</p> }.into_any();
    }
    let notes = notes
        .into_iter()
        .map(|note| {
            let at = note.written_at;
            view! {
                <li>
                    // Text of whatever script stands as its writer reads it, and ends with its line.
                    <p class="note" dir="auto">
                        {note.text}
                    </p>
                    <p class="quiet small">
                        <Time at=at shown=Shown::Exact />
                    </p>
                </li>
            }
        })
        .collect_view();
    view! { <ul role="list">{notes}</ul> }.into_any()
}
