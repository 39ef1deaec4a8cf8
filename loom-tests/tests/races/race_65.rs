//! RACE-65: empty entries.
//!
//! **The race.** Expiry takes the last notification of a notifier and leaves its empty list in the map. Only a pass that finds the
//! notifier gone removes the key; while the notifier lives, nothing does.
//!
//! ```text
//! A   expires n's only notification: an empty list
//! B                                                  counts what waits: n, with nothing
//! ```
//!
//! **What follows.** The map keeps a key for each notifier that ever had a notification.
//!
//! **What the library does.** Under `Strict` the key goes in the transaction that takes the last notification, whoever takes it. Under
//! `Reference` an empty list stays, for that is what the reference's map shows; a pass removes it when its notifier is gone.
//!
//! The twins are the store under `Reference`, and a removal of the key in a transaction of its own.

use crate::waiting::{arrives, deliver, queues, waiting};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::ntf_store::pending::{PendingCounts, PendingNtfStore};
use simplex_stores::protocol::Semantics;
use simplex_stores::stm::{TMap, atomically};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::ntf_store::pending::sample::{notifier, time};
use std::sync::Arc;

#[test]
fn witness_a_notifier_for_which_nothing_waits_stays_in_the_map() {
    must_find_steps("race_65/witness", 2, |steps| {
        // The map's entry: how many wait.
        let map = Arc::new(Mutex::new(Some(1)));
        let (other, log) = (map.clone(), steps.clone());
        let ((), seen) = two(
            move || {
                let mut map = other.lock();
                *map = Some(0);
                log.take("A", "expires n's only notification and leaves the empty list");
            },
            || {
                let map = map.lock();
                let seen = map.map_or("nothing".to_owned(), |waiting| format!("n with {waiting}"));
                steps.take("B", format!("looks what waits: {seen}"));
                *map
            },
        );
        let left = *map.lock();
        steps.take("memory", "keeps n's key as long as n lives");
        seen == Some(0) && left == Some(0)
    });
}

/// No notifier is there without notifications.
fn assert_no_empty_list(store: &PendingNtfStore) {
    let empty = store.entries().iter().filter(|entry| entry.ntfs.is_empty()).count();
    assert_eq!(empty, 0, "a notifier is there for which nothing waits");
}

/// A notification is stored while another one expires, and a third thread looks.
fn stored_while_one_expires(semantics: Semantics) {
    let store = waiting(semantics, 1);
    let (stored, observed) = (store.clone(), store.clone());
    let ((), ((), expired)) = two(
        move || assert_no_empty_list(&observed),
        || {
            let stores = move || arrives(&stored, 1, 2);
            two(stores, || store.delete_expired(time(2)))
        },
    );
    assert_no_empty_list(&store);
    assert_eq!((expired, store.counts().ntfs), (1, 1), "a notification was lost");
}

#[test]
fn proof_no_moment_shows_an_empty_list_and_nothing_is_lost() {
    explore("race_65/store_expire", 3, || stored_while_one_expires(Semantics::Strict));
}

#[test]
fn twin_the_references_lists_stay() {
    must_fail("race_65/reference", 3, "a notifier is there for which nothing waits", || {
        stored_while_one_expires(Semantics::Reference);
    });
}

#[test]
fn proof_the_key_goes_with_the_last_notification_whoever_takes_it() {
    explore("race_65/delivery_expire", 3, || {
        let (store, queues) = (waiting(Semantics::Strict, 1), queues());
        let (expires, observed) = (store.clone(), store.clone());
        let ((), (expired, (report, _))) = two(
            move || assert_no_empty_list(&observed),
            || two(move || expires.delete_expired(time(2)), || deliver(&store, &queues)),
        );
        assert_eq!(report.handed_over - report.already_gone + expired, 1);
        assert_eq!(store.counts(), PendingCounts::default());
    });
}

#[test]
fn proof_a_notifier_that_is_deleted_leaves_no_list_beside_a_delivery() {
    explore("race_65/delivery_delete", 3, || {
        let (store, queues) = (waiting(Semantics::Strict, 1), queues());
        let deletes = store.clone();
        let (deleted, (report, _)) =
            two(move || deletes.delete(&notifier(1)), || deliver(&store, &queues));
        assert_eq!(report.handed_over - report.already_gone + deleted, 1);
        assert_eq!(store.counts(), PendingCounts::default());
    });
}

#[test]
fn twin_a_key_that_is_removed_in_a_transaction_of_its_own_takes_one_along() {
    must_fail("race_65/two_transactions", 2, "a notification was lost", || {
        let lists: TMap<u8, Vec<u8>> = TMap::new();
        atomically(|tx| lists.insert(tx, 1, vec![1]));
        let other = lists.clone();
        let stores = move || {
            atomically(|tx| {
                let mut list = other.get(tx, &1)?.unwrap_or_default();
                list.push(2);
                other.insert(tx, 1, list)
            });
        };
        two(stores, || {
            let empty = atomically(|tx| {
                let left: Vec<u8> =
                    lists.get(tx, &1)?.unwrap_or_default().into_iter().filter(|n| *n > 1).collect();
                let empty = left.is_empty();
                lists.insert(tx, 1, left)?;
                Ok(empty)
            });
            if empty {
                atomically(|tx| lists.remove(tx, &1));
            }
        });
        assert_eq!(lists.get_atomic(&1), Some(vec![2]), "a notification was lost");
    });
}
