//! The invariant check finds every kind of damage, each made by hand in a sound snapshot.

use std::num::NonZeroUsize;

use simplex_stores::ntf_store::{
    DeviceSnapshot, NtfInvariantReport, NtfSnapshot, NtfStore, NtfViolation, StoredNtf,
};
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::ntf_store::sample::{
    device, ntf, queue, subscription, subscription_id, token, token_id, verify_key,
};

use crate::items::{added, with_token};

/// Three tokens, two of them of one device, one of which lost its registration; each has a subscription and two notifications.
fn sound() -> NtfSnapshot {
    let store = NtfStore::with_last_ntf_limit(Semantics::Strict, NonZeroUsize::new(2));
    for (number, device) in [(1, 1), (2, 1), (3, 2)] {
        with_token(&store, token(number, device, 3));
        added(&store, subscription(number, number, number));
        for message in [1, 2] {
            let stored = store.store_last_ntf(&token_id(number), ntf(number, message));
            assert_eq!(stored, StoredNtf::Stored { dropped: None });
        }
    }
    let counted =
        NtfInvariantReport { tokens: 3, registrations: 3, subscriptions: 3, last_ntfs: 6 };
    assert_eq!(store.check_invariants(), Ok(counted));
    store.snapshot()
}

fn found(damage: impl FnOnce(&mut NtfSnapshot)) -> Vec<NtfViolation> {
    let mut snapshot = sound();
    assert_eq!(snapshot.violations(), []);
    damage(&mut snapshot);
    let found = snapshot.violations();
    assert!(found.iter().all(|violation| !violation.to_string().is_empty()));
    assert_eq!(NtfStore::from_snapshot(snapshot).check_invariants(), Err(found.clone()));
    found
}

#[test]
fn every_damage_of_registrations_is_found() {
    let not_listed = || NtfViolation::TokenNotListed(token_id(1));
    let stray = || NtfViolation::StrayRegistration(token_id(1));
    // The device 1 lists the token 1, without a registration, and the token 2.
    assert_eq!(found(|s| drop(s.registrations[0].tokens.remove(0))), [not_listed()]);
    let other_key = |s: &mut NtfSnapshot| s.tokens[0].verify_key = verify_key(4);
    assert_eq!(found(other_key), [stray(), not_listed()]);
    assert_eq!(found(|s| s.tokens[0].device = device(2)), [stray(), not_listed()]);
    let twice = |s: &mut NtfSnapshot| {
        let one = s.registrations[0].tokens[0].clone();
        s.registrations[1].tokens.push(one);
    };
    assert_eq!(found(twice), [stray()]);
    let again = |s: &mut NtfSnapshot| {
        let one = s.registrations[0].tokens[0].clone();
        s.registrations[0].tokens.insert(0, one);
    };
    assert_eq!(found(again), [stray()]);
    let shared = NtfViolation::SharedRegistration(token_id(1), token_id(2));
    assert_eq!(found(|s| s.registrations[0].tokens[0].registered = true), [shared]);
    let empty = DeviceSnapshot { device: device(9), tokens: Vec::new() };
    assert_eq!(found(|s| s.registrations.push(empty)), [NtfViolation::EmptyDevice]);
}

#[test]
fn every_damage_of_subscriptions_is_found() {
    let (token, one) = (token_id(1), subscription_id(1));
    let in_set = NtfViolation::StrayInSet { token: token.clone(), subscription: one.clone() };
    let gone = |s: &mut NtfSnapshot| drop(s.subscriptions.remove(0));
    assert_eq!(found(gone), [in_set.clone(), NtfViolation::Dangling(one.clone())]);
    let no_set = |s: &mut NtfSnapshot| drop(s.token_subscriptions.remove(0));
    assert_eq!(found(no_set), [NtfViolation::NotInSet(one.clone())]);
    let not_in_set = |s: &mut NtfSnapshot| s.token_subscriptions[0].1.clear();
    let empty = NtfViolation::EmptySet(token.clone());
    assert_eq!(found(not_in_set), [NtfViolation::NotInSet(one.clone()), empty]);
    let other_token = |s: &mut NtfSnapshot| s.subscriptions[0].token_id = token_id(2);
    assert_eq!(found(other_token), [NtfViolation::NotInSet(one.clone()), in_set.clone()]);
    let unknown = NtfViolation::UnknownToken { subscription: one.clone(), token: token_id(9) };
    let unknown_token = |s: &mut NtfSnapshot| s.subscriptions[0].token_id = token_id(9);
    assert_eq!(found(unknown_token), [unknown, NtfViolation::NotInSet(one.clone()), in_set]);
    let no_queues = |s: &mut NtfSnapshot| s.queue_subscriptions.clear();
    assert_eq!(found(no_queues), [1, 2, 3].map(|n| NtfViolation::NotIndexed(subscription_id(n))));
    let other_queue = |s: &mut NtfSnapshot| s.subscriptions[0].queue = queue(9);
    assert_eq!(
        found(other_queue),
        [NtfViolation::NotIndexed(one.clone()), NtfViolation::Dangling(one)]
    );
}

#[test]
fn every_damage_of_notifications_is_found() {
    let stray = |s: &mut NtfSnapshot| s.last_ntfs.push((token_id(9), vec![ntf(1, 1)]));
    assert_eq!(found(stray), [NtfViolation::StrayNtfs(token_id(9))]);
    let count = |count| NtfViolation::NtfCount { token: token_id(1), count };
    assert_eq!(found(|s| s.last_ntfs[0].1.clear()), [count(0)]);
    assert_eq!(found(|s| s.last_ntfs[0].1.push(ntf(1, 3))), [count(3)]);
}

#[test]
fn a_store_made_of_a_snapshot_is_the_same_whatever_its_semantics() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        let mut snapshot = sound();
        snapshot.semantics = semantics;
        if semantics == Semantics::Reference {
            snapshot.registrations[1].tokens.clear();
            snapshot.token_subscriptions[0].1.clear();
            snapshot.last_ntf_limit = None;
        }
        let store = NtfStore::from_snapshot(snapshot.clone());
        assert_eq!(store.snapshot(), snapshot);
        assert_eq!(store.snapshot().report().tokens, 3);
    }
}

/// A snapshot that is given to a store is not checked; what deletes from it asks whose the queue is.
#[test]
fn deleting_from_a_damaged_store_leaves_the_queue_of_another_subscription() {
    let mut snapshot = sound();
    snapshot.subscriptions[1].queue = queue(1);
    let store = NtfStore::from_snapshot(snapshot);
    assert!(store.delete_subscription(&subscription_id(2)).is_some());
    assert_eq!(store.find_subscription(&queue(1)).unwrap().id(), &subscription_id(1));
}
