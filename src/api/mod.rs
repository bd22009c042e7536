//! What may be asked: server functions with stable names, by noun. Each opens with its door.

pub mod activity;
pub mod api_keys;
pub mod grants;
#[cfg(feature = "lab")]
pub mod notes;
pub mod sessions;
pub mod users;
