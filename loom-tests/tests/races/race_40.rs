//! RACE-40: maps of locks.
//!
//! **The race.** The reference keeps its locks in maps. Deleting a queue takes its lock out of the map, although others hold it or wait for it;
//! whoever comes next makes another one.
//!
//! ```text
//! A   holds the lock of k ............................   and works
//! B                          takes it out of the map
//! C                                                      makes a lock for k, and works
//! ```
//!
//! **What follows.** Two locks guard one key. And locks that nobody takes out stay for ever: after a failed addition, after a
//! notifier was replaced.
//!
//! **What the library does.** No object stands for a lock: to hold a key is to have it in a set, which a transaction enters when it isn't
//! there (`queue_store::database::locks`). Giving it back takes it out of the set, and nothing of it is left.

use loom_tests::database::{DbStore, database, warm};
use loom_tests::scenario::{both, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::database::{StoreFault, without};
use simplex_stores::queue_store::{BasicQueue, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_two_locks_guard_one_key() {
    must_find_steps("race_40/witness", 2, |steps| {
        // The number of the lock in the map, if there is one, and how many hold a lock of the key.
        let map = Arc::new(Mutex::new((Some(1), 1)));
        steps.take("A", "holds lock 1, which the map has for key k");
        let (other, log) = (map.clone(), steps.clone());
        let (second, ()) = two(
            move || {
                let mut state = other.lock();
                let made = state.0.is_none();
                if made {
                    *state = (Some(2), 2);
                    log.take("C", "finds no lock for k: makes lock 2, and holds it");
                }
                made
            },
            || {
                map.lock().0 = None;
                steps.take("B", "deletes the queue: takes the lock out of the map");
            },
        );
        steps.take("A", "changes what k guards, beside C");
        second
    });
}

type Changes = fn(&DbStore, &BasicQueue, u8) -> Result<(), ErrorType>;

/// Two threads change a queue in a database in which a change takes several steps.
fn two_changes(change: Changes) {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]).with_connections(2);
    let (store, queues) = warm(&db, &[1]);
    let shared = store.clone();
    both(move |n| {
        let answer = change(&shared, &queues[0], n);
        assert!(answer.is_ok() || answer == Err(ErrorType::Auth), "answered {answer:?}");
    });
    assert_eq!(db.overlaps(), 0, "two locks guard one queue");
    assert_eq!(store.locks_held(), 0, "a lock stays");
}

const SECURED_TWICE: Changes = |store, queue, n| store.secure_queue(queue, sample::key(n));

const CHANGED_AND_DELETED: Changes = |store, queue, n| match n {
    1 => store.suspend_queue(queue),
    _ => store.delete_queue(queue).map(drop),
};

#[test]
fn proof_changes_of_one_queue_come_one_after_the_other() {
    explore("race_40/changes", 2, || two_changes(SECURED_TWICE));
    explore("race_40/delete", 2, || two_changes(CHANGED_AND_DELETED));
}

#[test]
fn twin_without_locks_they_overlap() {
    must_fail("race_40/no_locks", 2, "two locks guard one queue", || {
        without(StoreFault::NoLocks, || two_changes(SECURED_TWICE));
    });
}

/// A holds the lock, B deletes the queue, and C changes it through the object that it has.
#[test]
fn proof_who_waits_for_the_lock_of_a_deleted_queue_waits_for_the_same() {
    explore("race_40/three", 1, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1))]).with_connections(3);
        let (store, queues) = warm(&db, &[1]);
        let change = |what: Changes, n: u8| {
            let (store, queue) = (store.clone(), queues[0].clone());
            spawn(move || what(&store, &queue, n))
        };
        let a = change(SECURED_TWICE, 1);
        let b = change(CHANGED_AND_DELETED, 2);
        let c = SECURED_TWICE(&store, &queues[0], 2);
        let (a, b) = (a.join().unwrap(), b.join().unwrap());
        assert!(b.is_ok() && !(a.is_ok() && c.is_ok()));
        assert_eq!(db.overlaps(), 0, "two locks guard one queue");
        assert_eq!(store.locks_held(), 0, "a lock stays");
    });
}

/// A refused addition, and one that is refused because of the other.
#[test]
fn proof_a_refused_addition_leaves_no_lock() {
    explore("race_40/refused", 3, || {
        let (store, _) = warm(&database(Semantics::Strict, &[]), &[]);
        let other = store.clone();
        let add =
            |store: &DbStore| store.add_queue(sample::recipient(1), sample::record(1)).is_ok();
        let (a, b) = two(move || add(&other), || add(&store));
        assert!(a != b, "a queue was added twice, or not at all");
        assert_eq!(store.locks_held(), 0, "a lock stays");
    });
}

#[test]
fn twin_a_refused_change_that_keeps_its_lock_leaves_it_behind() {
    must_fail("race_40/kept", 2, "a lock stays", || {
        without(StoreFault::KeptLocks, || two_changes(SECURED_TWICE));
    });
}
