//! A database of an agent for tests and benches: as many connections as asked for, and everything that such an
//! agent has (features `testing`, and `sqlite` or `postgres`).
//!
//! ```no_run
//! use simplex_stores::agent_store::AgentStore;
//! use simplex_stores::testing::agent::{Shape, fill};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = AgentStore::config("agent.db")?;
//! let filled = fill(&config, &Shape { connections: 1_000, messages: 10, seed: 1 }, |_| {})?;
//! assert!(filled.messages <= 10_000);
//! # Ok(())
//! # }
//! ```
//!
//! The same shape makes the same rows, in either database. All rows are as the store's own operations leave them:
//! a check finds nothing. Keys have the form of keys, and are random; nothing was ever signed.
//!
//! Rows go in by thousands of connections, each a transaction; what was done before an interruption stays.

mod connections;
mod dice;
mod files;
mod handshakes;
mod messages;
mod routers;
mod rows;
mod tables;

use std::fmt;

use crate::agent_store::types::Semantics;
use crate::agent_store::{AgentStore, SchemaOptions, StoreError};
use crate::db::migrations::{ConfirmMode, MigrationError};
use crate::db::{DatabaseConfig, DbError, Sql};
use connections::Connections;
use dice::Dice;
use routers::Routers;
use rows::Rows;

/// How many connections a transaction has.
const AT_ONCE: usize = 1_000;

/// Something in a table to which rows are given numbers.
const IN_USE: Sql = Sql::new(
    "looking for rows",
    "SELECT user_id AS id FROM users
     UNION ALL SELECT snd_message_body_id FROM snd_message_bodies
     UNION ALL SELECT client_notice_id FROM client_notices
     LIMIT 1",
);

/// What a database is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many connections.
    pub connections: u32,
    /// How many messages each of them has; those without queues, one in a hundred, have none.
    pub messages: u32,
    /// What everything random is made from.
    pub seed: u64,
}

/// What a database was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Connections.
    pub connections: u64,
    /// Messages.
    pub messages: u64,
    /// Rows in all tables.
    pub rows: u64,
}

/// Why a database was not filled, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FillError {
    /// It can't be opened.
    Open(MigrationError),
    /// There is something in it.
    NotEmpty,
    /// It failed.
    Database(DbError),
    /// The store answered with this.
    Store(StoreError),
}

impl fmt::Display for FillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::NotEmpty => f.write_str("there is something in this database: name a new one"),
            Self::Database(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FillError {}

impl From<DbError> for FillError {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

/// Fills an empty database, which is made when it isn't there. `progress` is told how many connections there
/// are.
///
/// # Errors
///
/// [`FillError`]; what was committed before stays.
pub fn fill(
    config: &DatabaseConfig,
    shape: &Shape,
    mut progress: impl FnMut(u64),
) -> Result<Filled, FillError> {
    let options = SchemaOptions { confirm: ConfirmMode::Error, create_schema: true };
    let store =
        AgentStore::open(config, options, Semantics::Strict, |_| false).map_err(FillError::Open)?;
    let mut dice = Dice::new(shape.seed);
    let in_use = store
        .transaction("looking for rows", |tx| Ok(tx.statements().exists(&IN_USE, &[])?))
        .map_err(FillError::Store)?;
    if in_use {
        return Err(FillError::NotEmpty);
    }
    let routers = Routers::register(&store, &mut dice).map_err(FillError::Store)?;
    let mut rows = Rows::open(config, &store)?;
    routers.rows(&mut dice, &mut rows);
    let mut connections = Connections::new(shape, &routers);
    let mut filled = Filled::default();
    let mut ids = connections.ids(&mut dice).into_iter();
    loop {
        let batch: Vec<Vec<u8>> = ids.by_ref().take(AT_ONCE).collect();
        if batch.is_empty() {
            break;
        }
        for id in &batch {
            filled.messages += connections.add(id, &mut dice, &mut rows);
        }
        filled.connections += batch.len() as u64;
        filled.rows += rows.flush()?;
        progress(filled.connections);
    }
    filled.rows += rows.finish()?;
    store.database().close()?;
    Ok(filled)
}
