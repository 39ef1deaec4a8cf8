//! RACE-31: check and use.
//!
//! **The race.** A router verifies a command against a record that it read, and then runs the operation. In between the key is removed.
//!
//! ```text
//! A   verifies with key 1 ...................   suspends the queue
//! B                         replaces key 1
//! ```
//!
//! **What follows.** A key that was removed, and whose removal was confirmed, still executes a command.
//!
//! **What the library does.** Lookup, verification and operation are parts of one transaction: what was verified still holds when the
//! operation takes effect.

use crate::whole::{BOTH, add, store};
use loom_tests::scenario::{Store, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{EntityStatus, ErrorType, QueueRec, Semantics};
use simplex_stores::queue_store::{QueueKey, QueueStore, StoreQueue};
use simplex_stores::stm::abort;
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_removed_key_executes_a_command() {
    must_find_steps("race_31/witness", 2, |steps| {
        // The key in force; whether a command was executed after its key was removed.
        let shared = Arc::new(Mutex::new((1, false)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let verified = {
                    let state = other.lock();
                    let answer = if state.0 == 1 { "passes" } else { "is refused" };
                    log.take("A", format!("verifies a command with key 1: it {answer}"));
                    state.0 == 1
                };
                if verified {
                    let mut state = other.lock();
                    state.1 = state.0 != 1;
                    log.take("A", "suspends the queue");
                }
            },
            || {
                let mut state = shared.lock();
                state.0 = 2;
                steps.take("B", "replaces key 1 by key 2, which is confirmed");
            },
        );
        let found = shared.lock().1;
        steps.take("queue", "suspended by a key that was removed");
        found
    });
}

fn queue_key() -> QueueKey {
    sample::recipient(1).into()
}

/// Whether the command's signature fits: the keys are still the first.
fn verify(record: &QueueRec) -> Result<(), ErrorType> {
    if record.recipient_keys == sample::keys(1) { Ok(()) } else { Err(ErrorType::Auth) }
}

/// One thread suspends the queue by the old keys; the other replaces them, and sees the status of that moment.
fn executed_while_replaced(
    semantics: Semantics,
    suspend: impl FnOnce(&Store) -> Result<(), ErrorType>,
) {
    let store = store(semantics);
    let queue = add(&store, 1);
    let (other, object) = (store.clone(), queue.clone());
    let replace = move || {
        let status = other.transact(|tx, log| {
            other.update_keys_tx(tx, log, &object, &sample::keys(5))?;
            let (_, record) = other.get_queue_rec_tx(tx, &queue_key())?;
            Ok(record.status.clone())
        });
        status.unwrap()
    };
    let (status, suspended) = two(replace, || suspend(&store));
    let last = queue.record().read_atomic().unwrap();
    assert_eq!(last.status, status, "a removed key executed a command");
    assert_eq!(suspended.is_ok(), status == EntityStatus::Off);
}

#[test]
fn proof_what_was_verified_holds_when_the_command_takes_effect() {
    for (semantics, name) in BOTH {
        explore(&format!("race_31/store/{name}"), 3, move || {
            executed_while_replaced(semantics, |store| {
                store.transact(|tx, log| {
                    let (queue, record) = store.get_queue_rec_tx(tx, &queue_key())?;
                    if let Err(error) = verify(&record) {
                        return abort(error);
                    }
                    store.suspend_queue_tx(tx, log, &queue)
                })
            });
        });
    }
}

#[test]
fn twin_verifying_in_a_transaction_of_its_own_lets_a_removed_key_act() {
    must_fail("race_31/two_transactions", 2, "a removed key executed a command", || {
        executed_while_replaced(Semantics::Strict, |store| {
            let (queue, record) = store.get_queue_rec(&queue_key())?;
            verify(&record)?;
            store.suspend_queue(&queue)
        });
    });
}
