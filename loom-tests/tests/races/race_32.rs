//! RACE-32: count, hash and fold are three moments.
//!
//! **The race.** A service subscribes to all its queues: it is told how many there are and the hash of their ids, and then the queues
//! are delivered. In between one is associated.
//!
//! ```text
//! A   reads count 1 and the hash ..........................   visits the queues: 2
//! B                                associates queue 2
//! ```
//!
//! **What follows.** "Expected 1, got 2", in logs and at clients, who take it for lost queues.
//!
//! **What the library does.** Count, hash and the set of queues are parts of one transaction. The fold of the contract by itself takes the
//! set at one moment and reads each queue at its turn, as the reference's.

use crate::whole::{BOTH, add, assert_agree, assert_sound, with_services};
use loom_tests::scenario::{Store, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{CountHash, RecipientId, Semantics, ServiceParty, ServiceRole};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

const RECEIVER: ServiceParty = ServiceParty::Receiver;

#[test]
fn witness_a_service_is_told_of_one_queue_and_gets_two() {
    must_find_steps("race_32/witness", 2, |steps| {
        // How many queues the service has.
        let shared = Arc::new(Mutex::new(1));
        let (other, log) = (shared.clone(), steps.clone());
        let (answered, ()) = two(
            move || {
                let told = {
                    let count = other.lock();
                    log.take("A", format!("answers a bulk subscription: {} queues", *count));
                    *count
                };
                let count = other.lock();
                log.take("A", format!("visits the service's queues: {}", *count));
                (told, *count)
            },
            || {
                let mut count = shared.lock();
                *count += 1;
                steps.take("B", "associates another queue with the service");
            },
        );
        steps.take("service", "expected 1, got 2");
        answered == (1, 2)
    });
}

/// What a service is told, and the queues that it gets.
type Subscribe = fn(&Store) -> (CountHash, Vec<RecipientId>);

/// A service that has queue 1 subscribes while queue 2 comes and queue 1 goes.
fn subscribed_while_changing(semantics: Semantics, subscribe: Subscribe) {
    let store = with_services(semantics, ServiceRole::Messaging);
    let (first, second) = (add(&store, 1), add(&store, 2));
    let service = Some(sample::service_id(1));
    store.set_queue_service(&first, RECEIVER, service.clone()).unwrap();
    let other = store.clone();
    let change = move || {
        other.set_queue_service(&second, RECEIVER, service).unwrap();
        other.delete_queue(&first).unwrap();
    };
    let ((), (told, got)) = two(change, || subscribe(&store));
    let of_ids = |sum: CountHash, id: &RecipientId| sum.add(CountHash::of_id(id.as_bytes()));
    let sum = got.iter().fold(CountHash::EMPTY, of_ids);
    assert_eq!(told, sum, "the service is told one thing and gets another");
    assert_agree(&store);
    assert_sound(&store);
}

#[test]
fn proof_count_hash_and_queues_of_one_transaction_agree() {
    for (semantics, name) in BOTH {
        explore(&format!("race_32/store/{name}"), 3, move || {
            subscribed_while_changing(semantics, |store| {
                let answer = store.transact(|tx, _| {
                    let id = sample::service_id(1);
                    let told = store.service_count_hash_tx(tx, RECEIVER, &id)?;
                    Ok((told, store.service_queues_tx(tx, &id)?))
                });
                let (told, ids) = answer.unwrap();
                (told, ids.iter_sorted())
            });
        });
    }
}

#[test]
fn twin_count_and_fold_by_themselves_do_not() {
    let failure = "the service is told one thing and gets another";
    must_fail("race_32/three_moments", 2, failure, || {
        subscribed_while_changing(Semantics::Strict, |store| {
            let id = sample::service_id(1);
            let told = store.service_count_hash(RECEIVER, &id).unwrap();
            let visit = |mut got: Vec<_>, id: &RecipientId, _| {
                got.push(id.clone());
                got
            };
            (told, store.fold_service_queues(&id, Vec::new(), visit).unwrap())
        });
    });
}

/// What the fold by itself promises: queues that are the service's all the time are visited, deleted ones are not.
#[test]
fn proof_the_fold_visits_what_stays_and_nothing_that_is_gone() {
    for (semantics, name) in BOTH {
        explore(&format!("race_32/fold/{name}"), 3, move || {
            let store = with_services(semantics, ServiceRole::Messaging);
            let queues = [add(&store, 1), add(&store, 2)];
            for queue in &queues {
                let service = Some(sample::service_id(1));
                store.set_queue_service(queue, RECEIVER, service).unwrap();
            }
            let (other, [_, second]) = (store.clone(), queues);
            let fold = || {
                let visit = |mut got: Vec<_>, id: &RecipientId, _| {
                    got.push(id.clone());
                    got
                };
                store.fold_service_queues(&sample::service_id(1), Vec::new(), visit).unwrap()
            };
            let (_, got) = two(move || other.delete_queue(&second).unwrap(), fold);
            let both = [1, 2].map(sample::recipient);
            assert!(got == both || got == both[..1], "{got:?}");
            assert_eq!(fold(), both[..1]);
        });
    }
}
