//! What is particular to SQLite: its one connection, other processes, files, migrations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connection;
#[cfg(feature = "sqlcipher")]
mod encryption;
mod migrations;
mod processes;
mod query_stats;
