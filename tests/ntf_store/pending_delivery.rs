//! Delivery of pending notifications (MN-4).

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use simplex_stores::ntf_store::pending::{
    DeliveryError, DeliveryReport, HandedOver, PendingCounts, PendingEntry, PendingNtfStore,
};
use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::testing::ntf_store::pending::queues;
use simplex_stores::testing::ntf_store::pending::sample::{notifier, ntf, service_id, time};

use crate::pending_items::{BOTH, waiting};

/// Two notifications for each of the six notifiers, of which the last two don't exist.
fn full(semantics: Semantics) -> PendingNtfStore {
    let store = PendingNtfStore::new(semantics);
    for number in 0..6 {
        for message in 0..2 {
            store.store(&notifier(number), &ntf(u16::from(number) * 10 + message, 1));
        }
    }
    store
}

fn all() -> DeliveryReport {
    DeliveryReport { handed_over: 8, dead_notifiers: 2, dead_ntfs: 4, ..DeliveryReport::default() }
}

#[test]
fn mn4_everything_is_shown_in_groups_and_what_was_handed_over_is_removed() {
    for semantics in BOTH {
        let (store, queues) = (full(semantics), queues());
        let mut groups = Vec::new();
        let report = store.deliver(&queues, |service, entries| {
            let ids: Vec<_> = entries.iter().map(|entry| entry.notifier_id.clone()).collect();
            assert!(entries.iter().all(|entry| entry.ntfs.len() == 2));
            assert!(
                entries.iter().all(|entry| entry.ntfs[0].message_id < entry.ntfs[1].message_id)
            );
            groups.push((service.cloned(), ids));
            HandedOver::All
        });
        assert_eq!(report, Ok(all()));
        let of_service = |number, notifiers| (Some(service_id(number)), vec![notifier(notifiers)]);
        let expected = [(None, vec![notifier(0), notifier(1)]), of_service(2, 3), of_service(1, 2)];
        assert_eq!(groups, expected);
        // MN-3: the lists stay; of the dead ones nothing does.
        let left = if semantics == Semantics::Strict { 0 } else { 4 };
        assert_eq!(store.counts(), PendingCounts { notifiers: left, ntfs: 0 });
        let again = store.deliver(&queues, |_, _| panic!("nothing waits"));
        assert_eq!(again, Ok(DeliveryReport::default()));
    }
}

#[test]
fn mn4_a_group_that_is_refused_waits_for_the_next_pass() {
    for semantics in BOTH {
        let (store, queues) = (full(semantics), queues());
        let report = store.deliver(&queues, |service, _| match service {
            Some(_) => HandedOver::All,
            None => HandedOver::Nothing,
        });
        assert_eq!(report, Ok(DeliveryReport { handed_over: 4, kept: 4, ..all() }));
        assert_eq!(store.counts().ntfs, 4);
        let mut groups = 0;
        let report = store.deliver(&queues, |service, entries| {
            assert_eq!((service, entries.len()), (None, 2));
            groups += 1;
            HandedOver::All
        });
        assert_eq!(report, Ok(DeliveryReport { handed_over: 4, ..DeliveryReport::default() }));
        assert_eq!((groups, store.counts().ntfs), (1, 0));
    }
}

#[test]
fn mn4_notifiers_of_a_group_may_have_clients_of_their_own() {
    for semantics in BOTH {
        let (store, queues) = (full(semantics), queues());
        // The notifier 3 is of another group, and 9 of none.
        let taken: BTreeSet<_> = [1, 3, 9].map(notifier).into();
        let report = store.deliver(&queues, |service, _| match service {
            None => HandedOver::Notifiers(taken.clone()),
            Some(_) => HandedOver::Nothing,
        });
        assert_eq!(report, Ok(DeliveryReport { handed_over: 2, kept: 6, ..all() }));
        assert_eq!(waiting(&store, &notifier(0)), Some(vec![ntf(0, 1), ntf(1, 1)]));
        assert_eq!(waiting(&store, &notifier(3)), Some(vec![ntf(30, 1), ntf(31, 1)]));
        let emptied = if semantics == Semantics::Strict { None } else { Some(vec![]) };
        assert_eq!(waiting(&store, &notifier(1)), emptied);
    }
}

/// Makes a change while the group without a service is being handed over.
fn changed_meanwhile(
    semantics: Semantics,
    change: impl Fn(&PendingNtfStore),
) -> (PendingNtfStore, DeliveryReport) {
    let (store, queues) = (full(semantics), queues());
    let report = store.deliver(&queues, |service, _| {
        if service.is_none() {
            change(&store);
        }
        HandedOver::All
    });
    (store, report.unwrap())
}

#[test]
fn mn4_what_arrives_meanwhile_stays() {
    for semantics in BOTH {
        let (store, report) = changed_meanwhile(semantics, |store| {
            assert_eq!(store.store(&notifier(0), &ntf(0, 1)), 3);
            assert_eq!(store.store(&notifier(4), &ntf(4, 1)), 1, "the dead one's entry is gone");
        });
        assert_eq!(report, all());
        assert_eq!(waiting(&store, &notifier(0)), Some(vec![ntf(0, 1)]));
        assert_eq!(waiting(&store, &notifier(4)), Some(vec![ntf(4, 1)]), "for the next pass");
        assert_eq!(store.counts().ntfs, 2);
    }
}

#[test]
fn mn4_what_expires_or_is_deleted_meanwhile_is_no_error() {
    for semantics in BOTH {
        let (store, report) = changed_meanwhile(semantics, |store| {
            assert_eq!(store.delete(&notifier(0)), 2);
            assert_eq!(store.delete_expired(time(2)), 6);
            assert_eq!(store.store(&notifier(0), &ntf(7, 7)), 1);
        });
        assert_eq!(report, DeliveryReport { already_gone: 8, ..all() });
        assert_eq!(waiting(&store, &notifier(0)), Some(vec![ntf(7, 7)]));
    }
}

#[test]
fn one_pass_runs_at_a_time_and_a_panic_ends_it() {
    let (store, queues) = (full(Semantics::Strict), queues());
    let mut first = true;
    let mut pass = |entries: &[PendingEntry]| {
        let inner = store.deliver(&queues, |_, _| HandedOver::All);
        assert_eq!(inner, Err(DeliveryError::Running));
        assert!(std::mem::take(&mut first), "a client's fault");
        assert_eq!(entries.len(), 2);
        HandedOver::All
    };
    let result =
        catch_unwind(AssertUnwindSafe(|| store.deliver(&queues, |_, entries| pass(entries))));
    assert!(result.is_err(), "the panic is passed on");
    // The first group is removed, the one that panicked and the one after it are not.
    assert_eq!(store.counts(), PendingCounts { notifiers: 2, ntfs: 4 });
    let report = store.deliver(&queues, |_, _| HandedOver::All).unwrap();
    assert_eq!(report.handed_over, 4);
}

#[test]
fn a_closed_queue_store_is_told_and_nothing_is_lost() {
    let (store, queues) = (full(Semantics::Strict), queues());
    queues.close().unwrap();
    let error = store.deliver(&queues, |_, _| panic!("nothing is grouped")).unwrap_err();
    assert_eq!(error, DeliveryError::Grouping(ErrorType::Store("closed".into())));
    assert_eq!(store.counts().ntfs, 12);
    assert!(error.to_string().contains("did not group"));
}

#[test]
fn mn4_dead_notifiers_with_empty_lists_are_removed() {
    let store = PendingNtfStore::new(Semantics::Reference);
    store.store(&notifier(5), &ntf(1, 1));
    assert_eq!(store.delete_expired(time(2)), 1);
    assert_eq!(store.counts().notifiers, 1);
    let report = store.deliver(&queues(), |_, _| panic!("nothing waits")).unwrap();
    assert_eq!(report, DeliveryReport { dead_notifiers: 1, ..DeliveryReport::default() });
    assert_eq!(store.counts().notifiers, 0);
}
