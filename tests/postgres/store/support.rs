//! Stores over a database of their own.

use simplex_stores::queue_store::BasicFactory;
use simplex_stores::queue_store::postgres::{PostgresQueueStore, PostgresQueueStoreConfig};
use simplex_stores::testing::postgres::TestDatabase;

use crate::fixture::{client, with_schema};

/// A database whose stores are opened one after the other, each empty.
pub(crate) struct Databases {
    database: TestDatabase,
}

impl Databases {
    pub(crate) fn new() -> Self {
        Self { database: with_schema() }
    }

    pub(crate) fn config(&self) -> PostgresQueueStoreConfig {
        PostgresQueueStoreConfig::new(self.database.config().unwrap().pool_size(4))
    }

    /// A store over tables that were emptied.
    pub(crate) fn empty(&self, config: &PostgresQueueStoreConfig) -> PostgresQueueStore {
        client(&self.database).batch_execute("TRUNCATE msg_queues, services CASCADE").unwrap();
        open(config)
    }
}

/// A store over the tables as they are.
pub(crate) fn open(config: &PostgresQueueStoreConfig) -> PostgresQueueStore {
    let opened = PostgresQueueStore::connect(config, BasicFactory, None, |_| {
        panic!("nobody is to be asked")
    });
    opened.unwrap().0
}
