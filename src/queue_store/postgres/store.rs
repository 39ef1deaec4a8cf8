//! Opening the queue store.

use super::{PostgresQueueStoreConfig, PostgresQueues};
use crate::db::migrations::{Migrated, MigrationError, Question};
use crate::queue_store::QueueFactory;
use crate::queue_store::database::DatabaseQueueStore;
use crate::queue_store::queue::BasicFactory;
use crate::store_log::Journal;

/// The queue store in a PostgreSQL database; see [`database`](crate::queue_store::database) for how it works.
pub type PostgresQueueStore<F = BasicFactory> = DatabaseQueueStore<PostgresQueues, F>;

impl<F: QueueFactory> PostgresQueueStore<F> {
    /// Opens the database, brings its schema to the program's version as far as the settings permit (`ask` is
    /// called where they say that somebody is asked), and makes a store over it (OP-1).
    ///
    /// `journal` is written beside the database (PG-17); [`Journal::open_append`] opens one.
    ///
    /// # Errors
    ///
    /// As [`PostgresQueues::open`]. Nothing ends the process (PG-39, decision 0024).
    pub fn connect(
        config: &PostgresQueueStoreConfig,
        factory: F,
        journal: Option<Journal>,
        ask: impl FnMut(&Question<'_>) -> bool,
    ) -> Result<(Self, Migrated), MigrationError> {
        let (queues, migrated) = PostgresQueues::open(config, ask)?;
        let store = Self::open(queues, factory, &config.store, journal)?;
        Ok((store, migrated))
    }
}
