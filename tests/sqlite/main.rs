//! What is particular to SQLite: its one connection, other processes, files, migrations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connection;
mod migrations;
mod processes;
