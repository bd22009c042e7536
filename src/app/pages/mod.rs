//! One file a page, or a folder where several are one file of the download.

mod account;
mod home;
#[cfg(all(feature = "ssr", feature = "lab"))]
pub mod lab;
mod not_found;
#[cfg(feature = "lab")]
mod notes;
mod programs;
mod proof;
mod sign_in;
mod sign_up;

pub use account::{Account, Activity, Security, Sessions};
pub use home::Home;
pub use not_found::NotFound;
#[cfg(feature = "lab")]
pub use notes::Notes;
pub use programs::{Apps, Consent, Keys};
pub use proof::Proof;
pub use sign_in::SignIn;
pub use sign_up::SignUp;
