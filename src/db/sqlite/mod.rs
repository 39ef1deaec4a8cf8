//! SQLite: settings, the one connection, transactions, migrations.
//!
//! ```
//! use simplex_stores::db::{DbError, Priority, Sql};
//! use simplex_stores::db::sqlite::{SqliteConfig, SqliteDatabase};
//!
//! const CREATE: Sql = Sql::new("create notes", "CREATE TABLE notes (text TEXT NOT NULL) STRICT");
//! const ADD: Sql = Sql::new("add a note", "INSERT INTO notes (text) VALUES ($1)");
//! const COUNT: Sql = Sql::new("count notes", "SELECT count(*) AS count FROM notes");
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("notes.db");
//! let database = SqliteDatabase::open(&SqliteConfig::new(path)?)?;
//! let count: i64 = database.transaction::<_, DbError>(Priority::Ordinary, "first note", |tx| {
//!     tx.execute(&CREATE, &[])?;
//!     tx.execute(&ADD, &[&"a note"])?;
//!     tx.query_one(&COUNT, &[], |row| row.next("notes.count"))
//! })?;
//! assert_eq!(count, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }
//! ```
//!
//! **One connection.** Whoever needs it has it for himself, those in a hurry first
//! ([`Priority`](super::Priority)).
//!
//! **Encryption.** With the feature `sqlcipher`, a file can be [encrypted](SqliteConfig::encrypted) by SQLCipher.
//!
//! **One writer.** A transaction takes the file's write lock when it begins, so that nothing in it can
//! be refused for what another process does. Processes wait for each other, for as long as the settings
//! say (AS-5). Waiting is SQLite's own; a transaction's work runs once.

mod backup;
mod config;
mod connection;
mod database;
mod error;
mod key;
mod migrate;
mod query_stats;
mod statements;
mod transaction;

pub use config::{RegisterFunctions, SqliteConfig};
pub use database::SqliteDatabase;
pub(super) use database::snapshot;
pub use key::DatabaseKey;
pub use migrate::SqliteMigrator;
pub use query_stats::{QueryStats, QueryTracking};

/// The driver, for functions that are registered on its connections.
pub use rusqlite;
