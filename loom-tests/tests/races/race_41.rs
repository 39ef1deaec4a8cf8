//! RACE-41: stepwise cache updates.
//!
//! **The race.** The reference changes one cache after the other. A load that read its row before a queue was deleted adds
//! its entry after the clean-up.
//!
//! ```text
//! A   reads the row of s ........................   cache of senders: s is q
//! B                        deletes q, cleans up
//! ```
//!
//! **What follows.** The entry stays for ever, and leads to a queue that is gone; were it not for a tombstone, the queue would live again
//! (PG-34). A reader between two entries of an addition loads a second object (PG-2).
//!
//! **What the library does.** A change reaches all indexes and gives the queue's lock back in one transaction (`queue_store::database::change`). A
//! row that was read enters in a transaction that finds the lock free, and nothing changed since before the row was read
//! (`queue_store::database::cache`).

use loom_tests::database::{assert_coherent, cached, database, found, queue, with_notifier};
use loom_tests::scenario::{both, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, QueueRec, Semantics};
use simplex_stores::queue_store::database::{StoreFault, without};
use simplex_stores::queue_store::{BasicQueue, QueueKey, QueueStore, StoreQueue};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_slow_load_leaves_an_entry_behind() {
    must_find_steps("race_41/witness", 2, |steps| {
        // Whether the row is there, and whether the cache of senders has it.
        let shared = Arc::new(Mutex::new((true, false)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let there = other.lock().0;
                if !there {
                    return;
                }
                log.take("A", "looks up sender s: reads the row of q");
                let mut state = other.lock();
                state.1 = true;
                log.take("A", "notes in the cache of senders: s is q");
            },
            || {
                shared.lock().0 = false;
                steps.take("B", "deletes q in the database");
                let mut state = shared.lock();
                state.1 = false;
                steps.take("B", "takes s out of the cache of senders");
            },
        );
        let left = *shared.lock() == (false, true);
        steps.take("client", "sends to s: the cache leads to a queue that is gone");
        left
    });
}

/// One thread looks a queue up that another deletes through an object that it has.
fn a_load_beside_a_deletion(semantics: Semantics, key: impl Fn() -> QueueKey) {
    let db = database(semantics, &[(1, with_notifier(1))]);
    let store = cached(&db, semantics);
    // As a user has it who found it before, and whose process then forgot it.
    let held = Arc::new(BasicQueue::new(sample::recipient(1), Arc::new(with_notifier(1))));
    let (other, asked) = (store.clone(), key());
    let (_, last) =
        two(move || drop(other.get_queue(&asked)), || store.delete_queue(&held).unwrap());
    assert!(*last == with_notifier(1) && held.record().read_atomic().is_none());
    assert!(found(&store, key()).is_none(), "a queue that is gone is served");
    if semantics == Semantics::Strict {
        assert!(store.loaded_queues().unwrap().is_empty(), "an entry stays behind");
        assert_eq!(store.get_queue(&key()).err(), Some(ErrorType::Auth));
    }
    assert_eq!(store.locks_held(), 0);
}

#[test]
fn proof_a_slow_load_leaves_nothing_behind() {
    explore("race_41/recipient", 3, || {
        a_load_beside_a_deletion(Semantics::Strict, || sample::recipient(1).into());
    });
    explore("race_41/sender", 3, || {
        a_load_beside_a_deletion(Semantics::Strict, || sample::sender(1).into());
    });
    explore("race_41/notifier", 3, || {
        a_load_beside_a_deletion(Semantics::Strict, || sample::notifier(1).into());
    });
    explore("race_41/reference", 3, || {
        a_load_beside_a_deletion(Semantics::Reference, || sample::sender(1).into());
    });
}

#[test]
fn twin_a_row_that_enters_unchecked_revives_a_deleted_queue() {
    must_fail("race_41/unchecked", 2, "a queue that is gone is served", || {
        without(StoreFault::UncheckedLoads, || {
            a_load_beside_a_deletion(Semantics::Strict, || sample::sender(1).into());
        });
    });
}

/// PG-2: whoever finds a queue that is being added finds the object that the addition gives.
fn a_load_beside_an_addition() {
    let store = cached(&database(Semantics::Strict, &[]), Semantics::Strict);
    let other = store.clone();
    let look = move || other.get_queue_rec(&sample::sender(1).into());
    let add = || store.add_queue(sample::recipient(1), with_notifier(1)).unwrap();
    let (found, added) = two(look, add);
    if let Ok((queue, record)) = found {
        assert!(Arc::ptr_eq(&queue, &added), "one queue has two objects");
        assert!(*record == with_notifier(1));
    }
    assert!(Arc::ptr_eq(&queue(&store, 1), &added), "one queue has two objects");
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_a_queue_that_is_being_added_has_one_object() {
    explore("race_41/added", 3, a_load_beside_an_addition);
}

#[test]
fn twin_without_the_lock_it_has_two() {
    must_fail("race_41/no_locks", 3, "one queue has two objects", || {
        without(StoreFault::NoLocks, a_load_beside_an_addition);
    });
}

/// What is served beside a change is what the database has had by then, and what was served once isn't taken back.
fn two_reads_beside_a_change() {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let store = cached(&db, Semantics::Strict);
    let held = queue(&store, 1);
    let other = store.clone();
    let keys = |record: &QueueRec| record.recipient_keys.clone();
    let reads = move || {
        let cached = |_| keys(&found(&other, sample::recipient(1)).unwrap());
        let first = cached(());
        let database = keys(&other.database().record(&sample::recipient(1)).unwrap());
        (first, database, cached(()))
    };
    let (reads, ()) = two(reads, || store.update_keys(&held, sample::keys(9)).unwrap());
    let (old, new) = (sample::keys(1), sample::keys(9));
    let order = [reads.0, reads.1, reads.2].map(|read| {
        if read == old {
            0
        } else {
            assert!(read == new);
            1
        }
    });
    assert!(order.is_sorted(), "the cache is behind the database, {order:?}");
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_the_cache_is_never_behind_what_was_read_of_the_database() {
    explore("race_41/in_step", 3, two_reads_beside_a_change);
}

#[test]
fn twins_a_cache_that_is_served_during_a_change_is_behind() {
    let twins = [
        ("unchecked_serving", StoreFault::UncheckedServing),
        ("unchecked_locks", StoreFault::UncheckedLocks),
        ("early_release", StoreFault::EarlyRelease),
    ];
    for (name, fault) in twins {
        must_fail(&format!("race_41/{name}"), 3, "is behind the database", move || {
            without(fault, two_reads_beside_a_change);
        });
    }
}

/// Two changes of one queue reach the cache in the order in which the database made them, also beside a load.
fn two_changes() {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let store = cached(&db, Semantics::Strict);
    let held = queue(&store, 1);
    let (shared, queue) = (store.clone(), held.clone());
    both(move |n| shared.update_keys(&queue, sample::keys(n)).unwrap());
    assert!(
        held.record().read_atomic().as_deref() == db.record(&sample::recipient(1)).as_ref(),
        "the cache and the database differ"
    );
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_changes_reach_the_cache_in_the_databases_order() {
    explore("race_41/changes", 3, two_changes);
}

#[test]
fn twin_without_the_lock_they_do_not() {
    must_fail("race_41/no_order", 3, "the cache and the database differ", || {
        without(StoreFault::NoLocks, two_changes);
    });
}

/// A load, a change of the queue, and its deletion, each by a thread.
#[test]
fn proof_a_load_beside_a_change_and_a_deletion_leaves_nothing_behind() {
    explore("race_41/three", 1, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1))]);
        let store = cached(&db, Semantics::Strict);
        let held = Arc::new(BasicQueue::new(sample::recipient(1), Arc::new(sample::record(1))));
        let (loads, changes, changed) = (store.clone(), store.clone(), held.clone());
        let load = spawn(move || drop(loads.get_queue(&sample::sender(1).into())));
        let change = spawn(move || changes.secure_queue(&changed, sample::key(1)));
        store.delete_queue(&held).unwrap();
        load.join().unwrap();
        let changed = change.join().unwrap();
        assert!(changed.is_ok() || changed == Err(ErrorType::Auth));
        assert!(store.loaded_queues().unwrap().is_empty(), "an entry stays behind");
        assert_coherent(&store, &[1]);
    });
}
