//! What the server sees of a cookie, for whoever wants to see that a page cannot.

use super::Session;
use crate::{
    server::{caller::Caller, cookie},
    wire::sessions::Inspected,
};
use leptos::server_fn::axum::server_fn_paths;

/// The session and the cookie that it was shown by, as a fingerprint.
pub fn inspect(caller: &Caller, session: &Session) -> Inspected {
    let kept_s = session
        .is_kept
        .then(|| session.ends_at - session.renewed_at());
    let mut functions: Vec<(String, String)> = server_fn_paths()
        .map(|(path, method)| (method.to_string(), path.to_owned()))
        .collect();
    functions.sort();
    Inspected {
        fingerprint: caller.shown.fingerprint(),
        length: caller.shown.length(),
        name: caller.state.cookie_names.session.clone(),
        attributes: cookie::session_attributes(kept_s),
        generation: session.generation(),
        renewed_at: session.renewed_at(),
        started_at: session.created_at,
        now: caller.state.clock.now_s(),
        functions,
    }
}
