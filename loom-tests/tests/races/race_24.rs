//! RACE-24: notifier credentials with a service.
//!
//! **The race.** The reference keeps the service that new notifier credentials name in the record and doesn't enter the notifier in
//! the service's set; whatever takes the notifier away again leaves the set all the same.
//!
//! ```text
//! A   sets notifier n, which names S (S's set isn't told)
//! B                                                         deletes the notifier: n leaves S, hash ^ h
//! ```
//!
//! **What follows.** The service is not told of the notifier's messages, and its hash keeps a phantom.
//!
//! **What the library does.** Record, index, set and hash change in one transaction, whichever operation brings or takes a notifier. So
//! they agree at every moment while notifiers are set, replaced, moved and deleted.

use crate::whole::{add_with_notifier, assert_sound, creds, two_observed, with_services};
use loom_tests::scenario::{Store, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, NtfCreds, Semantics, ServiceParty, ServiceRole};
use simplex_stores::queue_store::{BasicQueue, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_notifier_that_never_entered_leaves() {
    must_find_steps("race_24/witness", 2, |steps| {
        // Whether the record has a notifier that names S; how many S's set has, and its hash.
        let shared = Arc::new(Mutex::new((false, 0, 0)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let mut state = other.lock();
                state.0 = true;
                log.take("A", "sets notifier n, which names service S: S's set isn't told");
            },
            || {
                let mut state = shared.lock();
                if state.0 {
                    *state = (false, 0, state.2 ^ 1);
                    steps.take("B", "deletes the notifier: it leaves S, whose hash is XORed");
                }
            },
        );
        let found = *shared.lock() == (false, 0, 1);
        steps.take("service", "count 0, hash of a notifier that isn't there");
        found
    });
}

/// What one thread does to a queue whose notifier 1 is in service 1.
type Change = fn(&Store, &BasicQueue) -> Result<Option<NtfCreds>, ErrorType>;

const REPLACE: Change = |store, queue| store.add_notifier(queue, creds(2, Some(2)));
const REPLACE_OTHER: Change = |store, queue| store.add_notifier(queue, creds(3, Some(1)));
const ASSOCIATE: Change = |store, queue| {
    let service = Some(sample::service_id(2));
    store.set_queue_service(queue, ServiceParty::Notifier, service)?;
    Ok(None)
};
const DELETE_NOTIFIER: Change = |store, queue| store.delete_notifier(queue);
const DELETE_QUEUE: Change = |store, queue| {
    let last = store.delete_queue(queue)?;
    Ok(last.notifier.as_deref().cloned())
};

/// The notifiers, with their services, that the record may come to have.
const HELD: [(u8, u8); 4] = [(1, 1), (1, 2), (2, 2), (3, 1)];

/// Two threads change the notifier; a third looks whether all agrees.
fn changed_by_both(semantics: Semantics, changes: [Change; 2]) {
    let store = with_services(semantics, ServiceRole::Notifier);
    let queue = add_with_notifier(&store, 1, Some(1));
    let [first, second] = changes;
    let (other, object) = (store.clone(), queue.clone());
    let one = move || first(&other, &object);
    let (first, second) = two_observed(&store, one, || second(&store, &queue));
    for answer in [&first, &second] {
        // Whom the notifier was taken from: a set that was in the record at that moment.
        match answer {
            Ok(Some(taken)) => assert!(
                HELD.map(|(notifier, service)| creds(notifier, Some(service))).contains(taken),
                "credentials that the record never had"
            ),
            Ok(None) => {}
            Err(error) => assert_eq!(error, &ErrorType::Auth),
        }
    }
    if let (Ok(Some(first)), Ok(Some(second))) = (&first, &second) {
        assert!(first.notifier_id != second.notifier_id, "one notifier was taken away twice");
    }
    assert_sound(&store);
}

#[test]
fn proof_everything_agrees_while_the_notifier_is_changed_by_two() {
    let pairs = [
        ("replace_replace", [REPLACE, REPLACE_OTHER]),
        ("replace_associate", [REPLACE, ASSOCIATE]),
        ("replace_delete", [REPLACE, DELETE_NOTIFIER]),
        ("replace_delete_queue", [REPLACE, DELETE_QUEUE]),
        ("associate_delete", [ASSOCIATE, DELETE_NOTIFIER]),
        ("associate_delete_queue", [ASSOCIATE, DELETE_QUEUE]),
        ("delete_delete_queue", [DELETE_NOTIFIER, DELETE_QUEUE]),
    ];
    for (name, changes) in pairs {
        explore(&format!("race_24/store/{name}"), 3, move || {
            changed_by_both(Semantics::Strict, changes);
        });
    }
}

/// Without new credentials that name a service the reference's answers agree, too.
#[test]
fn proof_so_it_does_under_reference_without_new_credentials() {
    let pairs = [
        ("associate_delete", [ASSOCIATE, DELETE_NOTIFIER]),
        ("associate_delete_queue", [ASSOCIATE, DELETE_QUEUE]),
    ];
    for (name, changes) in pairs {
        explore(&format!("race_24/store_reference/{name}"), 3, move || {
            changed_by_both(Semantics::Reference, changes);
        });
    }
}

#[test]
fn twin_the_store_that_does_not_tell_the_service_disagrees() {
    let failure = "does not agree with the records";
    must_fail("race_24/not_told", 2, failure, || {
        changed_by_both(Semantics::Reference, [REPLACE, DELETE_NOTIFIER]);
    });
}

/// What the service is told and what the records say, read in two transactions.
#[test]
fn twin_count_and_records_read_in_two_transactions_disagree() {
    must_fail("race_24/two_moments", 2, "the service and the record differ", || {
        let store = with_services(Semantics::Strict, ServiceRole::Notifier);
        let queue = add_with_notifier(&store, 1, Some(1));
        let other = store.clone();
        let service = sample::service_id(1);
        let look = || {
            let told = store.service_count_hash(ServiceParty::Notifier, &service).unwrap();
            let (_, record) = store.get_queue_rec(&sample::recipient(1).into()).unwrap();
            let named = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
            (told.count == 1) == (named == Some(&service))
        };
        let ((), agree) = two(move || ASSOCIATE(&other, &queue).map(drop).unwrap(), look);
        assert!(agree, "the service and the record differ");
    });
}
