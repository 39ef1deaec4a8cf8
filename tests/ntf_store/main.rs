//! The stores of notifications against the specification.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod files;
mod files_damage;
mod files_disk;
mod files_hostile;
mod files_support;
mod pending_concurrency;
mod pending_crash;
mod pending_delivery;
mod pending_files;
mod pending_hostile;
mod pending_items;
mod pending_model;
