//! Messages and their deliveries.

mod delete;
mod deliver;
mod read;
mod receive;
mod send;
mod support;
