//! Fields that only the server can judge: their rules need the tables of Unicode, which no browser
//! downloads. A value of these types has passed its rule.

mod email;
mod password;

pub use email::{Email, shown};
pub use password::{NewPassword, TypedPassword};
