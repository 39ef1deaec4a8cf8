//! The layer under the stores that run on either database: each law on SQLite and on a real PostgreSQL
//! server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod closing;
mod connections;
mod errors;
mod fixture;
mod isolation;
mod transactions;
mod utc_time;
mod values;
