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
//! | `database` | `Database`: whichever the user chose when the program ran |
//! | `tx` | `Tx`: a transaction on either |
//! | `connection` | `Connection`: statements without a transaction |
//! | `fault` | what tests do to transactions |
//! | `param`, `row`, `utc_time` | values bound to parameters, and read from columns |
//! | `sqlite` (its feature) | SQLite: settings, the one connection, transactions |
//! | `postgres` (its feature) | PostgreSQL: settings, connections, the pool, transactions, rows |
//!
//! Nothing here knows a store. What is particular to one database stands in its own folder.
//!
//! **Written once.** A store that runs on both databases has functions that take a `Tx`. Their statements
//! are written once where the databases agree, which is nearly everywhere:
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use simplex_stores::db::{DbError, Row, Sql, Tx};
//!
//! const ADD: Sql =
//!     Sql::new("add a note", "INSERT INTO notes (text) VALUES ($1) RETURNING note_id");
//! const READ: Sql = Sql::new("read a note", "SELECT text, seen FROM notes WHERE note_id = $1");
//! // Rows that are read to be changed are locked where there may be two writers.
//! const LOCK: Sql =
//!     Sql::new("lock a note", "SELECT text, seen FROM notes WHERE note_id = $1").locking("FOR UPDATE");
//!
//! struct Note { text: String, seen: bool }
//!
//! fn add_note(tx: &mut Tx<'_>, text: &str) -> Result<i64, DbError> {
//!     tx.query_one(&ADD, &[&text], |row| row.next("notes.note_id"))
//! }
//!
//! fn get_note(tx: &mut Tx<'_>, id: i64) -> Result<Option<Note>, DbError> {
//!     tx.query_opt(&READ, &[&id], note)
//! }
//!
//! fn note(row: &mut Row<'_>) -> Result<Note, DbError> {
//!     Ok(Note { text: row.next("notes.text")?, seen: row.next("notes.seen")? })
//! }
//! ```
//!
//! **The tests that show it.** `tests/databases/` runs each law on SQLite and on a real PostgreSQL server;
//! `tests/sqlite/` and `tests/postgres/` have what is particular to one of them.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod connection;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database;
mod error;
#[cfg(feature = "testing")]
pub mod fault;
#[cfg(not(feature = "testing"))]
mod fault;
pub mod migrations;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod param;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod row;
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod tx;
mod utc_time;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use crate::sync::Priority;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use connection::Connection;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use database::{Database, DatabaseConfig};
pub use error::{DbError, DbErrorKind, Violation, ViolationKind};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use param::{Param, Params, ToParam};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use row::{Cell, FromCell, Row, Unreadable};
pub use sql::{Sql, Texts};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use tx::{Dialect, Tx};
pub use utc_time::UtcTime;
