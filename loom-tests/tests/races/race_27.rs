//! RACE-27: closing under load.
//!
//! **The race.** The router stops: the store empties its indexes and closes its journal, while commands still run. A
//! client that asks for its queue is told `AUTH`, and takes it that the queue was deleted. A change
//! that was committed just before finds the journal closed: memory had it, and no restart will.
//!
//! ```text
//! A                     look up: AUTH
//! B   empty the index
//! ```
//!
//! **What the library does.** Closing first refuses: in one step it marks the store closed and reads the number of the last record.
//! A change reads the same variable in its transaction, so it either commits before that step, and closing waits
//! for its record, or is answered `STORE`. Nothing is emptied: a lookup is answered with the queue, or with `STORE`.
//!
//! The twins empty an index, and close the journal without waiting for the last number.

use loom_tests::database::{database, warm};
use loom_tests::scenario::{Disk, Store, created, queue, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::database::{StoreFault, without};
use simplex_stores::queue_store::{QueueKey, QueueStore, StoreQueue};
use simplex_stores::stm::{TMap, TVar, atomically};
use simplex_stores::store_log::{Durability, LogRecord};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_client_is_told_that_its_queue_is_gone() {
    must_find_steps("race_27/witness", 2, |steps| {
        let index = Arc::new(Mutex::new(vec!["the queue"]));
        let (looked_up, its_steps) = (index.clone(), steps.clone());
        let look_up = move |found: &str| {
            let index = looked_up.lock();
            let refused = index.is_empty();
            its_steps
                .take("A", if refused { "looks for the queue and answers AUTH" } else { found });
            refused
        };
        let a = move || !look_up("finds the queue for a command") && look_up("finds it again");
        let (found_and_refused, ()) = two(a, || {
            let mut index = index.lock();
            index.clear();
            steps.take("B", "stops the router: empties the index");
        });
        steps.take("client", "takes it that the queue was deleted, and forgets it");
        found_and_refused
    });
}

fn closed() -> ErrorType {
    ErrorType::Store("closed".into())
}

fn replaced(n: u8) -> LogRecord {
    LogRecord::UpdateKeys(sample::recipient(n), sample::keys(n + 7))
}

/// Changes queue `n`, which must be answered as a store that is open or closed does.
fn change(store: &Store, queue: &<Store as QueueStore>::Queue, n: u8) -> bool {
    let answer = store.update_keys(queue, sample::keys(n + 7));
    assert!(matches!(&answer, Ok(())) || answer == Err(closed()), "answered {answer:?}");
    answer.is_ok()
}

/// A change beside a close: what was acknowledged, and nothing else, is in memory and in the journal.
fn a_change_is_whole_or_refused(durability: Durability) {
    let disk = Disk::new(durability, &[created(0)]);
    let store = disk.open();
    let (shared, changed) = (store.clone(), queue(&store, 0));
    let other = changed.clone();
    let (acknowledged, ()) = two(move || change(&shared, &other, 0), || store.close().unwrap());
    let memory = changed.record().read_atomic().unwrap();
    assert_eq!(memory.recipient_keys == sample::keys(7), acknowledged, "refused, and committed");
    let held = disk.holds(&replaced(0));
    assert_eq!(held, usize::from(acknowledged), "the answer and the journal differ");
}

#[test]
fn proof_a_change_is_in_the_journal_or_refused() {
    explore("race_27/change_memory", 3, || a_change_is_whole_or_refused(Durability::Memory));
}

#[test]
fn proof_so_it_is_when_each_call_waits_for_its_record() {
    explore("race_27/change_flush", 3, || a_change_is_whole_or_refused(Durability::Flush));
}

/// Whoever closes, the journal is whole when the call returns.
#[test]
fn proof_each_of_two_closers_waits_for_the_change() {
    explore("race_27/two_closers", 2, || {
        let disk = Disk::new(Durability::Memory, &[created(0)]);
        let store = disk.open();
        let (changer, changed) = (store.clone(), queue(&store, 0));
        let changes = spawn(move || change(&changer, &changed, 0));
        let close = |store: &Store, disk: &Disk| {
            store.close().unwrap();
            disk.lines().len()
        };
        let (shared, its_disk) = (store.clone(), disk.clone());
        let (one, other) = two(move || close(&shared, &its_disk), || close(&store, &disk));
        let lines = 1 + usize::from(changes.join().unwrap());
        assert_eq!([one, other], [lines; 2], "closed before the change was in the journal");
    });
}

#[test]
fn proof_no_lookup_of_a_queue_that_is_there_is_answered_auth() {
    explore("race_27/lookups", 3, || {
        let disk = Disk::new(Durability::Memory, &[created(0)]);
        let store = disk.open();
        let shared = store.clone();
        let looks_up = move || {
            let ids = [sample::recipient(0)];
            let single = |key: &QueueKey| shared.get_queue(key).map(|_| ());
            let answers = [
                single(&QueueKey::Recipient(sample::recipient(0))),
                single(&QueueKey::Sender(sample::sender(0))),
                shared.get_queues(&ids).map(|found| assert!(found.iter().all(Result::is_ok))),
            ];
            for answer in answers {
                assert!(answer.is_ok() || answer == Err(closed()), "answered {answer:?}");
            }
        };
        two(looks_up, || store.close().unwrap());
        let later = store.get_queue(&QueueKey::Recipient(sample::recipient(0)));
        assert_eq!(later.err(), Some(closed()), "found in a closed store");
    });
}

#[test]
fn twin_a_store_that_empties_its_index_answers_auth() {
    must_fail("race_27/emptied", 2, "Auth", || {
        let index = TMap::new();
        atomically(|tx| index.insert(tx, 0, "the queue"));
        let looked_up = index.clone();
        let looks_up = move || {
            let answer = looked_up.get_atomic(&0).ok_or(ErrorType::Auth);
            assert!(answer.is_ok() || answer == Err(closed()), "answered {answer:?}");
        };
        two(looks_up, || atomically(|tx| index.clear(tx)));
    });
}

/// The real journal, closed after the last number that was taken or at once.
fn what_was_committed_is_written(waits: bool) {
    let disk = Disk::new(Durability::Flush, &[]);
    let shared = Arc::new((disk.start_journal(), TVar::new((false, 0))));
    let other = shared.clone();
    let changes = move || {
        let (journal, control) = &*other;
        let number = atomically(|tx| {
            control.update(tx, |(closed, last)| {
                *last += u64::from(!*closed);
                (!*closed).then_some(*last)
            })
        });
        if let Some(number) = number {
            let _answer = journal.submit(number, vec![replaced(0)]).wait();
        }
        number.is_some()
    };
    let (committed, ()) = two(changes, || {
        let (journal, control) = &*shared;
        let last = atomically(|tx| {
            control.update(tx, |(closed, last)| {
                *closed = true;
                *last
            })
        });
        let closed = if waits { journal.close_after(last) } else { journal.close() };
        closed.unwrap();
    });
    let written = disk.holds(&replaced(0));
    assert_eq!(written, usize::from(committed), "a committed change is not in the journal");
}

#[test]
fn proof_a_journal_closed_after_the_last_number_has_every_record() {
    explore("race_27/close_after", 3, || what_was_committed_is_written(true));
}

#[test]
fn twin_a_journal_closed_at_once_has_not() {
    must_fail("race_27/close_at_once", 3, "is not in the journal", || {
        what_was_committed_is_written(false);
    });
}

/// A change in a database beside a close: acknowledged and made, or refused and not made.
fn a_change_in_a_database() {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let (store, queues) = warm(&db, &[1]);
    let (other, changed) = (store.clone(), queues[0].clone());
    let change = move || other.update_keys(&changed, sample::keys(9));
    let (answer, ()) = two(change, || store.close().unwrap());
    assert!(answer.is_ok() || answer == Err(closed()), "answered {answer:?}");
    let made = db.record(&sample::recipient(1)).unwrap().recipient_keys == sample::keys(9);
    assert_eq!(made, answer.is_ok(), "refused, and made");
}

#[test]
fn proof_a_change_in_a_database_is_made_or_refused() {
    explore("race_27/database_change", 3, a_change_in_a_database);
}

#[test]
fn twin_a_close_that_does_not_wait_takes_the_connection_away() {
    must_fail("race_27/impatient", 3, "answered", || {
        without(StoreFault::ImpatientClose, a_change_in_a_database);
    });
}

/// Loads and cached lookups beside a close are answered with the queue, or as by a closed store.
#[test]
fn proof_no_lookup_in_a_database_is_answered_auth() {
    explore("race_27/database_lookups", 2, || {
        let db = database(Semantics::Strict, &[(1, sample::record(1)), (2, sample::record(2))]);
        let (store, _) = warm(&db, &[1]);
        let shared = store.clone();
        let looks_up = move || {
            for number in [1, 2] {
                let answer = shared.get_queue(&sample::sender(number).into()).map(drop);
                assert!(answer.is_ok() || answer == Err(closed()), "answered {answer:?}");
            }
        };
        two(looks_up, || store.close().unwrap());
        let later = store.get_queue(&sample::recipient(1).into());
        assert_eq!(later.err(), Some(closed()), "found in a closed store");
    });
}
