//! The store of pending notifications, item by item: what is stored, expires and is deleted.

use simplex_stores::ntf_store::pending::{PendingCounts, PendingNtfStore, PendingViolation};
use simplex_stores::protocol::ntf::PendingNtf;
use simplex_stores::protocol::{ErrorType, NotifierId, Semantics};
use simplex_stores::queue_store::{QueueKey, QueueStore};
use simplex_stores::stm::{TVar, atomically};
use simplex_stores::testing::ntf_store::pending::queues;
use simplex_stores::testing::ntf_store::pending::sample::{notifier, ntf, time};

pub(crate) const BOTH: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

/// A store in which these notifications wait for the notifier 1.
pub(crate) fn with(semantics: Semantics, ntfs: &[PendingNtf]) -> PendingNtfStore {
    let store = PendingNtfStore::new(semantics);
    for ntf in ntfs {
        store.store(&notifier(1), ntf);
    }
    store
}

pub(crate) fn waiting(store: &PendingNtfStore, id: &NotifierId) -> Option<Vec<PendingNtf>> {
    Some(store.ntfs(id)?.iter().map(|ntf| (**ntf).clone()).collect())
}

#[test]
fn mn1_a_notification_is_added_to_its_notifiers_and_nothing_is_merged() {
    for semantics in BOTH {
        let store = PendingNtfStore::new(semantics);
        assert_eq!(store.ntfs(&notifier(1)), None);
        assert_eq!(store.store(&notifier(1), &ntf(7, 10)), 1);
        assert_eq!(store.store(&notifier(1), &ntf(8, 9)), 2);
        assert_eq!(store.store(&notifier(1), &ntf(7, 10)), 3, "an equal one is another one");
        assert_eq!(store.store(&notifier(2), &ntf(9, 10)), 1);
        let of_one = Some(vec![ntf(7, 10), ntf(8, 9), ntf(7, 10)]);
        assert_eq!(waiting(&store, &notifier(1)), of_one, "in the order in which they came");
        assert_eq!(store.counts(), PendingCounts { notifiers: 2, ntfs: 4 });
    }
}

#[test]
fn deleting_a_notifier_gives_how_many_waited_for_it() {
    for semantics in BOTH {
        let store = with(semantics, &[ntf(1, 1), ntf(2, 2)]);
        assert_eq!(store.delete(&notifier(2)), 0, "none, for an unknown one");
        assert_eq!(store.delete(&notifier(1)), 2);
        assert_eq!(store.delete(&notifier(1)), 0);
        assert_eq!(store.counts(), PendingCounts::default(), "the key is gone with them");
    }
}

#[test]
fn mn2_what_is_older_than_the_bound_expires_and_what_is_as_old_stays() {
    for semantics in BOTH {
        let store = with(semantics, &[ntf(1, 9), ntf(2, 10), ntf(3, 11)]);
        store.store(&notifier(2), &ntf(4, 10));
        assert_eq!(store.delete_expired(time(9)), 0, "exactly at the bound");
        assert_eq!(store.delete_expired(time(10)), 1);
        assert_eq!(waiting(&store, &notifier(1)), Some(vec![ntf(2, 10), ntf(3, 11)]));
        assert_eq!(store.delete_expired(time(11)), 2, "of two notifiers");
        assert_eq!(store.counts().ntfs, 1);
    }
}

#[test]
fn mn2_reference_leaves_a_list_alone_whose_first_notification_is_young() {
    let ntfs = [ntf(1, 20), ntf(2, 5), ntf(3, 30)];
    let store = with(Semantics::Reference, &ntfs);
    assert_eq!(store.delete_expired(time(10)), 0);
    assert_eq!(waiting(&store, &notifier(1)), Some(ntfs.to_vec()));
    // Once the first is older, the others are looked at, too.
    assert_eq!(store.delete_expired(time(21)), 2);
    assert_eq!(waiting(&store, &notifier(1)), Some(vec![ntf(3, 30)]));
}

#[test]
fn mn2_strict_expires_every_notification_that_is_older() {
    let store = with(Semantics::Strict, &[ntf(1, 20), ntf(2, 5), ntf(3, 30)]);
    assert_eq!(store.delete_expired(time(10)), 1);
    assert_eq!(waiting(&store, &notifier(1)), Some(vec![ntf(1, 20), ntf(3, 30)]));
}

#[test]
fn mn3_race65_an_empty_list_stays_only_under_reference() {
    let store = with(Semantics::Reference, &[ntf(1, 1)]);
    assert_eq!(store.delete_expired(time(2)), 1);
    assert_eq!(waiting(&store, &notifier(1)), Some(vec![]));
    assert_eq!(store.counts(), PendingCounts { notifiers: 1, ntfs: 0 });
    let checked = store.check_invariants().unwrap();
    assert_eq!((checked.notifiers, checked.empty, checked.ntfs), (1, 1, 0));
    assert_eq!(store.delete_expired(time(2)), 0, "an empty list has nothing to expire");
    assert_eq!(store.store(&notifier(1), &ntf(2, 2)), 1, "and goes on being used");

    let store = with(Semantics::Strict, &[ntf(1, 1)]);
    assert_eq!(store.delete_expired(time(2)), 1);
    assert_eq!(store.ntfs(&notifier(1)), None);
    assert_eq!(store.counts(), PendingCounts::default());
    let checked = store.check_invariants().unwrap();
    assert_eq!((checked.notifiers, checked.empty, checked.ntfs), (0, 0, 0));
}

#[test]
fn a_violation_says_which_notifier_is_empty() {
    let violation = PendingViolation::EmptyList { notifier_id: notifier(1) };
    let text = violation.to_string();
    assert!(text.contains(&notifier(1).to_string()) && text.contains("without notifications"));
}

#[test]
fn mn5_a_notifier_and_what_waits_for_it_go_in_one_transaction() {
    let (queues, store) = (queues(), with(Semantics::Strict, &[ntf(1, 1), ntf(2, 2)]));
    let queue = queues.get_queue(&QueueKey::Notifier(notifier(1))).unwrap();
    let delete = |refuse: bool| {
        queues.transact(|tx, log| {
            let creds = queues.delete_notifier_tx(tx, log, &queue)?.unwrap();
            let removed = store.delete_tx(tx, &creds.notifier_id)?;
            if refuse { simplex_stores::stm::abort(ErrorType::Quota) } else { Ok(removed) }
        })
    };
    assert_eq!(delete(true), Err(ErrorType::Quota));
    assert_eq!(store.counts().ntfs, 2, "what is refused takes back the removal");
    assert_eq!(delete(false), Ok(2));
    assert_eq!(store.ntfs(&notifier(1)), None);
}

#[test]
fn mn5_a_notification_is_stored_in_the_transaction_that_finds_its_notifier() {
    let (queues, store) = (queues(), PendingNtfStore::new(Semantics::Strict));
    let notify = |id: NotifierId| {
        queues.transact(|tx, _| {
            queues.get_queue_rec_tx(tx, &QueueKey::Notifier(id.clone()))?;
            Ok(store.store_tx(tx, &id, &ntf(1, 1))?)
        })
    };
    assert_eq!(notify(notifier(1)), Ok(1));
    assert_eq!(notify(notifier(5)), Err(ErrorType::Auth), "there is no such notifier");
    assert_eq!(store.counts(), PendingCounts { notifiers: 1, ntfs: 1 });
}

#[test]
fn parts_join_with_each_other_and_with_a_users_variables() {
    for semantics in BOTH {
        let store = with(semantics, &[ntf(1, 1)]);
        let moved = TVar::new(0);
        let seen = atomically(|tx| {
            let ntfs = store.ntfs_tx(tx, &notifier(1))?.unwrap_or_default();
            for ntf in &ntfs {
                store.store_tx(tx, &notifier(2), ntf)?;
            }
            let removed = store.delete_tx(tx, &notifier(1))?;
            moved.write(tx, removed)?;
            assert_eq!(store.ntfs_tx(tx, &notifier(1))?, None);
            store.ntfs_tx(tx, &notifier(2))
        });
        assert_eq!(seen.map(|ntfs| ntfs.len()), Some(1));
        assert_eq!(moved.read_atomic(), 1);
        assert_eq!(waiting(&store, &notifier(2)), Some(vec![ntf(1, 1)]));
    }
}

#[test]
fn exactly_the_notifications_of_an_entry_are_removed() {
    for semantics in BOTH {
        let store = with(semantics, &[ntf(1, 1), ntf(2, 2)]);
        let [entry] = store.entries().try_into().unwrap();
        store.store(&notifier(1), &ntf(1, 1));
        let remove = || atomically(|tx| store.remove_tx(tx, &entry.notifier_id, &entry.ntfs));
        assert_eq!(remove(), 2);
        assert_eq!(waiting(&store, &notifier(1)), Some(vec![ntf(1, 1)]), "the later, equal one");
        assert_eq!(remove(), 0, "they are gone");
        // The same ones under another notifier's name, and copies of what is there.
        let foreign = atomically(|tx| store.remove_tx(tx, &notifier(2), &entry.ntfs));
        let copies = [std::sync::Arc::new(ntf(1, 1))];
        assert_eq!(foreign, 0);
        assert_eq!(atomically(|tx| store.remove_tx(tx, &notifier(1), &copies)), 0);
        assert_eq!(store.counts(), PendingCounts { notifiers: 1, ntfs: 1 });
    }
}

#[test]
fn entries_ascend_by_id_and_debug_shows_nothing_of_them() {
    let store = PendingNtfStore::new(Semantics::Strict);
    for number in [3, 1, 2, 0] {
        store.store(&notifier(number), &ntf(u16::from(number), 1));
    }
    let ids: Vec<_> = store.entries().into_iter().map(|entry| entry.notifier_id).collect();
    assert_eq!(ids, [0, 1, 2, 3].map(notifier));
    let shown = format!("{store:?}");
    assert!(shown.contains("notifiers: 4") && !shown.contains(&notifier(1).to_string()), "{shown}");
}
