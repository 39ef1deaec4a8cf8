//! What the ledger says of the queue store, operation by operation and case by case, under both semantics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod edge;
mod files;
mod operations_batches;
mod operations_queues;
mod operations_services;
mod sample;
mod store;
