//! RACE-67: deleting a token removes another's registration.
//!
//! **The race.** A device registers again, with the same device token and key, while its earlier token is deleted. The registration leads
//! to the new token, and deleting the old one removes it, whosever it is.
//!
//! ```text
//! A                                     deletes token 1 and the registration
//! B   adds token 2: registration -> 2
//! ```
//!
//! **What follows.** The live token is no longer found by its registration: the device's next registration makes a third.
//!
//! **What the library does.** Deleting a token, and removing its registration (NS-6), take only the registration that leads to this
//! token, in the transaction that looks where it leads. Under `Strict` "this token" is the very object.

use crate::ntf_whole::{add_token, assert_ntf_sound, lives, ntf_store, registered, same_key};
use crate::whole::BOTH;
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::ntf_store::{NtfStore, Token};
use simplex_stores::protocol::Semantics;
use simplex_stores::stm::{TMap, Transaction, atomically};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::ntf_store::sample;
use std::sync::Arc;

#[test]
fn witness_the_live_token_is_not_found_by_its_registration() {
    must_find_steps("race_67/witness", 2, |steps| {
        // The token that the registration leads to.
        let registration = Arc::new(Mutex::new(Some(1)));
        let (other, log) = (registration.clone(), steps.clone());
        two(
            move || {
                let mut registration = other.lock();
                *registration = None;
                log.take("A", "deletes token 1, and the registration under its key");
            },
            || {
                let mut registration = registration.lock();
                *registration = Some(2);
                steps.take("B", "adds token 2 of the same device and key: it has the registration");
            },
        );
        let lost = registration.lock().is_none();
        steps.take("device", "token 2 is there, and not found by device token and key");
        lost
    });
}

/// Token 1 leaves in this way while token 2 is registered under the same key.
fn leaves_beside_a_registration(
    semantics: Semantics,
    leave: impl FnOnce(&NtfStore, &Token) + Send + 'static,
) {
    let store = ntf_store(semantics);
    let (first, _) = add_token(&store, same_key(1));
    let other = store.clone();
    two(move || leave(&other, &first), || add_token(&store, same_key(2)));
    let found = registered(&store);
    assert_eq!(found, Some(sample::token_id(2)), "the live token is not found");
    if semantics == Semantics::Strict {
        assert_ntf_sound(&store);
    }
}

fn delete(store: &NtfStore, token: &Token) {
    assert!(store.delete_token(token.id()).token.is_some());
}

#[test]
fn proof_deleting_a_token_leaves_anothers_registration() {
    explore("race_67/deleted", 3, || leaves_beside_a_registration(Semantics::Strict, delete));
}

#[test]
fn twin_the_store_that_does_not_ask_whose_it_is_removes_it() {
    must_fail("race_67/not_asked", 2, "the live token is not found", || {
        leaves_beside_a_registration(Semantics::Reference, delete);
    });
}

#[test]
fn proof_removing_a_registration_leaves_anothers() {
    for (semantics, name) in BOTH {
        explore(&format!("race_67/registration/{name}"), 3, move || {
            leaves_beside_a_registration(semantics, |store, token| {
                store.remove_registration(token);
            });
        });
    }
}

/// The registrations in short: one thread removes that of token 1, having looked whose it is `inside` of its transaction or before it.
fn owner_looked_at(inside: bool) {
    let registrations = TMap::new();
    atomically(|tx| registrations.insert(tx, "device and key", 1));
    let of = registrations.clone();
    let remove = move || {
        let before = of.get_atomic(&"device and key");
        atomically(|tx: &mut Transaction<'_>| {
            let owner = if inside { of.get(tx, &"device and key")? } else { before };
            if owner == Some(1) { of.remove(tx, &"device and key") } else { Ok(()) }
        });
    };
    two(remove, || atomically(|tx| registrations.insert(tx, "device and key", 2)));
    assert_eq!(registrations.get_atomic(&"device and key"), Some(2), "another's is removed");
}

#[test]
fn proof_an_owner_looked_at_inside_the_transaction_is_the_owner() {
    explore("race_67/looked_inside", 3, || owner_looked_at(true));
}

#[test]
fn twin_an_owner_looked_at_before_it_may_be_another() {
    must_fail("race_67/looked_before", 2, "another's is removed", || owner_looked_at(false));
}

/// The server loads token 1 anew while somebody with the old object takes its registration back.
fn loaded_anew(semantics: Semantics) {
    let store = ntf_store(semantics);
    let (old, _) = add_token(&store, same_key(1));
    let other = store.clone();
    two(move || other.remove_registration(&old), || add_token(&store, same_key(1)));
    assert_eq!(registered(&store), Some(sample::token_id(1)), "the live token is not found");
}

#[test]
fn proof_an_object_that_was_replaced_takes_nothing_from_the_new_one() {
    explore("race_67/loaded_anew", 3, || loaded_anew(Semantics::Strict));
}

#[test]
fn twin_an_id_alone_does_not_tell_them_apart() {
    must_fail("race_67/by_id", 2, "the live token is not found", || {
        loaded_anew(Semantics::Reference);
    });
}

/// Of two that register under one key, the later has the registration; the earlier is told of, and stays.
#[test]
fn proof_the_later_of_two_has_the_registration() {
    for (semantics, name) in BOTH {
        explore(&format!("race_67/two/{name}"), 3, move || {
            let store = ntf_store(semantics);
            let other = store.clone();
            let ((_, a), (_, b)) =
                two(move || add_token(&other, same_key(1)), || add_token(&store, same_key(2)));
            let last = match (a.displaced, b.displaced) {
                (None, Some(displaced)) if displaced == sample::token_id(1) => 2,
                (Some(displaced), None) if displaced == sample::token_id(2) => 1,
                other => panic!("nobody was first: {other:?}"),
            };
            assert_eq!(registered(&store), Some(sample::token_id(last)));
            assert!(lives(&store, 1) && lives(&store, 2));
        });
    }
}
