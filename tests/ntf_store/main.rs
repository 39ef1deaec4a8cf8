//! The stores of notifications against the specification: a notification server's, and a router's pending ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod concurrency;
mod edge;
mod files;
mod files_damage;
mod files_disk;
mod files_hostile;
mod files_support;
mod invariants;
mod items;
mod linearizability;
mod pending_concurrency;
mod pending_crash;
mod pending_delivery;
mod pending_files;
mod pending_hostile;
mod pending_items;
mod pending_model;
mod state_machine;
