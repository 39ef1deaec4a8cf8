//! RACE-29: deletion and message writing.
//!
//! **The race.** A send is verified against the queue's record; the queue is deleted; then the message is written.
//!
//! ```text
//! A   verifies: q is live ................................   writes the message
//! B                         deletes q, takes its messages
//! ```
//!
//! **What follows.** The message, confirmed to its sender, hangs on the tombstone for ever; where messages are in files the
//! deleted queue's folder is made again.
//!
//! **What the library does.** The record is a transactional cell, and every operation is a part of larger transactions: a message store
//! reads the record in the transaction that writes the message, and empties the queue in the one that deletes it.

use crate::whole::BOTH;
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, QueueRec, RecipientId, Semantics};
use simplex_stores::queue_store::{QueueFactory, QueueKey, QueueStore, StmQueueStore, StoreQueue};
use simplex_stores::stm::{TVar, atomically};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_message_is_written_to_a_deleted_queue() {
    must_find_steps("race_29/witness", 2, |steps| {
        // Whether the queue lives, and its messages.
        let shared = Arc::new(Mutex::new((true, 0)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let live = {
                    let state = other.lock();
                    let answer = if state.0 { "live" } else { "deleted" };
                    log.take("A", format!("verifies a send: the queue is {answer}"));
                    state.0
                };
                if live {
                    let mut state = other.lock();
                    state.1 += 1;
                    log.take("A", "writes the message and confirms it");
                }
            },
            || {
                let mut state = shared.lock();
                *state = (false, 0);
                steps.take("B", "deletes the queue and takes its messages");
            },
        );
        let found = *shared.lock() == (false, 1);
        steps.take("disk", "a message in a queue that nobody can reach");
        found
    });
}

/// A user's queue: it has messages.
struct Mailbox {
    id: RecipientId,
    record: TVar<Option<Arc<QueueRec>>>,
    messages: TVar<u32>,
}

impl StoreQueue for Mailbox {
    fn recipient_id(&self) -> &RecipientId {
        &self.id
    }

    fn record(&self) -> &TVar<Option<Arc<QueueRec>>> {
        &self.record
    }
}

struct Mailboxes;

impl QueueFactory for Mailboxes {
    type Queue = Mailbox;

    fn make_queue(&self, id: RecipientId, record: Arc<QueueRec>) -> Mailbox {
        Mailbox { id, record: TVar::new(Some(record)), messages: TVar::new(0) }
    }
}

type MessageStore = StmQueueStore<Mailboxes>;

fn sender() -> QueueKey {
    sample::sender(1).into()
}

/// One thread sends a message, the other deletes the queue and takes what it holds.
fn sent_while_deleted(
    semantics: Semantics,
    send: impl FnOnce(&MessageStore) -> Result<(), ErrorType>,
) {
    let store = Arc::new(StmQueueStore::new(Mailboxes, semantics));
    let queue = store.add_queue(sample::recipient(1), sample::record(1)).unwrap();
    let (other, object) = (store.clone(), queue.clone());
    let delete = move || {
        let taken = other.transact(|tx, log| {
            other.delete_queue_tx(tx, log, &object)?;
            Ok(object.messages.replace(tx, 0)?)
        });
        taken.unwrap()
    };
    let (taken, sent) = two(delete, || send(&store));
    assert_eq!(queue.messages.read_atomic(), 0, "a message hangs on a deleted queue");
    match sent {
        Ok(()) => assert_eq!(taken, 1, "a confirmed message was lost"),
        Err(error) => assert_eq!((taken, error), (0, ErrorType::Auth)),
    }
}

#[test]
fn proof_a_message_is_taken_with_the_queue_or_refused() {
    for (semantics, name) in BOTH {
        explore(&format!("race_29/store/{name}"), 3, move || {
            sent_while_deleted(semantics, |store| {
                store.transact(|tx, _| {
                    let (queue, _) = store.get_queue_rec_tx(tx, &sender())?;
                    Ok(queue.messages.modify(tx, |count| count + 1)?)
                })
            });
        });
    }
}

#[test]
fn twin_verifying_in_a_transaction_of_its_own_leaves_a_message_behind() {
    must_fail("race_29/two_transactions", 2, "a message hangs on a deleted queue", || {
        sent_while_deleted(Semantics::Strict, |store| {
            let (queue, _) = store.get_queue_rec(&sender())?;
            atomically(|tx| queue.messages.modify(tx, |count| count + 1));
            Ok(())
        });
    });
}
