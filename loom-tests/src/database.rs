//! What the races of the store over a database are made of: the model of a database, and stores on it.

use simplex_stores::protocol::{LinkId, NotifierId, QueueLink, QueueRec, Semantics};
use simplex_stores::queue_store::database::{
    DatabaseQueueStore, DatabaseStoreConfig, QueueDatabase,
};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore};
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

/// Nobody holds a lock; and whatever is looked up of queues, notifiers and links with these numbers is what the
/// database has, each queue under all its ids as one object.
///
/// # Panics
///
/// When it isn't so.
pub fn assert_coherent(store: &DbStore, numbers: &[u8]) {
    assert_eq!(store.locks_held(), 0, "a lock is held after the last call");
    let db = store.database();
    for number in numbers {
        let in_database = db.record(&sample::recipient(*number));
        let (mut notifier, mut link) = (None, None);
        match store.get_queue_rec(&sample::recipient(*number).into()) {
            Ok((queue, record)) => {
                assert!(
                    in_database.as_ref() == Some(&*record),
                    "the cache and the database differ"
                );
                let keys = [
                    Some(QueueKey::from(record.sender_id.clone())),
                    record.notifier.as_ref().map(|creds| creds.notifier_id.clone().into()),
                    record.link.as_ref().map(|link| link.id.clone().into()),
                ];
                for key in keys.into_iter().flatten() {
                    let other = store.get_queue(&key).expect("the cache lacks an id of a queue");
                    assert!(Arc::ptr_eq(&queue, &other), "one queue has two objects");
                }
                notifier = record.notifier.as_ref().map(|creds| creds.notifier_id.clone());
                link = record.link.as_ref().map(|link| link.id.clone());
            }
            Err(_) => {
                assert!(in_database.is_none(), "the cache lacks a queue");
                let gone = store.get_queue(&sample::sender(*number).into());
                assert!(gone.is_err(), "a queue that is gone is found by its sender");
            }
        }
        assert_leads_nowhere_else(store, *number, notifier.as_ref(), link.as_ref());
    }
}

/// The notifier and the link with this number are nobody's, unless they are those.
fn assert_leads_nowhere_else(
    store: &DbStore,
    number: u8,
    notifier: Option<&NotifierId>,
    link: Option<&LinkId>,
) {
    let (one, other) = (sample::notifier(number), sample::link(number));
    if notifier != Some(&one)
        && let Some(record) = found(store, one.clone())
    {
        let carries = record.notifier.as_ref().is_some_and(|creds| creds.notifier_id == one);
        assert!(carries, "a notifier leads to a queue without it");
    }
    if link != Some(&other)
        && let Some(record) = found(store, other.clone())
    {
        let carries = record.link.as_ref().is_some_and(|link| link.id == other);
        assert!(carries, "a link leads to a queue without it");
    }
}
