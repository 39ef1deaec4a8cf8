//! RACE-46: the order of locks and connections.
//!
//! **The race.** The reference's folds (expiry, delivery to a service) hold a connection and wait for queues' locks. Its operations hold a queue's
//! lock and wait for a connection.
//!
//! ```text
//! A   folds: has the connection .............................   waits for the lock of q
//! B                               has the lock of q, waits for a connection
//! ```
//!
//! **What follows.** With as many folds as connections nothing goes on, and nobody can be cancelled. A slow consumer of a fold keeps
//! a connection all the time (RACE-47).
//!
//! **What the library does.** Whoever holds a connection waits for nothing: a statement takes one, runs, and gives it back. A fold reads a
//! page of queues and calls the user's code while it holds nothing (`queue_store::database::services`).
//!
//! The database has one single connection here, in the twin as many as there are folds.

use loom_tests::database::{DbStore, assert_coherent, cached, database, warm};
use loom_tests::scenario::{both, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{QueueRec, Semantics, ServiceRole};
use simplex_stores::queue_store::database::QueueDatabase;
use simplex_stores::queue_store::{BasicQueue, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::{ModelDatabase, sample};
use std::sync::Arc;

#[test]
fn witness_a_fold_and_a_change_wait_for_each_other() {
    must_find_steps("race_46/witness", 2, |steps| {
        // Who has the connection, and who the lock.
        let shared = Arc::new(Mutex::new((None, None)));
        let (other, log) = (shared.clone(), steps.clone());
        let (a, b) = two(
            move || {
                let mut state = other.lock();
                if state.0.is_none() {
                    state.0 = Some('A');
                    log.take("A", "folds: has the only connection");
                }
                drop(state);
                let waits = other.lock().1 == Some('B');
                if waits {
                    log.take("A", "comes to q: waits for its lock");
                }
                waits
            },
            || {
                shared.lock().1 = Some('B');
                steps.take("B", "secures q: has its lock");
                let waits = shared.lock().0 == Some('A');
                if waits {
                    steps.take("B", "waits for a connection");
                }
                waits
            },
        );
        a && b
    });
}

/// A database with a service that has queue 1.
fn with_service() -> ModelDatabase {
    let db = ModelDatabase::new(Semantics::Strict);
    let service = sample::service(1, 1, ServiceRole::Messaging);
    db.find_or_insert_service(&service).unwrap();
    let rcv_service_id = Some(sample::service_id(1));
    let record = QueueRec { rcv_service_id, ..sample::record(1) };
    db.insert_queue(&sample::recipient(1), &record).unwrap();
    db
}

type Fold = fn(&DbStore, &BasicQueue) -> u8;

/// Suspends each queue at its turn.
const REAL: Fold = |store, queue| {
    let folded = store.fold_service_queues(&sample::service_id(1), 0, |count, _, _| {
        store.suspend_queue(queue).unwrap();
        count + 1
    });
    folded.unwrap()
};

fn a_fold_beside_a_change(fold: Fold) {
    let db = with_service().with_connections(1);
    let (store, queues) = warm(&db, &[1]);
    let (folds, folded) = (store.clone(), queues[0].clone());
    let change = || store.secure_queue(&queues[0], sample::key(1)).unwrap();
    let (count, ()) = two(move || fold(&folds, &folded), change);
    assert_eq!(count, 1);
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_a_fold_that_changes_queues_ends_beside_a_change() {
    explore("race_46/fold", 2, || a_fold_beside_a_change(REAL));
}

/// A load that finds the queue being changed, and reads it again under its lock.
#[test]
fn proof_a_load_under_the_lock_ends_beside_a_change() {
    explore("race_46/load", 2, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1))]).with_connections(1);
        let store = cached(&db, Semantics::Strict);
        let held = BasicQueue::new(sample::recipient(1), Arc::new(sample::record(1)));
        let other = store.clone();
        let load = move || other.get_queue(&sample::sender(1).into()).map(drop).unwrap();
        two(load, || store.secure_queue(&held, sample::key(1)).unwrap());
        assert_coherent(&store, &[1]);
    });
}

/// Two folds, in a database with so many connections.
fn two_folds(connections: u32, fold: Fold) {
    let db = with_service().with_connections(connections);
    let (store, queues) = warm(&db, &[1]);
    let shared = store.clone();
    both(move |_| assert_eq!(fold(&shared, &queues[0]), 1));
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_more_folds_than_connections_end() {
    explore("race_46/folds", 1, || two_folds(1, REAL));
}

#[test]
fn twin_as_many_folds_that_keep_a_connection_as_there_are_wait_for_ever() {
    must_fail("race_46/connection_kept", 2, "deadlock", || {
        two_folds(2, |store, queue| {
            let _connection = store.database().connection();
            store.suspend_queue(queue).unwrap();
            1
        });
    });
}
