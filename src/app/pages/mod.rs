//! One file a page.

mod account;
mod activity;
mod apps;
mod consent;
mod developers;
mod home;
mod keys;
#[cfg(all(feature = "ssr", feature = "lab"))]
pub mod lab;
mod not_found;
#[cfg(feature = "lab")]
mod notes;
mod proof;
mod security;
mod sessions;
mod sign_in;
mod sign_up;

pub use account::Account;
pub use activity::Activity;
pub use apps::Apps;
pub use consent::Consent;
pub use developers::Developers;
pub use home::Home;
pub use keys::Keys;
pub use not_found::NotFound;
#[cfg(feature = "lab")]
pub use notes::Notes;
pub use proof::Proof;
pub use security::Security;
pub use sessions::Sessions;
pub use sign_in::SignIn;
pub use sign_up::SignUp;
