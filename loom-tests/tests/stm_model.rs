//! The model engine itself: that it loses no wake-up and takes branches back, and that loom would see it if it did.
#![cfg(any(loom, shuttle))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, reason = "tests")]

use loom_tests::{explore, must_fail, must_find};
use simplex_stores::stm::{TBQueue, TVar, atomically, guard, retry};
use simplex_stores::sync::thread::spawn;
use simplex_stores::sync::{Condvar, Mutex};
use std::sync::Arc;

#[test]
fn a_retry_waits_for_either_branch_and_leaves_no_write() {
    explore("stm_model/or_else_waits_for_both", 3, || {
        let (left, right, mark) = (TVar::new(0), TVar::new(0), TVar::new(0));
        let waiter = {
            let (left, right, mark) = (left.clone(), right.clone(), mark.clone());
            spawn(move || {
                atomically(|tx| {
                    tx.or_else(
                        |tx| {
                            mark.write(tx, 1)?;
                            guard(left.read(tx)? > 0)?;
                            left.write(tx, 0)
                        },
                        |tx| {
                            guard(right.read(tx)? > 0)?;
                            right.write(tx, 0)
                        },
                    )
                });
            })
        };
        let filler = {
            let right = right.clone();
            spawn(move || atomically(|tx| right.write(tx, 1)))
        };
        atomically(|tx| left.write(tx, 1));
        waiter.join().unwrap();
        filler.join().unwrap();
        let took_left = left.read_atomic() == 0;
        assert_eq!(
            mark.read_atomic(),
            i32::from(took_left),
            "only the branch that was taken wrote"
        );
        assert_eq!(left.read_atomic() + right.read_atomic(), 1, "exactly one was taken");
    });
}

#[test]
fn loom_orders_transactions_both_ways() {
    for first in [1, 2] {
        must_find(&format!("stm_model/order_{first}"), 2, move || {
            let var = TVar::new(0);
            let thread = {
                let var = var.clone();
                spawn(move || atomically(|tx| var.modify(tx, |n| n * 10 + 1)))
            };
            atomically(|tx| var.modify(tx, |n| n * 10 + 2));
            thread.join().unwrap();
            var.read_atomic() / 10 == first
        });
    }
}

/// The twin: a wait that nobody ends is a deadlock that loom reports.
#[test]
fn a_wait_that_nobody_ends_is_found() {
    must_fail("stm_model/no_wake_up", 2, "deadlock", || {
        let (gate, other) = (TVar::new(false), TVar::new(0));
        let thread = spawn(move || atomically(|tx| other.write(tx, 1)));
        atomically(|tx| guard(gate.read(tx)?));
        thread.join().unwrap();
    });
}

/// The twin: waiting for a change without holding the lock from the look to the wait loses the wake-up.
#[test]
fn a_wake_up_between_the_look_and_the_wait_is_found() {
    must_fail("stm_model/lost_wake_up", 2, "deadlock", || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = shared.clone();
        let thread = spawn(move || {
            *other.0.lock() = true;
            other.1.notify_all();
        });
        let ready = *shared.0.lock();
        if !ready {
            let mut ready = shared.0.lock();
            shared.1.wait(&mut ready);
        }
        thread.join().unwrap();
    });
}

/// One reader, two writers, room for one: every message arrives, in whichever order.
#[test]
fn a_bounded_queue_passes_on_what_two_writers_write() {
    explore("stm_model/bounded_queue", 2, || {
        let queue = TBQueue::new(1);
        let writers = [1, 2].map(|n| {
            let queue = queue.clone();
            spawn(move || atomically(|tx| queue.write(tx, n)))
        });
        let mut all = vec![atomically(|tx| queue.read(tx)), atomically(|tx| queue.read(tx))];
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

/// Two places, one message: a transaction that waits for both at once takes it from where it is.
#[test]
fn flushing_beside_a_writer_loses_and_doubles_nothing() {
    explore("stm_model/bounded_queue_flush", 3, || {
        let queue = TBQueue::new(1);
        let writer = {
            let queue = queue.clone();
            spawn(move || {
                atomically(|tx| queue.write(tx, 1));
                atomically(|tx| queue.write(tx, 2));
            })
        };
        let mut all = Vec::new();
        while all.len() < 2 {
            all.extend(atomically(|tx| {
                let some = queue.flush(tx)?;
                if some.is_empty() { retry() } else { Ok(some) }
            }));
        }
        assert_eq!(all, [1, 2]);
        writer.join().unwrap();
        assert_eq!(atomically(|tx| Ok((queue.len(tx)?, queue.is_full(tx)?))), (0, false));
    });
}
