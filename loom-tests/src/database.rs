//! What the races of the store over a database are made of: the model of a database, and stores on it.

use simplex_stores::protocol::{QueueLink, QueueRec, Semantics};
use simplex_stores::queue_store::database::{
    DatabaseQueueStore, DatabaseStoreConfig, QueueDatabase,
};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore, StoreQueue};
use simplex_stores::testing::queue_store::{ModelDatabase, sample};
use std::sync::Arc;

/// The store over the model of a database.
pub type DbStore = DatabaseQueueStore<ModelDatabase>;

/// A database with these queues, which no store has read yet.
pub fn database(semantics: Semantics, queues: &[(u8, QueueRec)]) -> ModelDatabase {
    let db = ModelDatabase::new(semantics);
    for (number, record) in queues {
        db.insert_queue(&sample::recipient(*number), record).expect("the ids are free");
    }
    db
}

/// The record of queue `number` with notifier `number`.
pub fn with_notifier(number: u8) -> QueueRec {
    QueueRec { notifier: Some(Box::new(sample::creds(number, None))), ..sample::record(number) }
}

/// The record of queue `number` with link 1.
pub fn with_link(number: u8) -> QueueRec {
    let link = QueueLink { id: sample::link(1), data: sample::link_data(number, 1) };
    QueueRec { link: Some(Box::new(link)), ..sample::record(number) }
}

/// A store with a cache.
pub fn cached(db: &ModelDatabase, semantics: Semantics) -> Arc<DbStore> {
    open(db, DatabaseStoreConfig::default().semantics(semantics))
}

/// A strict store without a cache.
pub fn uncached(db: &ModelDatabase) -> Arc<DbStore> {
    open(db, DatabaseStoreConfig::default().use_cache(false))
}

fn open(db: &ModelDatabase, config: DatabaseStoreConfig) -> Arc<DbStore> {
    let store = DatabaseQueueStore::open(db.clone(), BasicFactory, &config, None);
    Arc::new(store.expect("a model can be watched"))
}

/// A strict store with a cache, in which these queues are; the objects in their order.
pub fn warm(db: &ModelDatabase, numbers: &[u8]) -> (Arc<DbStore>, Vec<Arc<BasicQueue>>) {
    let store = cached(db, Semantics::Strict);
    let queues = numbers.iter().map(|number| queue(&store, *number)).collect();
    (store, queues)
}

/// The queue `number` of a store, which has it.
pub fn queue(store: &DbStore, number: u8) -> Arc<BasicQueue> {
    store.get_queue(&sample::recipient(number).into()).expect("the queue is there")
}

/// What a key finds: the record, if any.
pub fn found(store: &DbStore, key: impl Into<QueueKey>) -> Option<Arc<QueueRec>> {
    store.get_queue_rec(&key.into()).ok().map(|(_, record)| record)
}

/// Nobody holds a lock; and what the ids with these numbers lead to is what the database has, each queue as one
/// object.
///
/// # Panics
///
/// When it isn't so.
pub fn assert_coherent(store: &DbStore, numbers: &[u8]) {
    assert_eq!(store.locks_held(), 0, "a lock is held after the last call");
    let mut objects: Vec<Arc<BasicQueue>> = Vec::new();
    for number in numbers {
        let keys: [QueueKey; 4] = [
            sample::recipient(*number).into(),
            sample::sender(*number).into(),
            sample::notifier(*number).into(),
            sample::link(*number).into(),
        ];
        for key in &keys {
            let shown = store.get_queue_rec(key).ok();
            let row = store.database().find_queue(key).expect("the database is open");
            let agree = match (&shown, &row) {
                (Some((queue, shown)), Some((id, record))) => {
                    queue.recipient_id() == id && **shown == *record
                }
                (None, None) => true,
                _ => false,
            };
            assert!(agree, "the cache and the database differ");
            objects.extend(shown.map(|(queue, _)| queue));
        }
    }
    for (number, one) in objects.iter().enumerate() {
        let same = |other: &&Arc<BasicQueue>| other.recipient_id() == one.recipient_id();
        let others = objects.iter().skip(number + 1).filter(same);
        assert!(others.into_iter().all(|o| Arc::ptr_eq(o, one)), "one queue has two objects");
    }
}
