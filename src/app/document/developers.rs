//! `/developers`: the API for programs, for the people who write them. What it says is made of the
//! same description that programs read. It only tells, so that it is a page of HTML alone.

use crate::{
    app::parts::layout::{Foot, Top},
    wire::developers::{Answer, Operation, Reference},
};
use leptos::prelude::*;

/// Every operation with its scope, its parameters, its answers and an example.
#[component]
pub fn Developers(
    /// What programs read, for people.
    reference: Reference,
) -> impl IntoView {
    let contents = reference
        .operations
        .iter()
        .map(|operation| {
            view! {
                <li>
                    <a href=format!("#{}", anchor(operation))>
                        <code>{format!("{} {}", operation.method, operation.path)}</code>
                    </a>
                </li>
            }
        })
        .collect_view();
    let operations = reference
        .operations
        .into_iter()
        .map(|operation| view! { <About operation=operation /> })
        .collect_view();
    view! {
        <Top />
            <main id="main" class="wrap content developers" tabindex="-1">
                <h1>"For developers"</h1>
                <p>
                    "A program of yours can ask about your account over HTTP and JSON. It shows an API key, which you make at "
                    <a href="/account/keys">
                        "API keys"
                    </a>
                    ", for what it needs and no more. The key goes into the header, as the examples show; in an address, or beside the cookie of a browser, it is refused."
                </p>
                <p>
                    "The same description for programs (OpenAPI 3.1): "
                    <a href="/v1/openapi.json">
                        "/v1/openapi.json"
                    </a> "."
                </p>
                <section aria-labelledby="begin">
                    <h2 id="begin">"Before the examples"</h2>
                    <pre tabindex="0">
                        <code>{format!("URL=https://your.cloakroom.example\nKEY={}…\nID=…", reference.key_prefix)}</code>
                    </pre>
                    <ul>{contents}</ul>
                </section>
                {operations}
                <section aria-labelledby="limits">
                    <h2 id="limits">"How often"</h2>
                    <p>
                        "Every answer to a key says how many requests the key has left, in " <code>"RateLimit"</code>
                        " and " <code>"RateLimit-Policy"</code> ". With none left the answer is 429, and "
                        <code>"Retry-After"</code> " says after how many seconds the next is taken."
                    </p>
                </section>
                <section aria-labelledby="problems">
                    <h2 id="problems">"What can go wrong"</h2>
                    <p>
                        "Whatever is refused comes as " <code>"application/problem+json"</code>
                        " (RFC 9457). Its " <code>"type"</code> " names one of these. Where the request shows more of the cause, "
                        <code>"detail"</code> " says one of the sentences below it:"
                    </p>
                    <Answers answers=reference.problems />
                </section>
                <section aria-labelledby="leaks">
                    <h2 id="leaks">"Finding keys that leaked"</h2>
                    <p>
                        "Scanners of source code and logs find keys by this regular expression. The last six characters of a key are a checksum: the CRC-32 of all that stands before them, in base 62 ("
                        <code>"0-9A-Za-z"</code> "). A key that was found in the wrong place is revoked at "
                        <a href="/account/keys">
                            "API keys"
                        </a> "."
                    </p>
                    <pre tabindex="0">
                        <code id="key-pattern">{reference.key_pattern}</code>
                    </pre>
                </section>
            </main>
        <Foot />
    }
}

fn anchor(operation: &Operation) -> String {
    let path = operation
        .path
        .trim_start_matches("/v1/")
        .replace(['/', '{', '}'], "-");
    format!(
        "{}-{}",
        operation.method.to_lowercase(),
        path.trim_end_matches('-')
    )
}

#[component]
fn About(operation: Operation) -> impl IntoView {
    let id = anchor(&operation);
    let labelled_by = id.clone();
    let parameters = operation
        .parameters
        .into_iter()
        .map(|parameter| {
            view! {
                <dt>
                    <code>{parameter.name}</code>
                    {format!(" ({})", parameter.place)}
                </dt>
                <dd>{parameter.what}</dd>
            }
        })
        .collect_view();
    view! {
        <section class="apart" aria-labelledby=labelled_by>
            <h2 id=id>{operation.summary}</h2>
            <p>
                <code>{format!("{} {}", operation.method, operation.path)}</code>
            </p>
            <p>{operation.what}</p>
            <dl class="facts">
                <dt>"Scope"</dt>
                <dd>
                    <code>{operation.scope}</code>
                </dd>
                {parameters}
            </dl>
            <pre tabindex="0">
                <code>{operation.example}</code>
            </pre>
            <Answers answers=operation.answers />
        </section>
    }
}

#[component]
fn Answers(answers: Vec<Answer>) -> impl IntoView {
    let answers = answers
        .into_iter()
        .map(|answer| {
            let id = (!answer.code.is_empty()).then(|| answer.code.clone());
            let has_causes = !answer.causes.is_empty();
            let causes = answer
                .causes
                .into_iter()
                .map(|cause| view! { <li>{cause}</li> })
                .collect_view();
            let causes = has_causes.then(|| view! { <ul class="causes">{causes}</ul> });
            let code = (!answer.code.is_empty()).then(|| view! { " " <code>{answer.code}</code> });
            view! {
                <dt id=id>{answer.status} {code}</dt>
                <dd>{answer.what} {causes}</dd>
            }
        })
        .collect_view();
    view! { <dl class="facts">{answers}</dl> }
}
