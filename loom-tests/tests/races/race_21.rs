//! RACE-21: what is left of deleted queues.
//!
//! **The race.** The reference keeps every deleted queue in its recipient index, and whatever loads a queue slowly puts it back into
//! the index after the deletion has emptied it.
//!
//! ```text
//! A   reads the live queue ....................   puts it into the index
//! B                          deletes the queue
//! ```
//!
//! **What follows.** Memory grows for the life of the process, counts include what is gone; a change to an object that was
//! found before the deletion is written to nobody's queue, or makes the deleted one live again.
//!
//! **What the library does.** The deletion removes the queue from the index and empties the cell of its record in one transaction.
//! An object that somebody still holds says so: every change reads the cell in its own transaction and is refused.

use crate::whole::{BOTH, add, assert_sound, store};
use loom_tests::scenario::{Store, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, QueueRec, Semantics};
use simplex_stores::queue_store::{BasicQueue, QueueKey, QueueStore, StoreQueue};
use simplex_stores::stm::atomically;
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_slow_load_puts_a_deleted_queue_back() {
    must_find_steps("race_21/witness", 2, |steps| {
        // Whether the queue lives; whether the index has it.
        let shared = Arc::new(Mutex::new((true, false)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let live = other.lock().0;
                if !live {
                    return;
                }
                log.take("A", "looks the queue up: reads a live record");
                let mut state = other.lock();
                state.1 = true;
                log.take("A", "puts the queue into the index");
            },
            || {
                let mut state = shared.lock();
                *state = (false, false);
                steps.take("B", "deletes the queue and takes it out of the index");
            },
        );
        let found = *shared.lock() == (false, true);
        steps.take("index", "holds a deleted queue until the restart");
        found
    });
}

fn key() -> QueueKey {
    sample::sender(1).into()
}

#[test]
fn proof_an_object_is_found_with_its_own_record_while_the_queue_is_made_anew() {
    explore("race_21/store", 3, || {
        let store = store(Semantics::Strict);
        let first = add(&store, 1);
        let (other, old) = (store.clone(), first.clone());
        let renew = move || {
            other.delete_queue(&old).unwrap();
            let record = QueueRec { recipient_keys: sample::keys(2), ..sample::record(1) };
            other.add_queue(sample::recipient(1), record).unwrap()
        };
        let (second, found) = two(renew, || store.get_queue_rec(&key()));
        match found {
            Ok((queue, record)) => {
                let of_first = Arc::ptr_eq(&queue, &first);
                assert!(of_first || Arc::ptr_eq(&queue, &second));
                let keys = sample::keys(if of_first { 1 } else { 2 });
                assert!(record.recipient_keys == keys, "a record of another queue object");
            }
            Err(error) => assert_eq!(error, ErrorType::Auth),
        }
        let queues = store.loaded_queues().unwrap();
        assert!(queues.len() == 1 && Arc::ptr_eq(&queues[0], &second));
        assert_eq!(store.suspend_queue(&first), Err(ErrorType::Auth));
        assert_sound(&store);
    });
}

/// One thread deletes a queue; the other looks it up and changes it.
fn deleted_while_changed(
    semantics: Semantics,
    change: impl FnOnce(&Store, &BasicQueue) -> Result<(), ErrorType>,
) {
    let store = store(semantics);
    let queue = add(&store, 1);
    let (other, old) = (store.clone(), queue.clone());
    let delete = move || other.delete_queue(&old).unwrap();
    let look_up_and_change = || change(&store, &*store.get_queue(&key())?);
    let (last, changed) = two(delete, look_up_and_change);
    assert!(queue.record().read_atomic().is_none(), "the deleted queue lives again");
    assert_eq!(last.sender_key.is_some(), changed.is_ok(), "a change was lost");
    assert_eq!(changed.err().unwrap_or(ErrorType::Auth), ErrorType::Auth);
    assert_sound(&store);
}

#[test]
fn proof_a_change_is_in_the_last_record_or_refused() {
    for (semantics, name) in BOTH {
        explore(&format!("race_21/last_record/{name}"), 3, move || {
            deleted_while_changed(semantics, |store, queue| {
                store.secure_queue(queue, sample::key(1))
            });
        });
    }
}

#[test]
fn twin_a_record_read_and_written_in_two_transactions_lives_again() {
    must_fail("race_21/two_transactions", 2, "the deleted queue lives again", || {
        deleted_while_changed(Semantics::Strict, |_, queue| {
            let record = queue.record().read_atomic().ok_or(ErrorType::Auth)?;
            let sender_key = Some(sample::key(1));
            let changed = Arc::new(QueueRec { sender_key, ..(*record).clone() });
            atomically(|tx| queue.record().write(tx, Some(changed.clone())));
            Ok(())
        });
    });
}
