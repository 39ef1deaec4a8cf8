//! RACE-35: a stale cache of links.
//!
//! **The race.** The reference's cache of links is filled when a queue is added, and nothing empties it.
//!
//! ```text
//! A   link L is removed from a ....................
//! B                             L is set on b ......   looks up L: a
//! ```
//!
//! **What follows.** Whoever looks up L finds a, whose record has no link: `AUTH` until the router restarts.
//!
//! **What the library does.** Setting, removing and deleting change the index of links in the transaction that brings the change
//! into the cache (`queue_store::database::cache`), and a lookup waits while one of its queues is being changed.
//!
//! The twin is the store under `Reference` (PG-24).

use loom_tests::database::{assert_coherent, cached, database, found, queue, with_link};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::{QueueStore, StoreQueue};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_link_leads_to_the_queue_that_had_it() {
    must_find_steps("race_35/witness", 2, |steps| {
        // Whose the link is in the database; the cache leads to a from the beginning.
        let owner = Arc::new(Mutex::new(Some('a')));
        let (other, log) = (owner.clone(), steps.clone());
        let (set, ()) = two(
            move || {
                let mut owner = other.lock();
                let free = owner.is_none();
                if free {
                    *owner = Some('b');
                    log.take("B", "sets link L on queue b");
                }
                free
            },
            || {
                *owner.lock() = None;
                steps.take("A", "removes link L from queue a; the cache of links keeps L: a");
            },
        );
        steps.take("client", "looks up L: the cache says a, whose record has no link: AUTH");
        set
    });
}

/// Queue 1 has the link. One thread moves it to queue 2; the other looks it up.
fn a_link_that_moves(semantics: Semantics) {
    let db = database(semantics, &[(2, sample::record(2))]);
    let store = cached(&db, semantics);
    let first = store.add_queue(sample::recipient(1), with_link(1)).unwrap();
    let second = queue(&store, 2);
    let other = store.clone();
    let look = move || {
        if let Some(record) = found(&other, sample::link(1)) {
            let carries = record.link.as_ref().is_some_and(|link| link.id == sample::link(1));
            assert!(carries, "the record has no such link");
        }
    };
    two(look, || {
        store.delete_link_data(&first).unwrap();
        store.add_link_data(&second, sample::link(1), sample::link_data(2, 1)).unwrap();
    });
    let owner = found(&store, sample::link(1)).expect("the link leads to the queue without it");
    assert_eq!(owner.sender_id, sample::sender(2), "the link leads to the queue that had it");
    assert_coherent(&store, &[1, 2]);
}

#[test]
fn proof_a_link_leads_to_the_queue_that_has_it() {
    explore("race_35/store", 2, || a_link_that_moves(Semantics::Strict));
}

#[test]
fn proof_a_link_goes_with_its_queue() {
    explore("race_35/deleted", 2, || {
        let db = database(Semantics::Strict, &[(1, with_link(1))]);
        let store = cached(&db, Semantics::Strict);
        let first = queue(&store, 1);
        let other = store.clone();
        let look = move || found(&other, sample::link(1));
        let (_, last) = two(look, || store.delete_queue(&first).unwrap());
        assert!(last.link.is_some() && first.record().read_atomic().is_none());
        store.add_queue(sample::recipient(2), with_link(2)).expect("the link is free");
        assert_eq!(
            found(&store, sample::link(1)).unwrap().sender_id,
            sample::sender(2),
            "the link leads to a queue that is gone"
        );
        assert_coherent(&store, &[1, 2]);
    });
}

#[test]
fn twin_under_reference_it_leads_to_the_queue_that_had_it() {
    must_fail("race_35/reference", 2, "leads to the queue without it", || {
        a_link_that_moves(Semantics::Reference);
    });
}
