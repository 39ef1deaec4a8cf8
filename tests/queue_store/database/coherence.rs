//! Two processes on one database, each with a cache.

use std::sync::Arc;

use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::database::{
    DatabaseQueueStore, DatabaseStoreConfig, QueueDatabase,
};
use simplex_stores::queue_store::{BasicFactory, QueueStore, StoreQueue};
use simplex_stores::testing::queue_store::ModelDatabase;
use simplex_stores::testing::queue_store::sample::{
    creds, key, keys, link, link_data, notifier, recipient, record, sender,
};

type Store = DatabaseQueueStore<ModelDatabase>;

fn open(db: ModelDatabase) -> Store {
    DatabaseQueueStore::open(db, BasicFactory, &DatabaseStoreConfig::default(), None).unwrap()
}

/// Two stores that both have queue 1 in their caches.
fn two() -> (Store, Store) {
    let one = open(ModelDatabase::new(Semantics::Strict));
    let other = open(one.database().another_process());
    one.add_queue(recipient(1), record(1)).unwrap();
    other.get_queue(&recipient(1).into()).unwrap();
    (one, other)
}

#[test]
fn race53_what_another_process_changed_is_served_when_it_is_told() {
    let (one, other) = two();
    let [here, there] = [&one, &other].map(|s| s.get_queue(&recipient(1).into()).unwrap());
    other.secure_queue(&there, key(1)).unwrap();
    other.add_notifier(&there, creds(1, None)).unwrap();
    other.add_link_data(&there, link(1), link_data(1, 1)).unwrap();
    one.database().deliver();
    let before = one.database().statements();
    for key in [sender(1).into(), notifier(1).into(), link(1).into()] {
        let (queue, shown) = one.get_queue_rec(&key).unwrap();
        assert!(Arc::ptr_eq(&queue, &here));
        assert!(Some(&*shown) == one.database().record(&recipient(1)).as_ref());
    }
    assert_eq!(one.database().statements(), before, "what was told is cached");
}

#[test]
fn race53_a_queue_that_another_process_deleted_is_gone_in_the_objects_that_users_hold() {
    let (one, other) = two();
    let here = one.get_queue(&recipient(1).into()).unwrap();
    other.delete_queue(&*other.get_queue(&recipient(1).into()).unwrap()).unwrap();
    one.database().deliver();
    assert!(here.record().read_atomic().is_none());
    assert_eq!(one.get_queue(&sender(1).into()).err(), Some(ErrorType::Auth));
    assert_eq!(one.secure_queue(&here, key(1)), Err(ErrorType::Auth));
}

#[test]
fn what_is_told_of_queues_that_nobody_has_asks_nothing() {
    let (one, other) = two();
    let queue = other.add_queue(recipient(2), record(2)).unwrap();
    other.suspend_queue(&queue).unwrap();
    let before = one.database().statements();
    one.database().deliver();
    assert_eq!(one.database().statements(), before);
}

/// A change that the other process has made impossible: the cache doubts what it has.
#[test]
fn a_change_that_finds_no_row_has_the_queue_read_again() {
    let (one, other) = two();
    let here = one.get_queue(&recipient(1).into()).unwrap();
    other.secure_queue(&*other.get_queue(&recipient(1).into()).unwrap(), key(1)).unwrap();
    assert_eq!(one.secure_queue(&here, key(2)), Err(ErrorType::Auth));
    let (_, shown) = one.get_queue_rec(&sender(1).into()).unwrap();
    assert_eq!(shown.sender_key, Some(key(1)), "not told, and seen all the same");
}

#[test]
fn out_of_sight_of_the_others_each_lookup_asks_and_shows_what_the_database_has() {
    let (one, other) = two();
    let here = one.get_queue(&recipient(1).into()).unwrap();
    let events = one.database().events().unwrap();
    events.lost();
    assert!(one.loaded_queues().unwrap().is_empty());
    for number in 2..6 {
        other.database().set_recipient_keys(&recipient(1), &keys(number)).unwrap();
        let (queue, shown) = one.get_queue_rec(&sender(1).into()).unwrap();
        assert!(Arc::ptr_eq(&queue, &here), "one queue has two objects");
        assert!(shown.recipient_keys == keys(number), "an old row is served");
    }
    events.regained();
    one.get_queue(&sender(1).into()).unwrap();
    let before = one.database().statements();
    one.get_queue(&sender(1).into()).unwrap();
    assert_eq!(one.database().statements(), before, "it is cached again");
}

/// A queue that another process deletes out of sight, and whose id this one uses again.
#[test]
fn nothing_is_left_of_a_queue_whose_id_is_used_again_out_of_sight() {
    let (one, other) = two();
    let here = one.get_queue(&recipient(1).into()).unwrap();
    let events = one.database().events().unwrap();
    events.lost();
    other.delete_queue(&*other.get_queue(&recipient(1).into()).unwrap()).unwrap();
    events.regained();
    let again = one.add_queue(recipient(1), record(2)).unwrap();
    assert!(here.record().read_atomic().is_none(), "the object of a gone queue is live");
    assert_eq!(one.get_queue(&sender(1).into()).err(), Some(ErrorType::Auth));
    assert!(Arc::ptr_eq(&one.get_queue(&sender(2).into()).unwrap(), &again));
    assert_eq!(one.loaded_queues().unwrap().len(), 1);
}

/// The object of a queue that was taken out of the cache, and then deleted by another process, isn't that of the
/// next queue with its id.
#[test]
fn a_deleted_object_stays_deleted_when_its_id_is_used_again() {
    let config = DatabaseStoreConfig::default().cache_capacity(Some(1));
    let db = ModelDatabase::new(Semantics::Strict);
    let one = DatabaseQueueStore::open(db, BasicFactory, &config, None).unwrap();
    let other = open(one.database().another_process());
    let here = one.add_queue(recipient(1), record(1)).unwrap();
    one.add_queue(recipient(2), record(2)).unwrap();
    assert_eq!(one.resting(), 1);
    other.delete_queue(&*other.get_queue(&recipient(1).into()).unwrap()).unwrap();
    one.database().deliver();
    other.add_queue(recipient(1), record(3)).unwrap();
    let again = one.get_queue(&recipient(1).into()).unwrap();
    assert!(!Arc::ptr_eq(&again, &here));
    assert!(here.record().read_atomic().is_none());
}
