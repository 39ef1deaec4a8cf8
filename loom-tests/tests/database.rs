//! The store over a database, beyond the races of the catalogue: what several keys find at one moment, what is cached beside what is asked of the
//! database, and queues that are taken out of a full cache.
#![cfg(any(loom, shuttle))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use loom_tests::database::{DbStore, assert_coherent, database, found, queue, warm};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail};
use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::database::{
    DatabaseQueueStore, DatabaseStoreConfig, StoreFault, without,
};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueStore, StoreQueue};
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

type Found = [bool; 2];

/// Queue 1 is cached. `change` deletes it and adds queue 2, in its order; `look` looks both up.
fn looked_up_beside(change: impl Fn(&DbStore, &BasicQueue), look: fn(&DbStore) -> Found) -> Found {
    let (store, queues) = warm(&database(Semantics::Strict, &[(1, sample::record(1))]), &[1]);
    let other = store.clone();
    let (found, ()) = two(move || look(&other), || change(&store, &queues[0]));
    assert_coherent(&store, &[1, 2]);
    found
}

fn add_second(store: &DbStore) {
    store.add_queue(sample::recipient(2), sample::record(2)).unwrap();
}

fn batch(store: &DbStore) -> Found {
    let ids = [1, 2].map(sample::recipient);
    let found = store.get_queues(&ids).unwrap();
    [found[0].is_ok(), found[1].is_ok()]
}

fn deleted_then_added(look: fn(&DbStore) -> Found) {
    let found = looked_up_beside(
        |store, first| {
            store.delete_queue(first).unwrap();
            add_second(store);
        },
        look,
    );
    assert_ne!(found, [true, true], "found at two moments");
}

fn added_then_deleted(look: fn(&DbStore) -> Found) {
    let found = looked_up_beside(
        |store, first| {
            add_second(store);
            store.delete_queue(first).unwrap();
        },
        look,
    );
    assert_ne!(found, [false, false], "found at two moments");
}

#[test]
fn a_batch_is_of_one_moment() {
    explore("database/batch_deleted_added", 2, || deleted_then_added(batch));
    explore("database/batch_added_deleted", 2, || added_then_deleted(batch));
}

#[test]
fn twin_rows_that_join_cached_queues_unchecked_are_of_two() {
    must_fail("database/unchecked", 2, "found at two moments", || {
        without(StoreFault::UncheckedLoads, || deleted_then_added(batch));
    });
}

#[test]
fn twin_two_lookups_are_of_two() {
    must_fail("database/two_lookups", 2, "found at two moments", || {
        added_then_deleted(|store| {
            let second = found(store, sample::recipient(2)).is_some();
            [found(store, sample::recipient(1)).is_some(), second]
        });
    });
}

/// Who has counted a queue as gone isn't served it; who has counted it as there finds it.
fn counted_and_looked_up(change: fn(&DbStore, Option<&BasicQueue>)) {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let (store, queues) = warm(&db, &[1]);
    let reader = store.clone();
    let read = move || {
        let count = reader.entity_counts().unwrap().queues;
        let found = [1, 2].map(|n| found(&reader, sample::sender(n)).is_some());
        (count, found)
    };
    let ((count, found), ()) = two(read, || change(&store, queues.first().map(|queue| &**queue)));
    match count {
        0 => assert_eq!(found, [false, false], "counted as gone, and served"),
        2 => assert_eq!(found, [true, true], "counted, and not found"),
        _ => assert!(found[0] || store.entity_counts().unwrap().queues == 0),
    }
    assert_coherent(&store, &[1, 2]);
}

const DELETE: fn(&DbStore, Option<&BasicQueue>) = |store, queue| {
    store.delete_queue(queue.unwrap()).unwrap();
};

#[test]
fn what_was_counted_is_found_and_what_was_not_is_not() {
    explore("database/counted_deleted", 3, || counted_and_looked_up(DELETE));
    explore("database/counted_added", 3, || counted_and_looked_up(|store, _| add_second(store)));
}

#[test]
fn twins_a_cache_that_is_served_during_a_change_differs_from_the_counts() {
    let twins =
        [StoreFault::UncheckedServing, StoreFault::UncheckedLocks, StoreFault::EarlyRelease];
    for fault in twins {
        must_fail("database/served", 3, "counted as gone, and served", move || {
            without(fault, || counted_and_looked_up(DELETE));
        });
    }
}

/// A cache for one queue, which two threads want for two; one of them changes the queue that it holds.
#[test]
fn a_held_queue_that_is_taken_out_of_the_cache_stays_the_queue() {
    explore("database/taken_out", 2, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1)), (2, sample::record(2))]);
        let config = DatabaseStoreConfig::default().cache_capacity(Some(1));
        let store = DatabaseQueueStore::open(db.clone(), BasicFactory, &config, None).unwrap();
        let store = Arc::new(store);
        let held = queue(&store, 1);
        let loads = store.clone();
        two(move || drop(queue(&loads, 2)), || store.secure_queue(&held, sample::key(1)).unwrap());
        assert!(Arc::ptr_eq(&queue(&store, 1), &held), "one queue has two objects");
        let record = held.record().read_atomic();
        assert!(record.as_deref() == db.record(&sample::recipient(1)).as_ref());
        assert_coherent(&store, &[1, 2]);
    });
}

/// A deletion beside the load that takes the queue out of the cache.
#[test]
fn a_queue_that_is_deleted_while_it_is_taken_out_is_gone() {
    explore("database/taken_out_deleted", 2, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1)), (2, sample::record(2))]);
        let config = DatabaseStoreConfig::default().cache_capacity(Some(1));
        let store = DatabaseQueueStore::open(db, BasicFactory, &config, None).unwrap();
        let store = Arc::new(store);
        let held = queue(&store, 1);
        let loads = store.clone();
        two(move || drop(queue(&loads, 2)), || store.delete_queue(&held).unwrap());
        assert_eq!(store.get_queue(&sample::sender(1).into()).err(), Some(ErrorType::Auth));
        assert!(held.record().read_atomic().is_none());
        assert_coherent(&store, &[1, 2]);
    });
}
