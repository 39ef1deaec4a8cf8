//! RACE-37: ephemeral notifier objects.
//!
//! **The race.** A lookup by notifier that misses the cache makes an object of its own, with its own record and lock, and doesn't cache it.
//!
//! ```text
//! A   looks up n: makes object 1 ..................................   changes the service through it
//! B                                looks up r: caches object 2
//! ```
//!
//! **What follows.** The cached record keeps the old service: later checks of "unchanged" skip the database, and deleting the queue reports
//! the wrong service to be unsubscribed.
//!
//! **What the library does.** Whoever loads a row, by whatever id, gets the object that the cache has for its queue. A row enters the cache in a
//! transaction that looks for one that is there (`queue_store::database::cache`); the first one in stays (PG-5).

use loom_tests::database::{DbStore, assert_coherent, cached, database, found, with_notifier};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{Semantics, ServiceParty, ServiceRole};
use simplex_stores::queue_store::database::{QueueDatabase, StoreFault, without};
use simplex_stores::queue_store::{BasicQueue, QueueKey, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_the_cached_record_keeps_the_old_service() {
    must_find_steps("race_37/witness", 2, |steps| {
        // The services of the database's row and of the cached record, if there is one.
        let shared = Arc::new(Mutex::new((1, None)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let cached = other.lock().1.is_some();
                if cached {
                    return;
                }
                log.take("A", "looks up notifier n: not cached, makes object 1");
                let mut state = other.lock();
                state.0 = 2;
                log.take("A", "sets service 2 in the database and in object 1");
            },
            || {
                let mut state = shared.lock();
                state.1 = Some(state.0);
                let service = state.0;
                steps
                    .take("B", format!("looks up recipient r: caches object 2, service {service}"));
            },
        );
        let stale = *shared.lock() == (2, Some(1));
        steps.take("router", "deletes the queue: unsubscribes service 1 instead of 2");
        stale
    });
}

fn recipient() -> QueueKey {
    sample::recipient(1).into()
}

fn notifier() -> QueueKey {
    sample::notifier(1).into()
}

/// Two threads look one queue up that nobody has loaded yet.
fn loaded_by(semantics: Semantics, keys: [QueueKey; 2]) -> [Arc<BasicQueue>; 2] {
    let db = database(semantics, &[(1, with_notifier(1))]);
    let store = cached(&db, semantics);
    let [one, other] = keys;
    let shared = store.clone();
    let look = |store: &DbStore, key: QueueKey| store.get_queue(&key).unwrap();
    let (a, b) = two(move || look(&shared, one), || look(&store, other));
    assert!(Arc::ptr_eq(&a, &b), "one queue has two objects");
    assert_coherent(&store, &[1]);
    [a, b]
}

#[test]
fn proof_two_loads_of_one_queue_give_one_object() {
    explore("race_37/recipient", 3, || {
        drop(loaded_by(Semantics::Strict, [recipient(), recipient()]))
    });
    explore("race_37/notifier", 3, || {
        drop(loaded_by(Semantics::Strict, [notifier(), recipient()]))
    });
    explore("race_37/notifiers", 3, || {
        drop(loaded_by(Semantics::Strict, [notifier(), notifier()]))
    });
    explore("race_37/recipient_reference", 3, || {
        drop(loaded_by(Semantics::Reference, [recipient(), sample::sender(1).into()]));
    });
}

#[test]
fn proof_a_batch_gives_the_object_of_a_lookup_beside_it() {
    explore("race_37/batch", 2, || {
        let db = database(Semantics::Strict, &[(1, with_notifier(1)), (2, with_notifier(2))]);
        let store = cached(&db, Semantics::Strict);
        let other = store.clone();
        let one = move || other.get_queue(&notifier()).unwrap();
        let ids = [sample::notifier(2), sample::notifier(1)];
        let (one, batch) = two(one, || store.get_queues_by_notifier(&ids).unwrap());
        assert!(Arc::ptr_eq(&one, batch[1].as_ref().unwrap()), "one queue has two objects");
        assert_coherent(&store, &[1, 2]);
    });
}

/// One thread changes the queue through what the notifier's lookup gave; the other loads it by its recipient's id.
fn changed_through_the_notifier() {
    let db = database(Semantics::Strict, &[(1, with_notifier(1))]);
    let service = sample::service(1, 1, ServiceRole::Notifier);
    db.find_or_insert_service(&service).unwrap();
    let store = cached(&db, Semantics::Strict);
    let other = store.clone();
    let change = move || {
        let queue = other.get_queue(&notifier()).unwrap();
        let service = Some(sample::service_id(1));
        other.set_queue_service(&queue, ServiceParty::Notifier, service).unwrap();
    };
    two(change, || store.get_queue(&recipient()).unwrap());
    let record = found(&store, sample::recipient(1)).unwrap();
    let service = record.notifier.as_ref().and_then(|creds| creds.service_id.clone());
    assert_eq!(service, Some(sample::service_id(1)), "the cached record keeps the old service");
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_what_is_changed_through_one_lookup_shows_in_the_other() {
    explore("race_37/changed", 2, changed_through_the_notifier);
}

#[test]
fn twin_under_reference_there_are_two_objects() {
    must_fail("race_37/ephemeral", 2, "one queue has two objects", || {
        drop(loaded_by(Semantics::Reference, [notifier(), recipient()]));
    });
}

#[test]
fn twin_an_object_for_each_load_makes_two() {
    must_fail("race_37/own_objects", 2, "one queue has two objects", || {
        without(StoreFault::OwnObjects, || {
            drop(loaded_by(Semantics::Strict, [recipient(), recipient()]))
        });
    });
}
