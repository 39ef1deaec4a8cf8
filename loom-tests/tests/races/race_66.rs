//! RACE-66: overwritten subscriptions.
//!
//! **The race.** Two subscriptions are added for one queue. The reference overwrites: the lookup by queue leads to the newer one, while the
//! older stays by its id and in its token's set. Deleting the older removes the queue's lookup. Nothing looks whether
//! the token of a subscription exists, either.
//!
//! ```text
//! A   adds 1: queue -> 1 ........................   deletes 1: queue -> nothing
//! B                        adds 2: queue -> 2
//! ```
//!
//! **What follows.** The newer subscription is there and its queue's notifications are not delivered.
//!
//! **What the library does.** What a new subscription replaces leaves every index in the same transaction, deleting one
//! removes only a lookup that leads to it, and a subscription is added to a token that the same transaction finds.
//!
//! The twins are the store that answers as the reference does.

use crate::ntf_whole::{
    add_token, assert_ntf_sound, ntf_store, own_key, subscribe, two_beside_a_look,
};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::ntf_store::{NtfStore, NtfStoreError};
use simplex_stores::protocol::Semantics;
use simplex_stores::sync::Mutex;
use simplex_stores::testing::ntf_store::sample;
use std::sync::Arc;

#[test]
fn witness_the_newer_subscription_is_not_found_by_its_queue() {
    must_find_steps("race_66/witness", 2, |steps| {
        // Where the queue's lookup leads.
        let lookup = Arc::new(Mutex::new(None));
        let (other, log) = (lookup.clone(), steps.clone());
        let ((), overwritten) = two(
            move || {
                {
                    *other.lock() = Some(1);
                    log.take("A", "adds subscription 1: the queue leads to 1");
                }
                let mut lookup = other.lock();
                *lookup = None;
                log.take("A", "deletes subscription 1, and the queue's lookup");
            },
            || {
                let mut lookup = lookup.lock();
                steps.take("B", "adds subscription 2: the queue leads to 2");
                lookup.replace(2).is_some()
            },
        );
        let found = overwritten && lookup.lock().is_none();
        steps.take("queue", "its messages reach nobody, though subscription 2 is there");
        found
    });
}

/// Subscription 1 comes and goes while 2 comes, both for queue 1.
fn two_for_one_queue(semantics: Semantics) {
    let store = ntf_store(semantics);
    add_token(&store, own_key(1));
    let other = store.clone();
    let come_and_go = move || {
        let added = subscribe(&other, 1, 1, 1).unwrap();
        let deleted = other.delete_subscription(&sample::subscription_id(1));
        (added.same_queue.is_some(), deleted.is_some())
    };
    let come = || subscribe(&store, 2, 1, 1).unwrap().same_queue.is_some();
    let ((replaced_2, deleted_1), replaced_1) = two_beside_a_look(&store, come_and_go, come);
    assert_ne!(deleted_1, replaced_1, "subscription 1 was deleted or replaced");
    let lives = store.get_subscription(&sample::subscription_id(2)).is_some();
    assert_ne!(lives, replaced_2, "subscription 2 is there or was replaced");
    assert_eq!(store.find_subscription(&sample::queue(1)).is_some(), lives);
}

#[test]
fn proof_a_queue_leads_to_its_subscription() {
    explore("race_66/queue", 3, || two_for_one_queue(Semantics::Strict));
}

#[test]
fn twin_the_store_that_overwrites_contradicts_itself() {
    must_fail("race_66/overwritten", 2, "the store contradicts itself", || {
        two_for_one_queue(Semantics::Reference);
    });
}

/// One id is added for two tokens and two queues: one of them has it, wholly.
fn one_id_for_two_tokens(semantics: Semantics) {
    let store = ntf_store(semantics);
    add_token(&store, own_key(1));
    add_token(&store, own_key(2));
    let other = store.clone();
    let add = move |store: &NtfStore, token| subscribe(store, 1, token, token).unwrap();
    let (a, b) = two_beside_a_look(&store, move || add(&other, 1), || add(&store, 2));
    assert_ne!(a.existed(), b.existed());
    let last = if a.existed() { 1 } else { 2 };
    let found = store.get_subscription(&sample::subscription_id(1)).unwrap();
    assert_eq!(found.record(), sample::subscription(1, last, last));
}

#[test]
fn proof_an_id_belongs_to_one_token() {
    explore("race_66/id", 3, || one_id_for_two_tokens(Semantics::Strict));
}

#[test]
fn twin_an_id_that_is_overwritten_belongs_to_two() {
    must_fail("race_66/id_overwritten", 2, "the store contradicts itself", || {
        one_id_for_two_tokens(Semantics::Reference);
    });
}

/// A subscription is added while its token is deleted; `add` may look for the token before.
fn added_while_deleted(semantics: Semantics, looks: bool) {
    let store = ntf_store(semantics);
    add_token(&store, own_key(1));
    let other = store.clone();
    let add = move || {
        if looks && other.get_token(&sample::token_id(1)).is_none() {
            return Err(NtfStoreError::UnknownToken(sample::token_id(1)));
        }
        subscribe(&other, 1, 1, 1)
    };
    let (added, removed) = two(add, || store.delete_token(&sample::token_id(1)));
    assert_ntf_sound(&store);
    assert_eq!(added.is_ok(), removed.subscriptions.len() == 1, "the queue stays subscribed");
    assert_eq!(store.counts().subscriptions, 0);
}

#[test]
fn proof_a_subscription_goes_with_its_token_or_is_refused() {
    explore("race_66/token_deleted", 3, || added_while_deleted(Semantics::Strict, false));
}

/// The store that doesn't ask, and a careful user who looks for the token: in a transaction of its own.
#[test]
fn twin_looking_for_the_token_in_a_transaction_of_its_own_does_not_help() {
    must_fail("race_66/token_looked_for", 2, "the store contradicts itself", || {
        added_while_deleted(Semantics::Reference, true);
    });
}
