//! Random histories of operations, run on an agent's store in SQLite and on one in PostgreSQL.
//!
//! `SIMPLEX_STORES_HISTORIES` sets how many (default 30 for each semantics).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agree;
mod compare;
mod explained;
mod pair;
mod twins;
