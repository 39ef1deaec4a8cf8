//! RACE-63: append to a detached list.
//!
//! **The race.** Storing a notification takes the notifier's list by a direct read; meanwhile the list's entry is removed from
//! the map.
//!
//! ```text
//! A   finds n's list .....................   appends to it
//! B                     removes n, counts 0
//! ```
//!
//! **What follows.** The notification is on a list that nobody can reach: it is neither delivered nor counted as removed.
//!
//! **What the library does.** The lookup is inside the transaction that appends, and the list is the map's value, not a cell beside
//! it: there is nothing to append to but the map. The same holds for whoever removes: a delivery pass
//! removes exactly what it showed from the list as it is by then.
//!
//! The twins look the list up before the transaction, and empty the list that was delivered.

use crate::waiting::{arrives, deliver, queues, waiting};
use crate::whole::{self, BOTH};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::ntf_store::pending::PendingNtfStore;
use simplex_stores::protocol::Semantics;
use simplex_stores::stm::{TMap, TVar, atomically};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::ntf_store::pending::sample::{notifier, ntf, time};
use std::sync::Arc;

#[test]
fn witness_a_notification_is_appended_to_a_list_that_nobody_can_reach() {
    must_find_steps("race_63/witness", 2, |steps| {
        // The map's entry: a cell with how many wait.
        let map = Arc::new(Mutex::new(Some(Arc::new(Mutex::new(0)))));
        let (other, log) = (map.clone(), steps.clone());
        let ((), removed) = two(
            move || {
                let cell = {
                    let mut map = other.lock();
                    log.take("A", "finds n's list in the map, to store a notification");
                    map.get_or_insert_with(|| Arc::new(Mutex::new(0))).clone()
                };
                let mut waiting = cell.lock();
                *waiting += 1;
                log.take("A", "appends the notification to the list");
            },
            || {
                let cell = map.lock().take().unwrap();
                let removed = *cell.lock();
                steps.take("B", format!("removes n from the map and counts its list: {removed}"));
                removed
            },
        );
        let reachable = map.lock().is_some();
        if !reachable {
            steps.take("delivery", "finds nothing for n");
        }
        removed == 0 && !reachable
    });
}

/// What a thread does to the store, and how many notifications it took out.
type Remove = fn(&PendingNtfStore) -> u64;

const DELETE: Remove = |store| store.delete(&notifier(1));
const EXPIRE: Remove = |store| store.delete_expired(time(2));

/// A notification is stored beside a removal: afterwards each one was taken out or is there.
fn stored_beside(semantics: Semantics, before: u16, remove: Remove) {
    let store = waiting(semantics, before);
    let other = store.clone();
    let ((), removed) = two(move || arrives(&other, before, 1), || remove(&store));
    let left = store.counts().ntfs;
    assert_eq!(removed + left, u64::from(before) + 1, "a notification was lost");
}

#[test]
fn proof_a_notification_that_is_stored_beside_a_removal_is_removed_or_there() {
    for (semantics, name) in BOTH {
        for before in [0, 1] {
            explore(&format!("race_63/delete/{name}/{before}"), 3, move || {
                stored_beside(semantics, before, DELETE);
            });
            explore(&format!("race_63/expire/{name}/{before}"), 3, move || {
                stored_beside(semantics, before, EXPIRE);
            });
        }
    }
}

#[test]
fn proof_so_it_is_beside_two_removals() {
    for (semantics, name) in BOTH {
        explore(&format!("race_63/delete_expire/{name}"), 2, move || {
            let store = waiting(semantics, 1);
            let (stored, deleted) = (store.clone(), store.clone());
            let (deleted, ((), expired)) = two(
                move || DELETE(&deleted),
                || two(move || arrives(&stored, 1, 1), || EXPIRE(&store)),
            );
            let left = store.counts().ntfs;
            assert_eq!(deleted + expired + left, 2, "a notification was lost or counted twice");
        });
    }
}

/// MN-1.
#[test]
fn proof_both_of_two_notifications_for_a_new_notifier_get_in() {
    for (semantics, name) in BOTH {
        explore(&format!("race_63/both/{name}"), 3, move || {
            let store = waiting(semantics, 0);
            let other = store.clone();
            let first = move || other.store(&notifier(1), &ntf(1, 1));
            let (one, two) = two(first, || store.store(&notifier(1), &ntf(2, 1)));
            assert_eq!(one + two, 3, "one was first and the other second");
            assert_eq!(store.counts().ntfs, 2);
        });
    }
}

/// A pass beside another thread's work; each message is handed over at most once.
fn delivered_beside<A: Send + 'static>(
    store: &Arc<PendingNtfStore>,
    work: impl FnOnce(&PendingNtfStore) -> A + Send + 'static,
) -> (A, u64, u64) {
    let (queues, other) = (queues(), store.clone());
    let (done, (report, mut taken)) = two(move || work(&other), || deliver(store, &queues));
    let (rest, later) = deliver(store, &queues);
    taken.extend(later);
    let count = taken.len();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), count, "a notification was handed over twice");
    assert_eq!(store.counts().ntfs, 0, "the second pass leaves nothing");
    (done, count as u64, report.already_gone + rest.already_gone)
}

#[test]
fn proof_what_arrives_during_a_delivery_is_delivered_by_it_or_by_the_next() {
    for (semantics, name) in BOTH {
        explore(&format!("race_63/delivery_store/{name}"), 3, move || {
            let store = waiting(semantics, 1);
            let ((), handed_over, gone) = delivered_beside(&store, |store| arrives(store, 1, 1));
            assert_eq!((handed_over, gone), (2, 0), "a notification was lost");
        });
    }
}

#[test]
fn proof_what_expires_during_a_delivery_is_counted_once() {
    for (semantics, name) in BOTH {
        explore(&format!("race_63/delivery_expire/{name}"), 3, move || {
            let store = waiting(semantics, 2);
            let (expired, handed_over, gone) = delivered_beside(&store, EXPIRE);
            assert_eq!(handed_over - gone + expired, 2, "a notification was counted twice");
        });
    }
}

#[test]
fn proof_a_pass_that_finds_the_notifier_gone_counts_what_it_removes() {
    for (semantics, name) in BOTH {
        explore(&format!("race_63/dead_store/{name}"), 3, move || {
            let (store, nobody) = (waiting(semantics, 1), whole::store(Semantics::Strict));
            let other = store.clone();
            let ((), (report, taken)) =
                two(move || arrives(&other, 1, 1), || deliver(&store, &nobody));
            assert!(taken.is_empty(), "handed over to nobody");
            let left = store.counts().ntfs;
            assert_eq!(report.dead_ntfs + left, 2, "a notification was lost");
        });
    }
}

#[test]
fn twin_a_list_that_was_looked_up_before_the_transaction_may_be_detached() {
    must_fail("race_63/looked_up_before", 2, "a notification was lost", || {
        let lists: TMap<u8, TVar<Vec<u8>>> = TMap::new();
        atomically(|tx| lists.insert(tx, 1, TVar::new(vec![])));
        let other = lists.clone();
        let stores = move || match other.get_atomic(&1) {
            Some(list) => atomically(|tx| list.update(tx, |ntfs| ntfs.push(1))),
            None => atomically(|tx| other.insert(tx, 1, TVar::new(vec![1]))),
        };
        let ((), removed) = two(stores, || {
            atomically(|tx| match lists.take(tx, &1)? {
                Some(list) => list.with(tx, Vec::len),
                None => Ok(0),
            })
        });
        let left = lists.get_atomic(&1).map_or(0, |list| list.read_atomic().len());
        assert_eq!(removed + left, 1, "a notification was lost");
    });
}

#[test]
fn twin_a_delivery_that_empties_the_list_loses_what_arrived_meanwhile() {
    must_fail("race_63/emptied", 2, "a notification was lost", || {
        let store = waiting(Semantics::Strict, 1);
        let other = store.clone();
        let ((), handed_over) = two(
            move || arrives(&other, 1, 1),
            || {
                let entries = store.entries();
                let handed_over: usize = entries.iter().map(|entry| entry.ntfs.len()).sum();
                for entry in &entries {
                    store.delete(&entry.notifier_id);
                }
                handed_over as u64
            },
        );
        assert_eq!(handed_over + store.counts().ntfs, 2, "a notification was lost");
    });
}
