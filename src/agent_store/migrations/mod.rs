//! The agent store's schema as migrations: the reference's names, so that each side takes the other's
//! database for its own; the scripts are ours (decision 0030).
//!
//! All migrations of a list are its baseline: a new database is made by one script, in one transaction,
//! and records all of their names, each with the script that undoes it where the specification says that
//! it can be undone. A database that has only some of them is refused, and says what to do.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use crate::db::migrations::{Baseline, Migration};

#[cfg(feature = "postgres")]
pub use postgres::POSTGRES;
#[cfg(feature = "sqlite")]
pub use sqlite::SQLITE;

/// The migrations of one kind of database.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// All of them, in order.
    pub list: &'static [Migration],
    /// What makes a new database, and how many of the list it stands for.
    pub baseline: Baseline<'static>,
}

/// A migration of the baseline, which has no script of its own and can't be undone.
const fn known(name: &'static str) -> Migration {
    Migration { name, up: "", down: None }
}

/// A migration of the baseline, and the script that undoes it.
const fn undone_by(name: &'static str, down: &'static str) -> Migration {
    Migration { name, up: "", down: Some(down) }
}
