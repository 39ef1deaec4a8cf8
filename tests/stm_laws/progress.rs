//! The law *progress*: under contention every transaction commits in the end.
#![cfg(not(any(loom, shuttle)))]

use super::harness::spawn;
use simplex_stores::stm::{TVar, atomically, guard, stats};
use simplex_stores::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use simplex_stores::sync::thread::yield_now;
use std::sync::Arc;

/// Writers change a variable without a pause, and a body that ends only when they have: it loses each time, until it
/// has its turn. From then on it can lose at most once to each of them, to what was already on its way.
#[test]
fn a_long_transaction_commits_beside_writers_that_never_stop() {
    const WRITERS: u64 = 3;
    let var = TVar::new(0_u64);
    let (done, commits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (var, done, commits) = (var.clone(), done.clone(), commits.clone());
            spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    atomically(|tx| var.modify(tx, |n| n + 1));
                    commits.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..10 {
        let mut runs = 0;
        atomically(|tx| {
            runs += 1;
            let seen = var.read(tx)?;
            // Of so many commits that were counted, at least one came after the read.
            let conflict = commits.load(Ordering::Relaxed) + WRITERS + 1;
            while runs <= 16 && commits.load(Ordering::Relaxed) < conflict {
                yield_now();
            }
            var.write(tx, seen + 1)
        });
        assert!((17..=17 + WRITERS).contains(&runs), "it took {runs} runs");
    }
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.join().unwrap();
    }
}

/// A conflict in each of the first runs, made certain by a thread that the body itself starts.
#[test]
fn after_sixteen_conflicts_in_a_row_a_transaction_takes_a_turn() {
    let var = TVar::new(0_u32);
    let before = stats();
    let mut runs = 0;
    atomically(|tx| {
        runs += 1;
        let seen = var.read(tx)?;
        if runs <= 16 {
            let var = var.clone();
            spawn(move || atomically(|tx| var.modify(tx, |n| n + 100))).join().unwrap();
        }
        var.write(tx, seen + 1)
    });
    let counted = stats().since(before);
    assert_eq!((runs, var.read_atomic()), (17, 1601));
    assert!(counted.reruns >= 16 && counted.turns >= 1, "{counted:?}");
}

/// The holder of the turn waits for a change by a thread that waits for the turn.
#[test]
fn a_turn_ends_when_its_transaction_waits_for_a_change() {
    let (var, go) = (TVar::new(0_u32), TVar::new(false));
    let (mut runs, mut other) = (0, None);
    atomically(|tx| {
        runs += 1;
        let seen = var.read(tx)?;
        if runs <= 16 {
            let var = var.clone();
            spawn(move || atomically(|tx| var.modify(tx, |n| n + 100))).join().unwrap();
        } else {
            // By now it has the turn.
            let go = go.clone();
            other.get_or_insert_with(|| spawn(move || atomically(|tx| go.write(tx, true))));
        }
        guard(runs <= 16 || go.read(tx)?)?;
        var.write(tx, seen + 1)
    });
    other.unwrap().join().unwrap();
    assert_eq!(var.read_atomic(), 1601);
    assert!(runs >= 18, "{runs}");
}

#[test]
fn many_threads_on_one_variable_all_finish() {
    let var = TVar::new(0_u64);
    let threads = [(); 8].map(|()| {
        let var = var.clone();
        spawn(move || {
            for _ in 0..2_000 {
                atomically(|tx| {
                    let n = var.read(tx)?;
                    std::hint::black_box(n);
                    var.write(tx, n + 1)
                });
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(var.read_atomic(), 16_000);
}

#[test]
fn statistics_count_what_happened() {
    let var = TVar::new(0);
    let before = stats();
    for _ in 0..5 {
        atomically(|tx| var.modify(tx, |n| n + 1));
    }
    assert!(stats().since(before).commits >= 5);
}
