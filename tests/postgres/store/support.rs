//! Stores over a database of their own, and how what they have cached is compared with it.

use std::collections::BTreeMap;

use simplex_stores::db::postgres::PostgresConfig;
use simplex_stores::protocol::{QueueRec, RecipientId, Semantics};
use simplex_stores::queue_store::postgres::rows::{QUEUE_COLUMNS, QueueRow};
use simplex_stores::queue_store::postgres::{PostgresQueueStore, PostgresQueueStoreConfig};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StoreQueue};
use simplex_stores::sync::thread;
use simplex_stores::testing::postgres::TestDatabase;

use crate::fixture::{client, with_schema};

/// A database whose stores are opened one after the other, each empty.
pub(crate) struct Databases {
    pub(crate) database: TestDatabase,
}

impl Databases {
    pub(crate) fn new() -> Self {
        Self { database: with_schema() }
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        &self.database
    }

    pub(crate) fn config(&self) -> PostgresQueueStoreConfig {
        PostgresQueueStoreConfig::new(self.settings())
    }

    pub(crate) fn settings(&self) -> PostgresConfig {
        self.database.config().unwrap().pool_size(4)
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

/// The live queues, as the server has them.
pub(crate) fn rows(client: &mut postgres::Client) -> BTreeMap<RecipientId, QueueRec> {
    let columns = QUEUE_COLUMNS.join(", ");
    let sql = format!("SELECT {columns} FROM smp_server.msg_queues WHERE deleted_at IS NULL");
    let rows = client.query(&sql, &[]).unwrap();
    let read = |row| QueueRow::read(row).unwrap().decode(Semantics::Strict).unwrap();
    rows.iter().map(read).collect()
}

/// Compares each record that the store serves, from the cache and by each of the ids, with the row.
pub(crate) fn assert_serves(
    store: &PostgresQueueStore,
    rows: &BTreeMap<RecipientId, QueueRec>,
    what: &str,
) {
    for queue in store.loaded_queues().unwrap() {
        let (id, record) = (queue.recipient_id(), queue.record().read_atomic());
        assert_eq!(record.as_deref(), rows.get(id), "{what}: cached of {id}");
    }
    for (id, row) in rows {
        let keys = [Some(id.clone().into()), Some(row.sender_id.clone().into())];
        let notifier = row.notifier.as_ref().map(|creds| creds.notifier_id.clone().into());
        let link = row.link.as_ref().map(|link| link.id.clone().into());
        for key in keys.into_iter().chain([notifier, link]).flatten() {
            let key: QueueKey = key;
            let (queue, record) = store.get_queue_rec(&key).unwrap();
            assert_eq!((queue.recipient_id(), &*record), (id, row), "{what}: found by {key:?}");
        }
    }
    assert_eq!(store.locks_held(), 0, "{what}");
}

/// How many there are.
pub(crate) fn count(client: &mut postgres::Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).unwrap().get(0)
}

/// Asks until there are so many: nothing else says what a server's process does.
pub(crate) fn until(client: &mut postgres::Client, sql: &str, number: i64) {
    while count(client, sql) != number {
        thread::yield_now();
    }
}

/// How many of this database's sessions wait for a lock.
pub(crate) const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";
