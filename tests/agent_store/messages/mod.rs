//! Messages and their deliveries.

mod delete;
mod deliver;
mod read;
mod receive;
mod send;
mod side_by_side;
pub(crate) mod support;
mod types;
