//! Pieces that two pages use.

pub mod form;
pub mod layout;
