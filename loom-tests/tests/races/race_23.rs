//! RACE-23: dangling and mismatched services.
//!
//! **The race.** The reference takes any service id for a queue and skips the set when it knows no such service; nor does it ask for
//! the role. The association of a queue and the making of its service, from two connections, come in either order.
//!
//! ```text
//! A   names S in the record (no S: no set to enter)
//! B                                                   makes S, its set empty
//! ```
//!
//! **What follows.** The record names a service that doesn't know the queue: bulk subscription misses it, removing it leaves
//! a phantom in the hash, and a database refuses the journal.
//!
//! **What the library does.** The transaction that associates asks whether the service exists, and with the fitting role; else `AUTH` or
//! `SERVICE`. So does adding a queue.

use crate::whole::{BOTH, add, assert_agree, assert_sound, store};
use loom_tests::scenario::{Store, both, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, QueueRec, Semantics, ServiceParty, ServiceRole};
use simplex_stores::queue_store::{BasicQueue, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_queue_names_a_service_that_does_not_know_it() {
    must_find_steps("race_23/witness", 2, |steps| {
        // Whether the record names S; S's set, when there is one.
        let shared = Arc::new(Mutex::new((false, None)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let mut state = other.lock();
                state.0 = true;
                if let Some(size) = &mut state.1 {
                    *size += 1;
                    log.take("A", "names service S in the record of q and enters q in its set");
                } else {
                    log.take("A", "names service S in the record of q: no S, no set to enter");
                }
            },
            || {
                let mut state = shared.lock();
                state.1 = Some(0);
                steps.take("B", "makes service S with an empty set");
            },
        );
        let found = *shared.lock() == (true, Some(0));
        steps.take("service", "subscribes to all its queues: q is not among them");
        found
    });
}

type Associate = fn(&Store, &BasicQueue) -> Result<(), ErrorType>;

const SET: Associate = |store, queue| {
    store.set_queue_service(queue, ServiceParty::Receiver, Some(sample::service_id(1)))
};
const ADD: Associate = |store, _| {
    let rcv_service_id = Some(sample::service_id(1));
    let record = QueueRec { rcv_service_id, ..sample::record(2) };
    store.add_queue(sample::recipient(2), record).map(drop)
};

/// One thread makes the service, the other associates a queue with it.
fn made_while_associated(semantics: Semantics, role: ServiceRole, associate: Associate) {
    let store = store(semantics);
    let queue = add(&store, 1);
    let other = store.clone();
    let make = move || other.get_or_create_service(sample::service(1, 1, role)).unwrap();
    let (made, associated) = two(make, || associate(&store, &queue));
    assert_eq!(made, sample::service_id(1));
    let in_set = store.service_count_hash(ServiceParty::Receiver, &made).unwrap().count;
    assert_agree(&store);
    match associated {
        Ok(()) => assert_eq!((in_set, role), (1, ServiceRole::Messaging)),
        Err(ErrorType::Service) => assert_eq!((in_set, role), (0, ServiceRole::Notifier)),
        Err(error) => assert_eq!((in_set, error), (0, ErrorType::Auth)),
    }
    assert_sound(&store);
}

#[test]
fn proof_a_queue_is_associated_with_a_service_that_exists_and_fits() {
    for (associate, name) in [(SET, "set"), (ADD, "added")] {
        explore(&format!("race_23/store/{name}"), 3, move || {
            made_while_associated(Semantics::Strict, ServiceRole::Messaging, associate);
        });
        explore(&format!("race_23/store_role/{name}"), 3, move || {
            made_while_associated(Semantics::Strict, ServiceRole::Notifier, associate);
        });
    }
}

#[test]
fn twin_the_store_that_does_not_ask_leaves_the_association_dangling() {
    for associate in [SET, ADD] {
        let failure = "service 1 does not agree with the records";
        must_fail("race_23/not_asked", 2, failure, move || {
            made_while_associated(Semantics::Reference, ServiceRole::Messaging, associate);
        });
    }
}

#[test]
fn proof_one_certificate_is_one_service() {
    for (semantics, name) in BOTH {
        explore(&format!("race_23/one_certificate/{name}"), 3, move || {
            let store = store(semantics);
            let ids = Arc::new(Mutex::new(Vec::new()));
            let (other, noted) = (store.clone(), ids.clone());
            both(move |number| {
                let service = sample::service(number, 1, ServiceRole::Messaging);
                let id = other.get_or_create_service(service).unwrap();
                noted.lock().push(id);
            });
            let ids = ids.lock().clone();
            assert_eq!(ids[0], ids[1], "two services for one certificate");
            assert_eq!(store.entity_counts().unwrap().rcv_services, 1);
            assert_sound(&store);
        });
    }
}

/// The certificate looked for in one transaction, the service made in another.
#[test]
fn twin_a_certificate_looked_for_before_is_two_services() {
    must_fail("race_23/looked_for_before", 2, "two services for one certificate", || {
        let shared = Arc::new((Mutex::new(None), Mutex::new(Vec::new())));
        let other = shared.clone();
        both(move |number| {
            let (of_certificate, ids) = &*other;
            let known = *of_certificate.lock();
            let id = known.unwrap_or_else(|| {
                *of_certificate.lock() = Some(number);
                number
            });
            ids.lock().push(id);
        });
        let ids = shared.1.lock().clone();
        assert_eq!(ids[0], ids[1], "two services for one certificate");
    });
}
