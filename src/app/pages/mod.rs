//! One file a page.

mod account;
mod home;
mod not_found;
mod sign_in;
mod sign_up;

pub use account::Account;
pub use home::Home;
pub use not_found::NotFound;
pub use sign_in::SignIn;
pub use sign_up::SignUp;
