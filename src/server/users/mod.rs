//! Users: signing up, signing in, their password, and who is signed in.
//!
//! One file a verb; `operator.rs` has the operator's commands.

mod operator;
mod password;
mod sign_in;
mod sign_up;

pub use operator::{end_sessions, list, set_disabled};
pub use password::{change_password, confirm_password};
pub use sign_in::sign_in;
pub use sign_up::{add, sign_up};

use super::caller::Caller;
use crate::wire::users::Viewer;

/// Who is signed in, if anybody is. Asks nobody: the layer has already read the row.
pub fn viewer(caller: &Caller) -> Option<Viewer> {
    caller.session.as_ref().map(|session| Viewer {
        email: session.email.clone(),
        created_at: session.user_created_at,
        session: session.seen_by_owner(),
        now: caller.state.clock.now_s(),
    })
}
