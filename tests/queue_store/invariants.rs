//! The invariant check finds every kind of damage, each made by hand in a sound snapshot.

use std::sync::Arc;

use simplex_stores::protocol::{IdsHash, QueueLink, QueueRec, Semantics, ServiceRole};
use simplex_stores::queue_store::stm::{StoreSnapshot, Violation};
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};

use simplex_stores::testing::queue_store::sample::{
    creds, link, link_data, recipient, record, sender, service, service_id,
};

/// Two services and two queues that use everything a queue can have.
fn sound() -> StoreSnapshot {
    let store = StmQueueStore::new(BasicFactory, Semantics::Strict);
    store.get_or_create_service(service(1, 1, ServiceRole::Messaging)).unwrap();
    store.get_or_create_service(service(2, 2, ServiceRole::Notifier)).unwrap();
    for number in [1, 2] {
        let mut full = record(number);
        full.link = Some(Box::new(QueueLink { id: link(number), data: link_data(1, 1) }));
        full.notifier = Some(Box::new(creds(number, Some(service_id(2)))));
        full.rcv_service_id = Some(service_id(1));
        store.add_queue(recipient(number), full).unwrap();
    }
    let report = store.check_invariants().unwrap();
    assert_eq!((report.queues, report.tombstones, report.index_entries), (2, 0, 6));
    assert_eq!((report.services, report.service_ids), (2, 4));
    store.snapshot()
}

fn change(snapshot: &mut StoreSnapshot, number: usize, change: impl FnOnce(&mut QueueRec)) {
    change(Arc::make_mut(snapshot.queues[number].record.as_mut().unwrap()));
}

fn found(damage: impl FnOnce(&mut StoreSnapshot)) -> Vec<Violation> {
    let mut snapshot = sound();
    assert_eq!(snapshot.violations(), []);
    damage(&mut snapshot);
    let found = snapshot.violations();
    assert!(found.iter().all(|violation| !violation.to_string().is_empty()));
    found
}

macro_rules! finds {
    ($damage:expr, $($kind:pat),+) => {{
        let found = found($damage);
        $(assert!(found.iter().any(|v| matches!(v, $kind)), "{found:?}");)+
    }};
}

#[test]
fn every_kind_of_damage_is_found() {
    finds!(|s| s.queues[0].own_id = recipient(9), Violation::WrongKey { .. });
    finds!(|s| s.queues[0].record = None, Violation::Tombstone { .. }, Violation::Dangling { .. });
    finds!(
        |s| change(s, 0, |record| record.sender_id = sender(9)),
        Violation::NotIndexed { index: "sender", .. },
        Violation::Dangling { index: "sender", .. }
    );
    finds!(
        |s| change(s, 0, |record| record.notifier = None),
        Violation::Dangling { index: "notifier", .. },
        Violation::StrayInSet { .. }
    );
    finds!(|s| s.links.clear(), Violation::NotIndexed { index: "link", .. });
    finds!(|s| s.senders[0].1 = recipient(2), Violation::NotIndexed { index: "sender", .. });
    finds!(
        |s| change(s, 0, |record| record.rcv_service_id = Some(service_id(9))),
        Violation::UnknownService { .. },
        Violation::StrayInSet { .. }
    );
    finds!(
        |s| change(s, 0, |record| record.rcv_service_id = Some(service_id(2))),
        Violation::WrongRole { .. },
        Violation::NotInSet { .. }
    );
    finds!(
        |s| drop(s.services[0].rcv.ids.pop()),
        Violation::NotInSet { .. },
        Violation::WrongHash { .. }
    );
    finds!(|s| s.services[0].rcv.hash = IdsHash::EMPTY, Violation::WrongHash { .. });
    finds!(|s| s.service_certs.clear(), Violation::CertIndex { .. });
    finds!(|s| s.services[0].record.service_id = service_id(9), Violation::CertIndex { .. });
    finds!(
        |s| drop(s.services.pop()),
        Violation::CertIndex { .. },
        Violation::UnknownService { .. }
    );
}

#[test]
fn a_snapshot_goes_into_a_store_and_out_again_unchanged() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        let mut snapshot = sound();
        snapshot.semantics = semantics;
        if semantics == Semantics::Reference {
            snapshot.queues[1].record = None;
            snapshot.services[0].rcv.hash = IdsHash::of_id(b"phantom");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.snapshot");
        StmQueueStore::from_snapshot(snapshot.clone(), BasicFactory).save_snapshot(&path).unwrap();
        let loaded = StmQueueStore::load_snapshot(&path, BasicFactory).unwrap();
        assert_eq!(loaded.snapshot(), snapshot);
    }
}
