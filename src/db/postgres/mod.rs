//! PostgreSQL: settings, the pool of connections, transactions and rows.
//!
//! ```no_run
//! use simplex_stores::db::{DbError, Sql};
//! use simplex_stores::db::postgres::{Pool, PostgresConfig, Statements};
//!
//! const LIVE: Sql =
//!     Sql::new("count live", "SELECT count(*) FROM msg_queues WHERE deleted_at IS NULL");
//!
//! # fn main() -> Result<(), DbError> {
//! let config = PostgresConfig::parse("postgres://router@db.example/smp")?.pool_size(4);
//! let pool = Pool::open(&config)?;
//! let live: i64 = pool.transaction("count queues", |tx| {
//!     let row = tx.query_one(&LIVE, &[])?;
//!     simplex_stores::db::postgres::Columns::of("msg_queues", &row).next("count")
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! **Connections** are made with the schema as the only one in their search path, and with limits on
//! how long a statement, and an idle transaction, may last; the server sees to these limits, nothing on the
//! client's side does. A pool waits for a free connection as long as its settings say, and then gives an
//! error. When one connection breaks, all others are looked at before they are used again, so a server that
//! was restarted fails at most the calls that were running then. Each look may take that time again, and
//! when there is no answer, the next connection is waited for anew: until all have been looked at, a caller
//! may wait several times as long. What the server still does for a connection that broke, it might finish
//! later: so that session is ended, in that time too, before the pool hands out another connection, and what
//! is read then is what came of it (RACE-70).
//!
//! **Transactions** run at the server's default isolation (PG-8). They are committed only when their
//! work returned `Ok` and none of their statements failed outside a savepoint: a server answers the
//! commit of a failed transaction by rolling it back without an error.

mod backend;
mod columns;
mod config;
mod connection;
mod copy;
mod error;
mod listener;
mod migrate;
mod pgcrypto;
mod pool;
mod pools;
mod server_session;
mod transaction;

pub use columns::Columns;
pub use config::{PostgresConfig, SchemaName};
pub use copy::{CopyIn, RowsIn};
pub use listener::{Listener, Notification};
pub use migrate::{CreateSchema, PostgresMigrator};
pub use pgcrypto::ensure_pgcrypto;
pub use pool::Pool;
pub use pools::Pools;
pub use server_session::ServerSession;
pub use transaction::{Params, Session, Statements, Transaction};

/// A row, and what can be bound as a parameter, as the driver knows them.
pub use postgres::{Row, types};
