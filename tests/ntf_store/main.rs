//! The stores of notifications.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod pending_concurrency;
mod pending_crash;
mod pending_delivery;
mod pending_files;
mod pending_hostile;
mod pending_items;
mod pending_model;
