//! Note to an operator: whether browsers receive the cookies that checks renew.

use super::renewals::Receipt;
use crate::server::state::State;

/// Header of `/health/ready` where forward auth is on.
pub const HEADER: &str = "x-forward-auth-cookies";
/// Several users lost what checks handed out.
pub const LOST: &str = "lost";
/// A browser showed what a check handed out.
pub const RECEIVED: &str = "received";
/// Neither is known.
pub const UNKNOWN: &str = "unknown";

/// The header with its value. It names no user and no host.
pub fn note(state: &State) -> Option<[(&'static str, &'static str); 1]> {
    if state.config.forward_auth.allowed_hosts.is_empty() {
        return None;
    }
    let receipt = match state.check_renewals.receipt() {
        Receipt::Unknown => UNKNOWN,
        Receipt::Received => RECEIVED,
        Receipt::Lost => LOST,
    };
    Some([(HEADER, receipt)])
}
