//! The in-memory queue store against its contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod concurrency;
mod crash;
mod database;
mod interference;
mod invariants;
mod items;
mod linearizability;
mod replay;
mod state_machine;
