//! RACE-53: two routers on one schema.
//!
//! **The race.** Nothing keeps a second router from the same database, and each has a cache of its own.
//!
//! ```text
//! A   caches q .......................   serves q: not secured
//! B                    secures q
//! ```
//!
//! **What follows.** Caches, tombstones and locks are those of one process: what the other changed is never seen.
//!
//! **What the library does.** Each process is told what others changed, and reads what it has of that again, under the queues' locks
//! (`queue_store::database::coherence`). What is told counts as a change, so a row that was read before it doesn't enter the cache
//! afterwards. While a process can't be told, it serves nothing from the cache, and what it read before that is never served again.

use loom_tests::database::{DbStore, assert_coherent, cached, database, found, queue, warm};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{QueueRec, RecipientKeys, Semantics};
use simplex_stores::queue_store::database::{QueueDatabase, StoreFault, without};
use simplex_stores::queue_store::{QueueStore, StoreQueue};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::queue_store::{ModelDatabase, sample};
use std::sync::Arc;

#[test]
fn witness_one_router_serves_what_the_other_has_changed() {
    must_find_steps("race_53/witness", 2, |steps| {
        // Whether the queue is secured: in the database, and in A's cache, if it is there.
        let shared = Arc::new(Mutex::new((false, None)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let mut state = other.lock();
                state.1 = Some(state.0);
                let secured = if state.0 { "secured" } else { "not secured" };
                log.take("A", format!("loads q into its cache: {secured}"));
            },
            || {
                shared.lock().0 = true;
                steps.take("B", "in another process: secures q in the database");
            },
        );
        let stale = *shared.lock() == (true, Some(false));
        steps.take("sender", "sends to A without a signature: A's record asks for none");
        stale
    });
}

fn keys(record: &QueueRec) -> RecipientKeys {
    record.recipient_keys.clone()
}

/// Another process replaces the keys of queue 1.
fn replace_elsewhere(other: &ModelDatabase, n: u8) {
    other.set_recipient_keys(&sample::recipient(1), &sample::keys(n)).unwrap();
}

/// A load, beside a change by another process and the news of it.
fn a_change_is_told_during_a_load() {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let elsewhere = db.another_process();
    let store = cached(&db, Semantics::Strict);
    let loads = store.clone();
    let load = move || drop(queue(&loads, 1));
    two(load, || {
        replace_elsewhere(&elsewhere, 9);
        db.deliver();
    });
    let served = found(&store, sample::recipient(1)).unwrap();
    assert!(keys(&served) == sample::keys(9), "what another process changed is never seen");
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_what_is_told_during_a_load_is_seen() {
    explore("race_53/load", 3, a_change_is_told_during_a_load);
}

#[test]
fn twin_a_row_that_enters_unchecked_is_stale_for_ever() {
    must_fail("race_53/unchecked", 3, "is never seen", || {
        without(StoreFault::UncheckedLoads, a_change_is_told_during_a_load);
    });
}

/// One process changes a queue while it is told of another's change.
#[test]
fn proof_what_is_told_during_a_change_is_seen() {
    explore("race_53/change", 2, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1))]);
        let elsewhere = db.another_process();
        let (store, queues) = warm(&db, &[1]);
        let (changes, changed) = (store.clone(), queues[0].clone());
        two(
            move || changes.secure_queue(&changed, sample::key(1)).unwrap(),
            || {
                replace_elsewhere(&elsewhere, 9);
                db.deliver();
            },
        );
        assert_coherent(&store, &[1]);
    });
}

/// Two processes with caches change one queue, each told of the other afterwards: both have what the database has.
#[test]
fn proof_two_processes_come_to_the_same() {
    explore("race_53/two_processes", 2, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1))]);
        let other_db = db.another_process();
        let ((one, a), (other, b)) = (warm(&db, &[1]), warm(&other_db, &[1]));
        let change = |store: &DbStore, queue: &_, n| {
            store.update_keys(queue, sample::keys(n)).unwrap();
            store.database().deliver();
        };
        let (first, queue) = (one.clone(), a[0].clone());
        two(move || change(&first, &queue, 8), || change(&other, &b[0], 9));
        one.database().deliver();
        other.database().deliver();
        assert_coherent(&one, &[1]);
        assert_coherent(&other, &[1]);
    });
}

/// A queue is deleted by another process, which is told during a load.
#[test]
fn proof_a_queue_that_another_process_deleted_is_gone() {
    explore("race_53/deleted", 3, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1))]);
        let elsewhere = db.another_process();
        let (store, queues) = warm(&db, &[1]);
        let reads = store.clone();
        two(
            move || drop(found(&reads, sample::sender(1))),
            || {
                elsewhere.delete_queue(&sample::recipient(1), 1).unwrap();
                db.deliver();
            },
        );
        assert!(queues[0].record().read_atomic().is_none(), "the object of a gone queue is live");
        assert_coherent(&store, &[1]);
    });
}

/// The process loses sight of the others while it loads a queue; what they change meanwhile isn't told.
fn a_load_while_others_are_lost_sight_of() {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let elsewhere = db.another_process();
    let store = cached(&db, Semantics::Strict);
    let (loads, events) = (store.clone(), db.events().unwrap());
    let load = spawn(move || drop(queue(&loads, 1)));
    events.lost();
    replace_elsewhere(&elsewhere, 9);
    events.regained();
    let first = found(&store, sample::recipient(1)).unwrap();
    assert!(keys(&first) == sample::keys(9), "what was changed out of sight is never seen");
    let held = queue(&store, 1);
    load.join().unwrap();
    let later = held.record().read_atomic().unwrap();
    assert!(keys(&later) == sample::keys(9), "an old row replaced a newer one");
    let second = found(&store, sample::recipient(1)).unwrap();
    assert!(keys(&second) == sample::keys(9), "what was changed out of sight is never seen");
}

#[test]
fn proof_what_is_changed_out_of_sight_is_seen() {
    explore("race_53/lost", 3, a_load_while_others_are_lost_sight_of);
}

#[test]
fn twin_a_row_from_before_replaces_a_newer_one() {
    must_fail("race_53/unchecked_generation", 3, "an old row replaced a newer one", || {
        without(StoreFault::UncheckedGeneration, a_load_while_others_are_lost_sight_of);
    });
}

/// Out of sight of the others, each lookup gives what the database has, and none takes back what another gave.
fn out_of_sight_of_the_others() {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let elsewhere = db.another_process();
    let store = cached(&db, Semantics::Strict);
    db.events().unwrap().lost();
    let loads = store.clone();
    let load = spawn(move || drop(queue(&loads, 1)));
    replace_elsewhere(&elsewhere, 9);
    let (held, record) = store.get_queue_rec(&sample::recipient(1).into()).unwrap();
    assert!(keys(&record) == sample::keys(9), "an old row is served");
    load.join().unwrap();
    let later = held.record().read_atomic().unwrap();
    assert!(keys(&later) == sample::keys(9), "an old row replaced a newer one");
    replace_elsewhere(&elsewhere, 8);
    let record = found(&store, sample::recipient(1)).unwrap();
    assert!(keys(&record) == sample::keys(8), "an old row is served");
    assert_eq!(store.locks_held(), 0);
}

#[test]
fn proof_out_of_sight_every_lookup_asks_the_database() {
    explore("race_53/out_of_sight", 2, out_of_sight_of_the_others);
}

#[test]
fn twin_a_cache_that_is_served_out_of_sight_is_old() {
    must_fail("race_53/served_out_of_sight", 2, "an old row is served", || {
        without(StoreFault::ServedOutOfSight, out_of_sight_of_the_others);
    });
}
