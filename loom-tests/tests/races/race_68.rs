//! RACE-68: unseen rivals.
//!
//! **The race.** Activating a token removes the other tokens of its device. The reference finds them by their registrations; a token whose
//! registration was overwritten has none.
//!
//! ```text
//! A   adds token 1: registration -> 1
//! B                                     adds token 2: registration -> 2   activates it: no rivals
//! ```
//!
//! **What follows.** Token 1 lives on with its subscriptions, and the device gets notifications that nobody of its owner's asked for.
//!
//! **What the library does.** Under `Strict` a device token lists all its tokens, also those without a registration. The token that is
//! activated must be the stored one, and has its registration afterwards.
//!
//! The twins are the store that answers as the reference does.

use crate::ntf_whole::{
    add_token, assert_ntf_sound, lives, ntf_store, own_key, registered, same_key, subscribe,
    two_beside_a_look,
};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::ntf_store::NtfStoreError;
use simplex_stores::protocol::Semantics;
use simplex_stores::sync::Mutex;
use simplex_stores::testing::ntf_store::sample;
use std::collections::BTreeSet;
use std::sync::Arc;

#[test]
fn witness_a_rival_without_registration_lives_on() {
    must_find_steps("race_68/witness", 2, |steps| {
        // The tokens, and the one that the registration leads to.
        let shared = Arc::new(Mutex::new((BTreeSet::new(), None)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                let mut state = other.lock();
                state.0.insert(1);
                state.1 = Some(1);
                log.take("A", "adds token 1 of the device: it has the registration");
            },
            || {
                {
                    let mut state = shared.lock();
                    state.0.insert(2);
                    state.1 = Some(2);
                    steps.take("B", "adds token 2 under the same key: it has the registration");
                }
                let mut state = shared.lock();
                let rival = state.1.filter(|registered| *registered != 2);
                rival.iter().for_each(|rival| assert!(state.0.remove(rival)));
                let rivals = if rival.is_some() { "one, removes it" } else { "none" };
                steps.take("B", format!("activates token 2, looks for rivals: {rivals}"));
            },
        );
        let unseen = *shared.lock() == ([1, 2].into(), Some(2));
        steps.take("device", "is still notified for token 1");
        unseen
    });
}

/// Token 1 is added while token 2, under the same key, is added and activated.
fn added_beside_an_activation(semantics: Semantics) {
    let store = ntf_store(semantics);
    let other = store.clone();
    let add = move || add_token(&other, same_key(1)).1;
    let activate = || {
        let (token, _) = add_token(&store, same_key(2));
        store.remove_rivals(&token).unwrap()
    };
    let (added, removed) = two(add, activate);
    let was_removed = removed.iter().any(|rival| rival.id == sample::token_id(1));
    assert_ne!(lives(&store, 1), was_removed);
    // A rival that is still there came after the activation, and so took the registration.
    let last = if lives(&store, 1) { 1 } else { 2 };
    assert_eq!(registered(&store), Some(sample::token_id(last)), "a rival lives on unseen");
    assert!(was_removed || added.displaced == Some(sample::token_id(2)));
    if semantics == Semantics::Strict {
        assert_ntf_sound(&store);
    }
}

#[test]
fn proof_a_rival_is_removed_or_came_later() {
    explore("race_68/added", 3, || added_beside_an_activation(Semantics::Strict));
}

#[test]
fn twin_the_store_that_goes_by_registrations_leaves_it() {
    must_fail("race_68/by_registrations", 2, "a rival lives on unseen", || {
        added_beside_an_activation(Semantics::Reference);
    });
}

/// A subscription is added to a rival that is being removed.
fn subscribed_beside_an_activation(semantics: Semantics) {
    let store = ntf_store(semantics);
    add_token(&store, own_key(1));
    let (survivor, _) = add_token(&store, own_key(2));
    let other = store.clone();
    let add = move || subscribe(&other, 1, 1, 1);
    let activate = || store.remove_rivals(&survivor).unwrap();
    let (added, removed) = two_beside_a_look(&store, add, activate);
    let queues: Vec<_> = removed.iter().flat_map(|rival| rival.queues().cloned()).collect();
    let expected = if added.is_ok() { vec![sample::queue(1)] } else { Vec::new() };
    assert_eq!(queues, expected, "what was subscribed is there to be unsubscribed");
    assert_eq!(store.counts().subscriptions, 0);
}

#[test]
fn proof_a_rivals_new_subscription_goes_with_it_or_is_refused() {
    explore("race_68/subscribed", 3, || subscribed_beside_an_activation(Semantics::Strict));
}

#[test]
fn twin_the_store_that_does_not_ask_for_the_token_keeps_the_subscription() {
    must_fail("race_68/not_asked", 2, "the store contradicts itself", || {
        subscribed_beside_an_activation(Semantics::Reference);
    });
}

/// Two tokens of a device are activated at once.
fn two_activations(semantics: Semantics) {
    let store = ntf_store(semantics);
    let (first, _) = add_token(&store, own_key(1));
    let (second, _) = add_token(&store, own_key(2));
    let other = store.clone();
    let answers = two(move || other.remove_rivals(&first), || store.remove_rivals(&second));
    assert!(lives(&store, 1) || lives(&store, 2), "no token is left");
    let unknown = |number| Err(NtfStoreError::UnknownToken(sample::token_id(number)));
    match (answers.0.map(|removed| removed.len()), answers.1.map(|removed| removed.len())) {
        (Ok(1), refused) => assert_eq!((refused, lives(&store, 1)), (unknown(2), true)),
        (refused, Ok(1)) => assert_eq!((refused, lives(&store, 2)), (unknown(1), true)),
        other => panic!("neither removed the other: {other:?}"),
    }
    assert_ntf_sound(&store);
}

#[test]
fn proof_one_of_two_activations_wins_and_the_other_is_refused() {
    explore("race_68/two", 3, || two_activations(Semantics::Strict));
}

#[test]
fn twin_a_token_that_is_gone_and_activated_leaves_none() {
    must_fail("race_68/two_by_registrations", 2, "no token is left", || {
        two_activations(Semantics::Reference);
    });
}
