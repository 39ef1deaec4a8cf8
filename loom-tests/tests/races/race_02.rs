//! RACE-2: cancellation between commit and record.
//!
//! **The race.** A thread has committed its change and is about to write its record; its client disconnects, and the
//! thread is cancelled. Memory has the change and the journal never will: a restart opens a queue again that its
//! owner was told is secured, or brings a deleted one back.
//!
//! ```text
//! A   commit .................. (ends)
//! B            cancel A
//! ```
//!
//! **What the library does.** Nothing between commit and submission can fail, wait for anything but the journal, or run a user's code;
//! a thread of Rust isn't cancelled from outside. A part that panics does so before the commit: it leaves neither
//! a change nor a number that later records would wait for. What was submitted is written, whether or not anybody waits.
//!
//! The twin lets a submitter end after its commit: its number is missing for ever, and the next record with it.

use loom_tests::scenario::{Disk, both, created, keys, queue, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::stm::{TVar, atomically};
use simplex_stores::store_log::{Durability, LogRecord};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::atomic::{AtomicBool, Ordering};
use simplex_stores::testing::queue_store::sample;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

#[test]
fn witness_a_cancelled_thread_leaves_its_change_in_memory_only() {
    must_find_steps("race_02/witness", 2, |steps| {
        let secured = Arc::new(Mutex::new(false));
        let journal = Arc::new(Mutex::new(Vec::new()));
        let cancelled = Arc::new(AtomicBool::new(false));
        let a = {
            let (secured, journal) = (secured.clone(), journal.clone());
            let (cancelled, steps) = (cancelled.clone(), steps.clone());
            move || {
                {
                    let mut secured = secured.lock();
                    *secured = true;
                    steps.take("A", "commits: the queue is secured");
                }
                if cancelled.load(Ordering::SeqCst) {
                    return steps.take("A", "ends without having written its record");
                }
                journal.lock().push("SECURE");
                steps.take("A", "writes its record");
            }
        };
        two(a, || {
            if !*secured.lock() {
                return;
            }
            cancelled.store(true, Ordering::SeqCst);
            steps.take("B", "sees the client disconnect and cancels A");
        });
        steps.take("restart", "reads the journal: anybody may secure the queue again");
        *secured.lock() && journal.lock().is_empty()
    });
}

#[test]
fn proof_a_part_that_panics_leaves_no_change_and_holds_up_no_record() {
    explore("race_02/panic", 3, || {
        let disk = Disk::new(Durability::Flush, &[created(0), created(1)]);
        let store = disk.open();
        let shared = store.clone();
        let panics = move || {
            let queue = queue(&shared, 1);
            let transaction = || {
                shared.transact(|tx, log| {
                    shared.update_keys_tx(tx, log, &queue, &sample::keys(9))?;
                    std::panic::resume_unwind(Box::new("the part ends here"))
                })
            };
            catch_unwind(AssertUnwindSafe(transaction)).map(|_: Result<(), _>| ()).is_err()
        };
        let (panicked, changed) =
            two(panics, || store.update_keys(&queue(&store, 0), sample::keys(7)));
        assert!(panicked);
        changed.unwrap();
        store.update_keys(&queue(&store, 0), sample::keys(8)).unwrap();
        let memory = [0, 1].map(|number| keys(&store, number));
        store.close().unwrap();
        let replayed = disk.replayed();
        assert!(memory == [0, 1].map(|number| keys(&replayed, number)), "the journal differs");
        assert!(memory[0] == sample::keys(8));
        assert!(memory[1] == sample::keys(1), "the part that panicked changed something");
    });
}

fn replaced(n: u8) -> LogRecord {
    LogRecord::UpdateKeys(sample::recipient(0), sample::keys(n))
}

/// Two threads submit to the real journal and don't wait for it; one of them may be cancelled after its commit.
fn what_was_committed_is_in_the_journal(may_be_cancelled: bool) {
    let disk = Disk::new(Durability::Flush, &[]);
    let journal = disk.start_journal();
    let shared = Arc::new((journal, TVar::new((0, 0)), AtomicBool::new(false)));
    let other = shared.clone();
    both(move |n| {
        let (journal, memory, cancelled) = &*other;
        let number = atomically(|tx| {
            memory.update(tx, |(last, key)| {
                (*last, *key) = (*last + 1, n);
                *last
            })
        });
        if may_be_cancelled && n == 1 && cancelled.load(Ordering::SeqCst) {
            return;
        }
        drop(journal.submit(number, vec![replaced(n)]));
        cancelled.store(true, Ordering::SeqCst);
    });
    let (journal, ..) = &*shared;
    let closed = journal.close();
    for n in [1, 2] {
        assert_eq!(disk.holds(&replaced(n)), 1, "what thread {n} committed is not in the journal");
    }
    closed.unwrap();
}

#[test]
fn proof_what_was_submitted_is_written_though_nobody_waits() {
    explore("race_02/dropped_tickets", 3, || what_was_committed_is_in_the_journal(false));
}

#[test]
fn twin_a_submitter_that_may_end_after_its_commit_loses_records() {
    must_fail("race_02/cancelled", 2, "is not in the journal", || {
        what_was_committed_is_in_the_journal(true);
    });
}
