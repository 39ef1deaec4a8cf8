//! What the stores in databases share: connections, transactions, errors and migrations.
//!
//! **The promise.** A transaction is done whole or not at all, and whoever asked is told which, or
//! that it can't be known ([`DbErrorKind::Unclear`], RACE-70). An error says what was being done,
//! where, and what to do about it, and holds no credentials and no values of rows (RACE-17). An
//! interrupted migration leaves the database as it was.
//!
//! **How values travel.** The text of a statement is a constant of the program ([`Sql`]), so no value
//! from outside can become a part of it: values are bound as parameters, always.
//!
//! | file | what is there |
//! |---|---|
//! | `error` | [`DbError`]: what went wrong, classified |
//! | `sql` | [`Sql`]: a statement and its name |
//! | [`migrations`] | comparing a program's migrations with a database's, and running what is missing |
//! | `postgres` (its feature) | PostgreSQL: settings, connections, the pool, transactions, rows |
//!
//! Nothing here knows a store. What is particular to one database stands in its own folder, and the
//! rest is written so that another database can stand beside it.
//!
//! **The tests that show it.** `tests/postgres/`, on a real server.

mod error;
pub mod migrations;
#[cfg(feature = "postgres")]
pub mod postgres;
mod sql;

pub use error::{DbError, DbErrorKind, Violation, ViolationKind};
pub use sql::Sql;
