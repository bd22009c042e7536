//! What is said: the plain types that the browser and the server both know.
//!
//! Nothing here can hold a secret: whatever is in this room may be read by any script on the page.

pub mod activity;
pub mod api_keys;
pub mod developers;
pub mod documents;
pub mod error;
pub mod fields;
mod flag;
mod flat;
pub mod form;
pub mod grants;
mod json;
#[cfg(feature = "lab")]
pub mod notes;
pub mod page_account;
pub mod sessions;
pub mod strength;
pub mod users;

pub use error::{Error, FieldError, Problem};
pub use flag::Flag;
pub use form::Form;
pub use json::Json;
