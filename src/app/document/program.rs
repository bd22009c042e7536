//! The inline script that starts the browser's program, and what goes on without the program.

use super::Files;
use leptos::{nonce::use_nonce, prelude::*};

/// Watches over the program. It is plain JavaScript, because it works where the program does not.
///
/// - A click or a step through the history names the page that the user goes to (`to`).
/// - A file of the program that is missing, as after a release, or a panic makes the page plain
///   HTML (`plain`): links and forms no longer reach the program, and `to` is loaded whole. The new
///   page names no `to`, so that this ends there.
/// - A form at work is sent once. Its button keeps the focus, which a disabled one would lose.
/// - A page made in the browser takes the focus, and its title is read aloud.
/// - An answer to a server function that is not JSON came from an intermediary, such as a proxy.
const WATCH: &str = r#"let to,plain,at=location.pathname;
const on=(type,run)=>addEventListener(type,run,!0),
stop=e=>e.stopImmediatePropagation(),
whole=()=>{const url=to;plain=1;to=0;url&&(url==location.href?location.reload():location.assign(url));return new Promise(()=>{})},
died=e=>(e.error||e.reason)instanceof WebAssembly.RuntimeError&&whole(),
ask=fetch;
on("click",e=>{const a=e.target.closest?.("a[href]");to=a&&a.href;plain&&a&&stop(e)});
on("popstate",()=>{to=location.href;plain&&whole()});
on("input",()=>to=0);
on("submit",e=>{const f=e.target;if(f.method!="post")return;if(plain)stop(e);else if(f.querySelector("[aria-disabled=true]")){stop(e);e.preventDefault()}});
on("error",died);
on("unhandledrejection",died);
new MutationObserver(()=>setTimeout(()=>{if(at!=(at=location.pathname)){to=0;const m=document.querySelector("main");m.ariaLabel=document.title;m.focus({preventScroll:!0})}})).observe(document.head,{childList:!0,subtree:!0});
fetch=(what,how)=>ask(what,how).then(a=>what instanceof Request&&!/json/.test(a.headers.get("content-type"))?new Response(JSON.stringify({code:"intermediary",status:a.status}),{status:502}):a);
"#;

/// Starts the program when its files are there and the document is whole. Where they do not arrive
/// the page goes on as HTML. What an extension put before the page goes behind it: the program
/// expects its own elements first.
const START: &str = r#".then(([m,w])=>m.default({module_or_path:w}).then(()=>m)).then(m=>{
const w=WebAssembly,load=w.instantiateStreaming;
w.instantiateStreaming=(...a)=>load.apply(w,a).catch(whole);
document.body.append(...document.querySelectorAll("body>:not(.skip,.skip~*)"));
m.hydrate()},()=>{})"#;

/// The script of every page that the program takes over.
pub fn script(files: &Files) -> impl IntoView + use<> {
    let script = format!(
        r#"{{{WATCH}Promise.all([import("{}"),fetch("{}"),new Promise(r=>on("DOMContentLoaded",r))]){START}}}"#,
        files.js, files.wasm
    );
    view! { <script nonce=use_nonce()>{script}</script> }
}
