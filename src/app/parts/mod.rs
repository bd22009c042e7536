//! Pieces that two pages use.

pub mod drawing;
pub mod form;
pub mod layout;
pub mod strength;
