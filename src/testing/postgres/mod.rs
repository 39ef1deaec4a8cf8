//! PostgreSQL servers for tests: real ones, from the installed binaries, in a temporary folder, reached
//! through a Unix socket only (features `testing` and `postgres`).
//!
//! ```no_run
//! use simplex_stores::testing::postgres::Cluster;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let database = Cluster::shared()?.database()?;
//! let pool = simplex_stores::db::postgres::Pool::open(&database.config()?)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Cluster::shared`] is one server for all processes of a test run: `cargo nextest` runs each test in
//! a process of its own. A test that stops its server, or breaks it, takes one for itself:
//! [`Cluster::start`].
//!
//! **No server outlives its tests.** Each user of a server holds a shared lock on a file, which the
//! system takes back when the process ends in whatever way. A small shell script, which started the
//! server, waits for the exclusive lock; then it stops the server and removes the folder. Under `cargo
//! nextest` it first waits for the end of the run: between two tests a shared server stays.
//!
//! **Root.** A server refuses to run as root: there it runs as `postgres` or `nobody`.
//!
//! **A crash of the machine loses everything.** Servers don't sync their files. What was committed
//! survives the crash of a server ([`StopMode::Immediate`]), as always.

mod binaries;
mod cluster;
mod database;
mod error;
mod shared;

pub use cluster::{Cluster, StopMode};
pub use database::{TestDatabase, waiting_for_locks};
pub use error::ClusterError;
