//! Pieces that two pages use.

pub mod account;
pub mod check;
pub mod confirm;
pub mod drawing;
pub mod failure;
pub mod form;
pub mod layout;
pub mod server_form;
pub mod strength;
pub mod ticket;
pub mod time;
