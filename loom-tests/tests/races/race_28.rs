//! RACE-28: saving the state of a running router closes its stores.
//!
//! **The race.** An administrator has the state of a running router saved. Saving ends with what stopping ends with, so
//! it closes the store: every later command for any queue is answered `AUTH`, until somebody restarts the router.
//!
//! ```text
//! A                            look up: AUTH
//! B   save   empty the index
//! ```
//!
//! **What the library does.** A snapshot is taken of a running store and closes nothing. Changes wait while the cells are
//! read, so that it is one moment; lookups don't; and the waiting ends also when the reader panics.
//!
//! The twins close the store after the snapshot, and read the cells without making changes wait.

use loom_tests::scenario::{Disk, Store, both, created, keys, queue, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::{BasicFactory, QueueStore, StoreQueue};
use simplex_stores::stm::{TVar, Transaction, atomically, guard};
use simplex_stores::store_log::Durability;
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_router_that_was_saved_answers_auth() {
    must_find_steps("race_28/witness", 2, |steps| {
        let index = Arc::new(Mutex::new(vec!["the queue"]));
        let a = {
            let (index, steps) = (index.clone(), steps.clone());
            move || {
                let index = index.lock();
                let refused = index.is_empty();
                steps.take("A", if refused { "answers AUTH for the queue" } else { "finds it" });
                refused
            }
        };
        let (refused, ()) = two(a, || {
            let saved = index.lock().clone();
            steps.take("B", format!("saves the state: {} queue", saved.len()));
            let mut index = index.lock();
            index.clear();
            steps.take("B", "closes the store, as when stopping: empties the index");
        });
        steps.take("A", "does so for every queue, until the router is restarted");
        refused
    });
}

/// A change beside a save, and another one after it.
fn the_store_goes_on(save: impl Fn(&Store)) {
    let disk = Disk::new(Durability::Memory, &[created(0)]);
    let store = disk.open();
    let (shared, changed) = (store.clone(), queue(&store, 0));
    let change = move || shared.update_keys(&changed, sample::keys(7));
    let (changed, ()) = two(change, || save(&store));
    changed.expect("refused beside a save");
    let later = store.add_queue(sample::recipient(1), sample::record(1));
    assert!(later.is_ok(), "refused after a save");
    store.close().unwrap();
    let replayed = disk.replayed();
    assert!(keys(&replayed, 0) == sample::keys(7));
    assert!(queue(&replayed, 1).record().read_atomic().is_some());
}

#[test]
fn proof_a_store_goes_on_after_a_snapshot() {
    explore("race_28/snapshot", 3, || {
        the_store_goes_on(|store| {
            let snapshot = store.snapshot();
            let record = snapshot.queues[0].record.as_ref().unwrap();
            let keys = &record.recipient_keys;
            assert!(*keys == sample::keys(0) || *keys == sample::keys(7));
        });
    });
}

#[test]
fn twin_a_save_that_closes_ends_it() {
    must_fail("race_28/save_and_close", 2, "refused", || {
        the_store_goes_on(|store| {
            store.snapshot();
            store.close().unwrap();
        });
    });
}

/// A new queue is in all the indexes of a snapshot or in none.
#[test]
fn proof_a_snapshot_is_one_moment() {
    explore("race_28/one_moment", 3, || {
        let disk = Disk::new(Durability::Memory, &[created(0)]);
        let store = disk.open();
        let shared = store.clone();
        both(move |n| {
            if n == 1 {
                shared.add_queue(sample::recipient(1), sample::record(1)).map(drop).unwrap();
                return;
            }
            let snapshot = shared.snapshot();
            assert_eq!(snapshot.violations(), [], "the snapshot contradicts itself");
            assert_eq!(snapshot.queues.len(), snapshot.senders.len());
        });
        assert_eq!(store.snapshot().queues.len(), 2);
        store.close().unwrap();
    });
}

/// The first of two who take a snapshot does not let changes go on while the second still reads.
#[test]
fn proof_each_of_two_snapshots_is_one_moment() {
    explore("race_28/two_snapshots", 2, || {
        let store = Arc::new(Store::new(BasicFactory, Semantics::Strict));
        let adder = store.clone();
        let add = move || adder.add_queue(sample::recipient(1), sample::record(1)).map(drop);
        let adds = spawn(add);
        let shared = store.clone();
        both(move |_| {
            assert_eq!(shared.snapshot().violations(), [], "the snapshot contradicts itself");
        });
        adds.join().unwrap().unwrap();
    });
}

/// Two cells that change together, read one after the other.
fn two_cells_read_apart(freezes: bool) {
    let cells = (TVar::new(0), TVar::new(0), TVar::new(false));
    let (one, two_, frozen) = cells.clone();
    let freeze = move |on: bool| {
        atomically(|tx: &mut Transaction<'_>| frozen.write(tx, on && freezes));
    };
    let changes = {
        let (one, two_, frozen) = cells;
        move || {
            atomically(|tx| {
                guard(!frozen.read(tx)?)?;
                one.write(tx, 1)?;
                two_.write(tx, 1)
            });
        }
    };
    let (_, read) = two(changes, || {
        freeze(true);
        let read = (one.read_atomic(), two_.read_atomic());
        freeze(false);
        read
    });
    assert_eq!(read.0, read.1, "the snapshot contradicts itself");
}

#[test]
fn proof_cells_read_while_changes_wait_are_one_moment() {
    explore("race_28/frozen", 3, || two_cells_read_apart(true));
}

#[test]
fn twin_cells_read_while_changes_go_on_are_not() {
    must_fail("race_28/not_frozen", 3, "contradicts itself", || two_cells_read_apart(false));
}
