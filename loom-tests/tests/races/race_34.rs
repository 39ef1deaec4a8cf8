//! RACE-34: the link id in the sender cache.
//!
//! **The race.** A lookup by link loads a queue, and the reference notes it in the cache of senders, under the link's id.
//!
//! ```text
//! A   loads q by link L ..................   cache of senders: L is q
//! B                       removes the link
//! ```
//!
//! **What follows.** Commands to the link's id as a sender's reach the queue, also when the link is gone. The cache of links is never
//! filled, so each lookup by link goes to the database.
//!
//! **What the library does.** A row that is read enters each index under the id of its kind, in one transaction that finds
//! nothing changed since the row was read; removing the link takes the entry out (`queue_store::database::cache`).
//!
//! The twin is the store under `Reference`, which fills its caches as documented (PG-25).

use loom_tests::database::{DbStore, assert_coherent, cached, database, with_link};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{Semantics, SenderId};
use simplex_stores::queue_store::{QueueKey, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_removed_link_reaches_the_queue_as_a_sender() {
    must_find_steps("race_34/witness", 2, |steps| {
        // Whether the queue has the link, and whether the cache of senders has its id.
        let shared = Arc::new(Mutex::new((true, false)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let loaded = other.lock().0;
                if !loaded {
                    return;
                }
                log.take("A", "looks up link L: loads queue q");
                let mut state = other.lock();
                state.1 = true;
                log.take("A", "notes in the cache of senders: L is q");
            },
            || {
                let mut state = shared.lock();
                state.0 = false;
                steps.take("B", "removes link L from q");
            },
        );
        let state = shared.lock();
        steps.take("client", "sends to L as if it were a sender's id: q gets the message");
        *state == (false, true)
    });
}

fn as_sender() -> QueueKey {
    SenderId::from(sample::link(1).entity().clone()).into()
}

/// One thread looks the link up, and then its id as a sender's; the other removes the link.
fn a_link_is_no_sender(semantics: Semantics) {
    let db = database(semantics, &[(1, with_link(1))]);
    let store = cached(&db, semantics);
    let other = store.clone();
    let look = move || {
        let link = other.get_queue(&sample::link(1).into());
        assert!(other.get_queue(&as_sender()).is_err(), "the link's id is taken for a sender's");
        link
    };
    let remove = |store: &DbStore| {
        let queue = store.get_queue(&sample::recipient(1).into()).unwrap();
        store.delete_link_data(&queue).unwrap();
        queue
    };
    let (found, queue) = two(look, || remove(&store));
    assert!(found.is_err() || found.is_ok_and(|found| Arc::ptr_eq(&found, &queue)));
    assert!(store.get_queue(&sample::link(1).into()).is_err(), "the link outlives its removal");
    assert!(store.get_queue(&as_sender()).is_err());
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_a_link_is_found_as_a_link_and_goes_with_it() {
    explore("race_34/store", 2, || a_link_is_no_sender(Semantics::Strict));
}

/// The second lookup by link asks the database nothing.
#[test]
fn proof_a_link_that_was_looked_up_is_in_the_cache() {
    explore("race_34/cached", 2, || {
        let db = database(Semantics::Strict, &[(1, with_link(1))]);
        let store = cached(&db, Semantics::Strict);
        let look = |store: &DbStore| store.get_queue(&sample::link(1).into()).unwrap();
        let other = store.clone();
        let (one, two) = two(move || look(&other), || look(&store));
        assert!(Arc::ptr_eq(&one, &two));
        let asked = store.database().statements();
        look(&store);
        assert_eq!(store.database().statements(), asked, "a cached link was read again");
    });
}

#[test]
fn twin_under_reference_it_is_a_sender() {
    must_fail("race_34/reference", 2, "is taken for a sender's", || {
        a_link_is_no_sender(Semantics::Reference);
    });
}
