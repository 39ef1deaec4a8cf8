//! Looking after a router's database: what state it is in, whether it holds together, and removing what
//! was deleted long ago.
//!
//! **The tests that show it.** `tests/postgres/maintenance.rs`, on a real server.

mod aggregates;
mod check;
mod purge;
mod repair;
mod status;

pub use aggregates::AggregateDrift;
pub use check::{CheckReport, check};
pub use purge::{Retention, purge};
pub use repair::{Repaired, repair};
pub use status::{DatabaseCounts, DatabaseStatus, TableSize, status};

pub(super) use aggregates::{drifted_services, recompute_aggregates};
