//! RACE-26: the two-step lookup.
//!
//! **The race.** A lookup by notifier, sender or link id reads the index, and then the queue. Between the two the queue gets another
//! notifier.
//!
//! ```text
//! A   index: n1 is queue q ......................   reads q's record
//! B                           replaces n1 by n2
//! ```
//!
//! **What follows.** A command addressed to n1 is verified with n2's key. With a key used for both, a subscription to a notifier that
//! is no more is confirmed.
//!
//! **What the library does.** `get_queue_rec` gives a record that carries the id asked for. Reads that don't fit together are done again in
//! one transaction; so an id that is always in force is always found, wherever it moves.

use crate::whole::{BOTH, add, add_with_notifier, assert_sound, creds, store};
use loom_tests::scenario::{Store, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, NotifierId, QueueRec, Semantics};
use simplex_stores::queue_store::{BasicQueue, QueueStore, StoreQueue};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_record_that_does_not_carry_the_id_asked_for() {
    must_find_steps("race_26/witness", 2, |steps| {
        // The notifier that the index leads from, and the record's.
        let shared = Arc::new(Mutex::new((1, 1)));
        let (other, log) = (shared.clone(), steps.clone());
        let (read, ()) = two(
            move || {
                let indexed = {
                    let state = other.lock();
                    log.take("A", format!("index: n{} is queue q", state.0));
                    state.0
                };
                let state = other.lock();
                log.take("A", format!("reads q's record: its notifier is n{}", state.1));
                (indexed, state.1)
            },
            || {
                let mut state = shared.lock();
                *state = (2, 2);
                steps.take("B", "replaces notifier n1 by n2");
            },
        );
        steps.take("A", "verifies a command for n1 with n2's key");
        read == (1, 2)
    });
}

fn carries(record: &QueueRec, id: &NotifierId) -> bool {
    record.notifier.as_ref().is_some_and(|creds| creds.notifier_id == *id)
}

type Find = fn(&Store, &NotifierId) -> Result<(Arc<BasicQueue>, Arc<QueueRec>), ErrorType>;

const REAL: Find = |store, id| store.get_queue_rec(&id.clone().into());

/// One thread replaces notifier 1 by 2; the other looks 1 up, and then 2.
fn found_while_replaced(semantics: Semantics, find: Find) {
    let store = store(semantics);
    let queue = add_with_notifier(&store, 1, None);
    let other = store.clone();
    let replace = move || other.add_notifier(&queue, creds(2, None)).unwrap();
    let look = || [1, 2].map(|number| find(&store, &sample::notifier(number)));
    let (_, found) = two(replace, look);
    for (number, answer) in [1, 2].into_iter().zip(&found) {
        match answer {
            Ok((_, record)) => assert!(
                carries(record, &sample::notifier(number)),
                "the record does not carry the id asked for"
            ),
            Err(error) => assert_eq!(error, &ErrorType::Auth),
        }
    }
    assert!(found.iter().any(Result::is_ok), "neither the old id was found nor then the new one");
}

#[test]
fn proof_a_record_carries_the_id_asked_for() {
    for (semantics, name) in BOTH {
        explore(&format!("race_26/store/{name}"), 3, move || {
            found_while_replaced(semantics, REAL);
        });
    }
}

#[test]
fn twin_the_index_and_the_record_read_in_two_steps_do_not_fit() {
    let failure = "the record does not carry the id asked for";
    must_fail("race_26/two_steps", 2, failure, || {
        found_while_replaced(Semantics::Strict, |store, id| {
            let queue = store.get_queue(&id.clone().into())?;
            let record = queue.record().read_atomic().ok_or(ErrorType::Auth)?;
            Ok((queue, record))
        });
    });
}

/// Notifier 1 moves from one queue to another; meanwhile it is looked up in both ways.
fn found_while_moving(semantics: Semantics, move_it: impl FnOnce(&Store, [&BasicQueue; 2])) {
    let store = store(semantics);
    let (first, second) = (add_with_notifier(&store, 1, None), add(&store, 2));
    let (other, id) = (store.clone(), sample::notifier(1));
    let look = move || {
        let queue = other.get_queue(&id.clone().into());
        let found = other.get_queue_rec(&id.clone().into());
        let (_, record) = found.expect("AUTH while the id is in force");
        assert!(carries(&record, &id));
        queue.expect("AUTH while the id is in force");
    };
    two(look, || move_it(&store, [&first, &second]));
    assert_sound(&store);
}

#[test]
fn proof_an_id_that_moves_to_another_queue_is_always_found() {
    for (semantics, name) in BOTH {
        explore(&format!("race_26/store_moved/{name}"), 3, move || {
            found_while_moving(semantics, |store, [from, to]| {
                let moved = store.transact(|tx, log| {
                    store.delete_notifier_tx(tx, log, from)?;
                    store.add_notifier_tx(tx, log, to, &creds(1, None))
                });
                moved.unwrap();
            });
        });
    }
}

#[test]
fn twin_an_id_that_moves_in_two_transactions_is_not() {
    must_fail("race_26/moved_in_two", 2, "AUTH while the id is in force", || {
        found_while_moving(Semantics::Strict, |store, [from, to]| {
            store.delete_notifier(from).unwrap();
            store.add_notifier(to, creds(1, None)).unwrap();
        });
    });
}

/// One thread takes a link away; the other looks it up.
#[test]
fn proof_a_record_carries_the_link_asked_for() {
    for (semantics, name) in BOTH {
        explore(&format!("race_26/store_link/{name}"), 3, move || {
            let store = store(semantics);
            let queue = add(&store, 1);
            store.add_link_data(&queue, sample::link(1), sample::link_data(1, 1)).unwrap();
            let (other, id) = (store.clone(), sample::link(1));
            let look = move || match other.get_queue_rec(&id.clone().into()) {
                Ok((_, record)) => assert!(record.link.as_ref().is_some_and(|link| link.id == id)),
                Err(error) => assert_eq!(error, ErrorType::Auth),
            };
            two(look, || store.delete_link_data(&queue).unwrap());
        });
    }
}

/// Replaces `first` by `second` in one transaction.
fn renew(store: &Store, first: &BasicQueue, second: &Arc<BasicQueue>) {
    let renewed = store.transact(|tx, log| {
        store.delete_queue_tx(tx, log, first)?;
        store.add_queue_tx(tx, log, second)
    });
    renewed.unwrap();
}

#[test]
fn proof_a_queue_made_anew_is_not_found_by_the_sender_id_that_it_had() {
    explore("race_26/store_other_sender", 3, || {
        let store = store(Semantics::Strict);
        let first = add(&store, 1);
        let second = store.make_queue(sample::recipient(1), sample::record(2));
        let (other, old) = (store.clone(), first.clone());
        let look = move || {
            let key = sample::sender(1).into();
            for found in [other.get_queue(&key), other.get_queue_rec(&key).map(|found| found.0)] {
                match found {
                    Ok(queue) => assert!(Arc::ptr_eq(&queue, &old), "it has another sender id"),
                    Err(error) => assert_eq!(error, ErrorType::Auth),
                }
            }
        };
        two(look, || renew(&store, &first, &second));
        assert_sound(&store);
    });
}

#[test]
fn proof_a_sender_id_that_moves_to_another_queue_is_always_found() {
    explore("race_26/store_moved_sender", 3, || {
        let store = store(Semantics::Strict);
        let first = add(&store, 1);
        let second = store.make_queue(sample::recipient(2), sample::record(1));
        let other = store.clone();
        let look = move || {
            let key = sample::sender(1).into();
            other.get_queue(&key).expect("AUTH while the id is in force");
            other.get_queue_rec(&key).expect("AUTH while the id is in force");
        };
        two(look, || renew(&store, &first, &second));
        assert_sound(&store);
    });
}

#[test]
fn proof_a_queue_that_is_made_anew_in_one_transaction_is_always_found() {
    explore("race_26/store_made_anew", 3, || {
        let store = store(Semantics::Strict);
        let first = add(&store, 1);
        let second = store.make_queue(sample::recipient(1), sample::record(1));
        let (other, new) = (store.clone(), second.clone());
        let look = || {
            store.get_queue(&sample::recipient(1).into()).unwrap();
            store.get_queue_rec(&sample::recipient(1).into()).unwrap();
            store.get_queue_rec(&sample::sender(1).into()).unwrap().0
        };
        two(move || renew(&other, &first, &new), look);
        assert!(Arc::ptr_eq(&look(), &second));
        assert_sound(&store);
    });
}
