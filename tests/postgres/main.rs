//! The layer under the stores in databases, and the schema of the queue store, on a real PostgreSQL server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
