//! Cloakroom keeps the session where no script can reach it: in an `HttpOnly` cookie that the
//! browser sends with every server-function call.
//!
//! The rooms, and who may import whom (`tests/shape.rs` holds it):
//!
//! | room     | what is in it                                    | imports              |
//! |----------|--------------------------------------------------|----------------------|
//! | `wire`   | what is said: plain types that both sides know    | nothing of ours      |
//! | `api`    | what may be asked: `#[server]` functions          | `wire`; `server` inside function bodies |
//! | `app`    | what is shown: pages and their parts              | `api`, `wire`        |
//! | `server` | what is done: everything a browser must never see | `wire`; `app` in `router.rs` alone |

mod api;
mod app;
#[cfg(feature = "ssr")]
pub mod server;
pub mod wire;

/// Called by the page's one inline script when the WASM has arrived: takes over the HTML that
/// the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    // Nobody but a developer reads it.
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(app::App);
}
