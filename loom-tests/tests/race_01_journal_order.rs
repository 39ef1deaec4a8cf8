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
#![cfg(loom)]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use loom_tests::{explore, must_fail, must_find};
use simplex_stores::protocol::{
    AuthKey, DhSecret, EntityStatus, QueueRec, RecipientId, RecipientKeys, SenderId,
};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StmQueueStore, StoreQueue};
use simplex_stores::stm::{TVar, Transaction, atomically};
use simplex_stores::store_log::{
    self, Durability, Line, LogRecord, ReplayTarget, ReplayWarning, StoreLogConfig,
};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::MemStorage;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Runs `change(1)` and `change(2)` on two threads.
fn both(change: impl Fn(u8) + Clone + Send + 'static) {
    let other = change.clone();
    let thread = spawn(move || other(1));
    change(2);
    thread.join().unwrap();
}

#[test]
fn witness_separate_steps_leave_the_older_change_last_in_the_journal() {
    must_find("race_01/witness", 2, || {
        let (memory, journal) = (TVar::new(0), Arc::new(Mutex::new(Vec::new())));
        let (var, log) = (memory.clone(), journal.clone());
        both(move |key| {
            atomically(|tx| var.write(tx, key));
            log.lock().push(key);
        });
        memory.read_atomic() == 2 && *journal.lock() == [2, 1]
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

const LOG: &str = "/folder/store.log";

fn id() -> RecipientId {
    RecipientId::from_bytes(&[7; 24]).unwrap()
}

fn key(n: u8) -> RecipientKeys {
    RecipientKeys::one(AuthKey::Ed25519([n; 32]))
}

fn created() -> LogRecord {
    let record = QueueRec {
        recipient_keys: key(0),
        rcv_dh_secret: DhSecret::new([1; 32]),
        sender_id: SenderId::from_bytes(&[8; 24]).unwrap(),
        sender_key: None,
        queue_mode: None,
        link: None,
        notifier: None,
        updated_at: None,
        status: EntityStatus::Active,
        rcv_service_id: None,
    };
    LogRecord::CreateQueue(id(), Arc::new(record))
}

/// A disk in memory whose log has one queue, so that nothing has to be added while loom looks.
fn disk(durability: Durability) -> (MemStorage, StoreLogConfig) {
    let (disk, mut line) = (MemStorage::new(), Vec::new());
    created().encode(&mut line);
    line.push(b'\n');
    disk.put(LOG, line);
    let config = StoreLogConfig::new(LOG).durability(durability).storage(Arc::new(disk.clone()));
    (disk, config)
}

fn keys_of(store: &StmQueueStore) -> RecipientKeys {
    let queue = store.get_queue(&QueueKey::Recipient(id())).unwrap();
    let record = queue.record().read_atomic().unwrap();
    record.recipient_keys.clone()
}

/// Two threads replace a queue's keys; then the store is closed and its journal replayed.
fn the_store_comes_back_as_it_was(durability: Durability) {
    let (_disk, config) = disk(durability);
    let (store, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
    let store = Arc::new(store);
    let shared = store.clone();
    both(move |n| {
        let queue = shared.get_queue(&QueueKey::Recipient(id())).unwrap();
        shared.update_keys(&queue, key(n)).unwrap();
    });
    let memory = keys_of(&store);
    store.close().unwrap();
    let (replayed, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    assert_eq!(report.lines, 3);
    assert!(keys_of(&replayed) == memory, "the journal's last record is not what memory has");
}

#[test]
fn proof_the_real_store_comes_back_with_the_keys_that_it_had() {
    explore("race_01/store", 3, || the_store_comes_back_as_it_was(Durability::Memory));
}

#[test]
fn proof_so_it_does_when_each_call_waits_for_its_record() {
    explore("race_01/store_flushed", 2, || the_store_comes_back_as_it_was(Durability::Flush));
}

/// Stands for a store whose state doesn't matter.
struct Ignored;

impl ReplayTarget for Ignored {
    fn apply(&mut self, _: Vec<Line>) -> Vec<ReplayWarning> {
        Vec::new()
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        Vec::new()
    }

    fn compacted(&self, emit: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        emit(created())
    }
}

/// The real journal can't know better than the numbers that it is given.
#[test]
fn twin_the_real_journal_with_numbers_taken_after_the_transaction_does_not() {
    must_fail("race_01/journal_number_after_it", 2, "is not what memory has", || {
        let (disk, config) = disk(Durability::Memory);
        let (journal, _) = store_log::start(&config, &mut Ignored).unwrap();
        let shared = Arc::new((journal, TVar::new(key(0)), TVar::new(0)));
        let other = shared.clone();
        both(move |n| {
            let (journal, memory, last) = &*other;
            atomically(|tx| memory.write(tx, key(n)));
            let number = atomically(|tx| {
                last.update(tx, |n| {
                    *n += 1;
                    *n
                })
            });
            let records = vec![LogRecord::UpdateKeys(id(), key(n))];
            journal.submit(number, records).wait().unwrap();
        });
        let (journal, memory, _) = &*shared;
        journal.close().unwrap();
        let mut line = Vec::new();
        LogRecord::UpdateKeys(id(), memory.read_atomic()).encode(&mut line);
        line.push(b'\n');
        let written = disk.read(LOG).unwrap();
        assert!(written.ends_with(&line), "the journal's last record is not what memory has");
    });
}
