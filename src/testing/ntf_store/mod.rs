//! What the stores of notifications are held to.

pub mod pending;
