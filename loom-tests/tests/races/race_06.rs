//! RACE-6: a record before its `CREATE`.
//!
//! **The race.** A client chose the ids of its queue, and so knows them before it is answered. On a second connection it
//! secures the queue between the commit that made it and the record that says so: the record of the change comes
//! first. A restart drops the change, for there is no such queue yet: the queue is back unsecured.
//!
//! ```text
//! A   commit the queue ............................. write CREATE
//! B                      commit the key   write SECURE
//! ```
//!
//! **What the library does.** B's transaction can find the queue only after A's has committed, and each takes the number
//! of its record in its transaction; the journal writes by number.
//!
//! The twin takes the number after the transaction.

use loom_tests::scenario::{Disk, Numbered, Taken, created, queue, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::queue_store::{QueueKey, QueueStore, StoreQueue};
use simplex_stores::stm::TVar;
use simplex_stores::store_log::{Durability, LogRecord};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_queue_is_secured_before_it_is_created() {
    must_find_steps("race_06/witness", 2, |steps| {
        let there = Arc::new(Mutex::new(false));
        let journal = Arc::new(Mutex::new(Vec::new()));
        let a = {
            let (there, journal, steps) = (there.clone(), journal.clone(), steps.clone());
            move || {
                {
                    let mut there = there.lock();
                    *there = true;
                    steps.take("A", "commits the queue, whose ids its client chose");
                }
                let mut journal = journal.lock();
                journal.push("CREATE");
                steps.take("A", "writes the queue's record");
            }
        };
        two(a, || {
            {
                let there = there.lock();
                if !*there {
                    return;
                }
                steps.take("B", "finds the queue and commits its sender's key");
            }
            let mut journal = journal.lock();
            journal.push("SECURE");
            steps.take("B", "writes the key's record");
        });
        steps.take("restart", "drops the key, for there is no queue yet: the queue is unsecured");
        *journal.lock() == ["SECURE", "CREATE"]
    });
}

fn secured() -> LogRecord {
    LogRecord::SecureQueue(sample::recipient(1), sample::key(5))
}

fn the_queue_comes_first(durability: Durability) {
    let disk = Disk::new(durability, &[]);
    let store = disk.open();
    let shared = store.clone();
    let a = move || shared.add_queue(sample::recipient(1), sample::record(1)).map(drop);
    let (added, secured_it) = two(a, || {
        let found = store.get_queue(&QueueKey::Sender(sample::sender(1)));
        found.and_then(|queue| store.secure_queue(&queue, sample::key(5)))
    });
    added.unwrap();
    store.close().unwrap();
    assert_eq!(disk.place(&created(1)), Some(0), "a record stands before its CREATE");
    assert_eq!(disk.place(&secured()), secured_it.is_ok().then_some(1));
    let record = queue(&disk.replayed(), 1).record().read_atomic().unwrap();
    assert_eq!(record.sender_key.is_some(), secured_it.is_ok(), "the restart has it otherwise");
}

#[test]
fn proof_the_queue_comes_before_its_changes() {
    explore("race_06/memory", 3, || the_queue_comes_first(Durability::Memory));
}

#[test]
fn proof_so_it_does_when_each_call_waits_for_its_record() {
    explore("race_06/flush", 3, || the_queue_comes_first(Durability::Flush));
}

#[test]
fn twin_with_numbers_taken_after_the_transaction_it_comes_later() {
    must_fail("race_06/number_after_it", 2, "stands before its CREATE", || {
        let disk = Disk::new(Durability::Memory, &[]);
        let shared = Arc::new((Numbered::start(&disk, Taken::After), TVar::new(false)));
        let other = shared.clone();
        let a = move || {
            let (store, there) = &*other;
            store.transact(|tx| Ok((there.write(tx, true)?, created(1))));
        };
        two(a, || {
            let (store, there) = &*shared;
            if there.read_atomic() {
                store.transact(|_| Ok(((), secured())));
            }
        });
        shared.0.close().unwrap();
        assert_eq!(disk.place(&created(1)), Some(0), "a record stands before its CREATE");
    });
}
