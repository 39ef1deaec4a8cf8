//! RACE-48: waiting that can't be interrupted.
//!
//! **The race.** A change of the reference holds a queue's lock and waits for a connection, without limit and without being
//! cancelled; others wait for the lock.
//!
//! ```text
//! A   has the lock of q, waits for a connection that nobody gives back
//! B                       waits for the lock of q
//! C                                                  shuts down: waits for A and B
//! ```
//!
//! **What follows.** The threads of clients that are gone pile up, and shutting down hangs.
//!
//! **What the library does.** What a holder of locks waits for has a limit: a connection, and the statement on it (`db`). When it fails,
//! the lock is given back with the answer (`queue_store::database::change`); whoever waits goes on, and so does a close.

use loom_tests::database::{DbStore, assert_coherent, database, warm};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::database::{StoreFault, without};
use simplex_stores::queue_store::{BasicQueue, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::queue_store::{Outcome, sample};
use std::sync::Arc;

#[test]
fn witness_a_shutdown_waits_for_who_waits_for_ever() {
    must_find_steps("race_48/witness", 2, |steps| {
        // Whether the lock is held, and how many calls are under way.
        let shared = Arc::new(Mutex::new((false, 0)));
        let (other, log) = (shared.clone(), steps.clone());
        let (waits, held) = two(
            move || {
                let mut state = other.lock();
                state.1 += 1;
                let waits = state.0;
                if waits {
                    log.take("B", "waits for the lock of q");
                }
                waits
            },
            || {
                *shared.lock() = (true, 1);
                steps.take("A", "has the lock of q, waits for a connection that nobody gives back");
                let under_way = shared.lock().1;
                steps.take("C", format!("shuts down: waits for the end of {under_way} calls"));
                under_way
            },
        );
        waits && held == 2
    });
}

fn is_an_end(answer: &Result<(), ErrorType>) -> bool {
    matches!(answer, Ok(()) | Err(ErrorType::Store(_)))
}

fn secure(store: &DbStore, queue: &BasicQueue) {
    let answer = store.secure_queue(queue, sample::key(1));
    assert!(is_an_end(&answer), "answered {answer:?}");
}

/// Two threads change a queue; the connection of the first breaks.
fn a_failure_beside_a_waiting_change() {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let (store, queues) = warm(&db, &[1]);
    db.fail_next(Outcome::Lost);
    let (other, queue) = (store.clone(), queues[0].clone());
    two(move || secure(&other, &queue), || secure(&store, &queues[0]));
    assert!(db.record(&sample::recipient(1)).unwrap().sender_key.is_some(), "neither was made");
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_who_waits_for_a_lock_goes_on_when_the_holder_fails() {
    explore("race_48/failed", 3, a_failure_beside_a_waiting_change);
}

#[test]
fn twin_a_failed_change_that_keeps_its_lock_stops_the_next() {
    must_fail("race_48/kept", 3, "deadlock", || {
        without(StoreFault::KeptLocks, a_failure_beside_a_waiting_change);
    });
}

#[test]
fn proof_a_close_ends_beside_a_holder_and_one_who_waits() {
    explore("race_48/close", 1, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1))]);
        let (store, queues) = warm(&db, &[1]);
        let changes = [(); 2].map(|()| {
            let (store, queue) = (store.clone(), queues[0].clone());
            spawn(move || secure(&store, &queue))
        });
        store.close().unwrap();
        changes.into_iter().for_each(|change| change.join().unwrap());
        assert_eq!(store.locks_held(), 0);
    });
}
