//! RACE-22: the blind hash.
//!
//! **The race.** A service's hash is changed at every entering and leaving, whether membership changed or not: it is right only while
//! everybody enters once and leaves once. Two connections that associate the same queue from what each has read before both enter it.
//!
//! ```text
//! A   reads: no service .......................   enters: set {q}, hash h
//! B                       reads: no service ...                             enters: set {q}, hash h ^ h = 0
//! ```
//!
//! **What follows.** Count and hash disagree for ever; every client of the service sees a drift that nothing repairs.
//!
//! **What the library does.** The hash is changed only when the set was, in the same transaction, which also reads and writes the record.

use crate::whole::{BOTH, add, assert_sound, two_observed, with_services};
use loom_tests::scenario::both;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{IdsHash, Semantics, ServiceParty, ServiceRole};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::stm::{TVar, atomically};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_entering_twice_leaves_a_queue_that_the_hash_does_not_know() {
    must_find_steps("race_22/witness", 2, |steps| {
        // Whether the record names the service, how many the set has, and the hash over them.
        let shared = Arc::new(Mutex::new((false, 0, 0)));
        let (other, log) = (shared.clone(), steps.clone());
        both(move |number| {
            let thread = if number == 1 { "A" } else { "B" };
            let associated = {
                let state = other.lock();
                log.take(thread, "reads the record of queue q");
                state.0
            };
            if associated {
                return;
            }
            let mut state = other.lock();
            *state = (true, 1, state.2 ^ 1);
            log.take(thread, "enters q in the service's set and XORs its hash");
        });
        let found = *shared.lock() == (true, 1, 0);
        steps.take("service", "count 1, hash of no queue");
        found
    });
}

/// Two threads enter one id in a set; the hash follows the set, or each entering.
fn entered_by_both(follows_the_set: bool) {
    let id = IdsHash::of_id(sample::recipient(1).as_bytes());
    let (entered, hash) = (TVar::new(false), TVar::new(IdsHash::EMPTY));
    let (set, sum) = (entered.clone(), hash.clone());
    both(move |_| {
        atomically(|tx| {
            let newly = !set.replace(tx, true)?;
            if newly || !follows_the_set {
                sum.update(tx, |hash| *hash = hash.xor(id))?;
            }
            Ok(())
        });
    });
    assert!(entered.read_atomic());
    assert!(hash.read_atomic() == id, "the hash is not that of the set");
}

#[test]
fn proof_a_hash_that_follows_the_set_is_that_of_the_set() {
    explore("race_22/follows_the_set", 3, || entered_by_both(true));
}

#[test]
fn twin_a_hash_that_follows_each_entering_is_not() {
    must_fail("race_22/blind", 2, "the hash is not that of the set", || entered_by_both(false));
}

/// Two threads associate the queue, which the service 1 has at first or none; a third looks whether all agrees.
fn associated_by_both(semantics: Semantics, first: Option<u8>, services: [Option<u8>; 2]) {
    let store = with_services(semantics, ServiceRole::Messaging);
    let queue = add(&store, 1);
    let receiver = ServiceParty::Receiver;
    if let Some(number) = first {
        store.set_queue_service(&queue, receiver, Some(sample::service_id(number))).unwrap();
    }
    let other = store.clone();
    let set = move |service: Option<u8>| {
        let service = service.map(sample::service_id);
        other.set_queue_service(&queue, receiver, service).unwrap();
    };
    let again = set.clone();
    two_observed(&store, move || again(services[0]), || set(services[1]));
    assert_sound(&store);
}

#[test]
fn proof_the_real_service_agrees_with_the_records_at_every_moment() {
    for (semantics, name) in BOTH {
        explore(&format!("race_22/store_same/{name}"), 3, move || {
            associated_by_both(semantics, None, [Some(1), Some(1)]);
        });
        explore(&format!("race_22/store_moves/{name}"), 3, move || {
            associated_by_both(semantics, Some(1), [Some(2), None]);
        });
    }
}
