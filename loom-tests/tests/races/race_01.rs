//! RACE-1: journal order against commit order.
//!
//! **The race.** Thread A commits key 1, thread B commits key 2; B writes its record first, then A. Memory has key 2, and a
//! restart gives key 1: a key that was revoked works again.
//!
//! ```text
//! A   commit 1 ..................... write 1
//! B             commit 2   write 2
//! ```
//!
//! **What the library does.** The number by which records are ordered is taken inside the transaction, so it follows the commits; the
//! journal's thread writes by number, whatever the order in which the records arrive.
//!
//! The witness shows the race where the two steps are separate; the proof runs the real store on the real journal; the
//! twins take the guard out again.

use loom_tests::scenario::{Disk, Numbered, Taken, both, created, keys, queue};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::stm::{TVar, Transaction, atomically};
use simplex_stores::store_log::{Durability, LogRecord};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn witness_separate_steps_leave_the_older_change_last_in_the_journal() {
    must_find_steps("race_01/witness", 2, |steps| {
        let (memory, journal) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (cell, log, taken) = (memory.clone(), journal.clone(), steps.clone());
        both(move |key| {
            let thread = if key == 1 { "A" } else { "B" };
            {
                let mut cell = cell.lock();
                *cell = key;
                taken.take(thread, format!("commits key {key}"));
            }
            let mut log = log.lock();
            log.push(key);
            taken.take(thread, format!("writes its record: key {key}"));
        });
        let (memory, journal) = (*memory.lock(), journal.lock().clone());
        steps.take("restart", "reads the journal and ends with key 1, which was revoked");
        memory == 2 && journal == [2, 1]
    });
}

/// A journal in short: records by number, the number either taken in the transaction or after it.
fn numbered(inside: bool) {
    let (memory, last) = (TVar::new(0), TVar::new(0));
    let journal = Arc::new(Mutex::new(BTreeMap::new()));
    let (var, number, log) = (memory.clone(), last.clone(), journal.clone());
    both(move |key| {
        let next = |tx: &mut Transaction<'_>| {
            number.update(tx, |n| {
                *n += 1;
                *n
            })
        };
        let taken = atomically(|tx| {
            var.write(tx, key)?;
            if inside { next(tx) } else { Ok(0) }
        });
        let taken = if inside { taken } else { atomically(next) };
        log.lock().insert(taken, key);
    });
    let newest = journal.lock().values().next_back().copied();
    assert_eq!(
        newest,
        Some(memory.read_atomic()),
        "the journal's last record is not what memory has"
    );
}

#[test]
fn proof_a_number_taken_in_the_transaction_orders_the_records() {
    explore("race_01/number_in_the_transaction", 3, || numbered(true));
}

#[test]
fn twin_a_number_taken_after_the_transaction_does_not() {
    must_fail("race_01/number_after_it", 3, "is not what memory has", || numbered(false));
}

// The real ones.

/// Two threads replace a queue's keys; then the store is closed and its journal replayed.
fn the_store_comes_back_as_it_was(durability: Durability) {
    let disk = Disk::new(durability, &[created(0)]);
    let store = disk.open();
    let shared = store.clone();
    both(move |n| shared.update_keys(&queue(&shared, 0), sample::keys(n)).unwrap());
    let memory = keys(&store, 0);
    store.close().unwrap();
    assert_eq!(disk.lines().len(), 3);
    assert!(
        keys(&disk.replayed(), 0) == memory,
        "the journal's last record is not what memory has"
    );
}

#[test]
fn proof_the_real_store_comes_back_with_the_keys_that_it_had() {
    explore("race_01/store", 2, || the_store_comes_back_as_it_was(Durability::Memory));
}

#[test]
fn proof_so_it_does_when_each_call_waits_for_its_record() {
    explore("race_01/store_flushed", 3, || the_store_comes_back_as_it_was(Durability::Flush));
}

/// The real journal can't know better than the numbers that it is given.
#[test]
fn twin_the_real_journal_with_numbers_taken_after_the_transaction_does_not() {
    must_fail("race_01/journal_number_after_it", 2, "is not what memory has", || {
        let disk = Disk::new(Durability::Memory, &[]);
        let shared = Arc::new((Numbered::start(&disk, Taken::After), TVar::new(sample::keys(0))));
        let other = shared.clone();
        both(move |n| {
            let (store, memory) = &*other;
            store.transact(|tx| Ok((memory.write(tx, sample::keys(n))?, replaced(n))));
        });
        let (store, memory) = &*shared;
        store.close().unwrap();
        let newest = LogRecord::UpdateKeys(sample::recipient(0), memory.read_atomic());
        assert_eq!(
            disk.place(&newest),
            Some(1),
            "the journal's last record is not what memory has"
        );
    });
}

fn replaced(n: u8) -> LogRecord {
    LogRecord::UpdateKeys(sample::recipient(0), sample::keys(n))
}
