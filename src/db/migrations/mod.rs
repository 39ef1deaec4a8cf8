//! Migrations: what a program's database should look like, and how a database gets there.
//!
//! A program has a list of [`Migration`]s; a database has a table with the names of those that were
//! applied, each with the script that undoes it. [`compare`] says what lies between the two, and
//! [`migrate`] does it, in the direction and with the permission that a [`ConfirmMode`] gives.
//!
//! A program may start new databases from one script instead ([`migrate_from`]).
//!
//! **The promise.** Each migration is one transaction: it and its row are there, or neither. Nothing is
//! undone unless that was asked for. Who migrates has the database's migrations for himself, from
//! reading the list to the last change ([`MigrationTarget`]).

mod compare;
mod error;
mod run;

pub use compare::{AppliedMigration, DownMigration, Migration, Plan, compare};
pub use error::{MigrationError, PlanError, UpMigration};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use run::too_old;
pub use run::{Baseline, ConfirmMode, Migrated, MigrationTarget, Question, migrate, migrate_from};
