//! The journal: start-up, replay, writing, faults, backups, integrity, snapshots.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod append;
mod backups;
mod bit_flips;
#[path = "../campaign/mod.rs"]
mod campaign;
mod crash_points;
mod damage;
mod every_kind;
mod faults;
mod files;
mod fuzzing;
mod group_commit;
mod integrity;
mod ownership;
mod panics;
mod power_losses;
mod reading;
mod replay;
mod snapshot;
mod support;
