//! The layer under the stores in databases, and the schema of the queue store, on a real PostgreSQL server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod catalogue;
mod cluster;
mod copy;
mod differential;
mod errors;
mod fixture;
mod journals;
mod maintenance;
mod migrations;
mod plan;
mod routines;
mod rows;
mod schema;
mod sharing;
mod statements;
mod store;
mod transactions;
mod transfer;
mod transfer_campaign;
mod transfer_faults;
mod triggers;
mod watching;
