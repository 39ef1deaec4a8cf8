//! RACE-64: a notification for a list that nobody can reach.
//!
//! **The race.** A token's last notifications are in a list of its own. The reference looks the list up outside of the step that
//! appends to it; in between the token is deleted, and its list with it.
//!
//! ```text
//! A   looks up the list .........................   appends to it: stored
//! B                       deletes token and list
//! ```
//!
//! **What follows.** The notification is said to be stored, and is in no list that anybody finds. Nobody bounds the list, either.
//!
//! **What the library does.** Looking the list up, asking for the token and appending are one transaction; under `Strict` the list
//! keeps its newest only.

use crate::ntf_whole::{add_token, assert_ntf_sound, ntf_store, own_key};
use crate::whole::BOTH;
use loom_tests::scenario::{both, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::ntf_store::{NtfStore, StoredNtf, Token};
use simplex_stores::protocol::Semantics;
use simplex_stores::stm::{TMap, TVar, Transaction, atomically};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::ntf_store::sample;
use std::num::NonZeroUsize;
use std::sync::Arc;

#[test]
fn witness_a_stored_notification_is_in_no_list() {
    must_find_steps("race_64/witness", 2, |steps| {
        // Whether the token's list is in the map; and the list, which who looked it up keeps.
        let shared = Arc::new(Mutex::new((true, vec!["first"])));
        let (other, log) = (shared.clone(), steps.clone());
        let (lost, ()) = two(
            move || {
                let found = {
                    let state = other.lock();
                    let found = if state.0 { "finds it" } else { "there is none" };
                    log.take("A", format!("looks up the token's list: {found}"));
                    state.0
                };
                let mut state = other.lock();
                if found {
                    state.1.insert(0, "second");
                    log.take("A", "prepends to the list that it found: stored");
                }
                found && !state.0
            },
            || {
                let mut state = shared.lock();
                state.0 = false;
                steps.take("B", "deletes the token, whose list leaves the map");
            },
        );
        steps.take("device", "is never told of the message: the list is in no map");
        lost
    });
}

/// How often notification 2 is in a list.
fn count(ntfs: &[Arc<simplex_stores::protocol::ntf::TokenNtf>]) -> usize {
    ntfs.iter().filter(|ntf| **ntf == sample::ntf(1, 2)).count()
}

/// Notification 2 of token 1 comes while the token is deleted, and perhaps added anew; whoever deletes sees what it takes along.
fn stored_while_deleted(semantics: Semantics, added_anew: bool) {
    let store = ntf_store(semantics);
    add_token(&store, own_key(1));
    let _ = store.store_last_ntf(&sample::token_id(1), sample::ntf(1, 1));
    let other = store.clone();
    let store_one = move || other.store_last_ntf(&sample::token_id(1), sample::ntf(1, 2));
    let delete = || {
        atomically(|tx| {
            let taken = store.last_ntfs_tx(tx, &sample::token_id(1))?;
            store.delete_token_tx(tx, &sample::token_id(1))?;
            if added_anew {
                store.add_token_tx(tx, Arc::new(Token::new(own_key(1))))?;
            }
            Ok(taken)
        })
    };
    let (answer, taken) = two(store_one, delete);
    let left = store.last_ntfs(&sample::token_id(1));
    let is_stored = answer != StoredNtf::UnknownToken;
    assert_eq!(count(&taken) + count(&left), usize::from(is_stored), "not where it was stored");
    assert!(added_anew || left.is_empty(), "a list outlives its token");
    assert!(is_stored || !added_anew, "the token was there all the time");
    assert_ntf_sound(&store);
}

#[test]
fn proof_a_stored_notification_is_in_the_tokens_list() {
    for (semantics, name) in BOTH {
        explore(&format!("race_64/deleted/{name}"), 3, move || {
            stored_while_deleted(semantics, false);
        });
        explore(&format!("race_64/added_anew/{name}"), 3, move || {
            stored_while_deleted(semantics, true);
        });
    }
}

/// A map of lists in short: one thread stores, having looked the list up `inside` of its transaction or before it.
fn list_looked_up(inside: bool) {
    let lists: TMap<u8, TVar<Vec<u8>>> = TMap::new();
    atomically(|tx| lists.insert(tx, 1, TVar::new(vec![1])));
    let of = lists.clone();
    let store_one = move || {
        let before = of.get_atomic(&1);
        atomically(|tx: &mut Transaction<'_>| {
            let list = if inside { of.get(tx, &1)? } else { before.clone() };
            let Some(list) = list else { return Ok(false) };
            list.modify(tx, |mut list| {
                list.push(2);
                list
            })?;
            Ok(true)
        })
    };
    let take = || {
        atomically(|tx| match lists.take(tx, &1)? {
            Some(list) => list.read(tx),
            None => Ok(Vec::new()),
        })
    };
    let (stored, taken) = two(store_one, take);
    assert_eq!(stored, taken.contains(&2), "a stored notification is in no list");
}

#[test]
fn proof_a_list_looked_up_inside_the_transaction_is_the_maps() {
    explore("race_64/looked_up_inside", 3, || list_looked_up(true));
}

#[test]
fn twin_a_list_looked_up_before_it_may_be_nobodys() {
    must_fail("race_64/looked_up_before", 2, "a stored notification is in no list", || {
        list_looked_up(false);
    });
}

/// The first notifications of a token are both there.
#[test]
fn proof_two_first_notifications_are_in_one_list() {
    for (semantics, name) in BOTH {
        explore(&format!("race_64/two_first/{name}"), 3, move || {
            let store = ntf_store(semantics);
            add_token(&store, own_key(1));
            let shared = store.clone();
            both(move |message| {
                let stored = shared.store_last_ntf(&sample::token_id(1), sample::ntf(1, message));
                assert_eq!(stored, StoredNtf::Stored { dropped: None });
            });
            assert_eq!(store.last_ntfs(&sample::token_id(1)).len(), 2);
        });
    }
}

/// A full list stays so, and what makes room for the newest is given to who stored it.
fn stored_in_a_full_list(limit: Option<NonZeroUsize>) {
    let store = Arc::new(NtfStore::with_last_ntf_limit(Semantics::Strict, limit));
    add_token(&store, own_key(1));
    let token_id = sample::token_id(1);
    let _ = store.store_last_ntf(&token_id, sample::ntf(1, 0));
    let shared = store.clone();
    let store_one =
        move |message| match shared.store_last_ntf(&sample::token_id(1), sample::ntf(1, message)) {
            StoredNtf::Stored { dropped } => dropped,
            StoredNtf::UnknownToken => panic!("the token is there"),
        };
    let other = store_one.clone();
    let (a, b) = two(move || other(1), || store_one(2));
    let mut all: Vec<_> = store.last_ntfs(&token_id);
    assert_eq!(all.len(), 1, "the list grew beyond its limit");
    all.extend(a.into_iter().chain(b));
    all.sort_by_key(|ntf| ntf.nonce.0);
    assert_eq!(all, [0, 1, 2].map(|message| sample::ntf(1, message)), "one is kept or given twice");
}

#[test]
fn proof_a_full_list_gives_its_oldest_for_each_new_one() {
    explore("race_64/limit", 3, || stored_in_a_full_list(NonZeroUsize::new(1)));
}

#[test]
fn twin_a_list_without_a_limit_grows() {
    must_fail("race_64/no_limit", 3, "the list grew", || stored_in_a_full_list(None));
}
