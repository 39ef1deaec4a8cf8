//! Counting and batches (OP-3 to OP-5, OP-8).

use simplex_stores::protocol::ErrorType;
use simplex_stores::queue_store::{
    BasicFactory, EntityCounts, QueueStore, StmQueueStore, StoreQueue,
};

use crate::sample::{
    BOTH, MESSAGING, NOTIFIER, REFERENCE, STRICT, creds, full_rec, nid, rec, rid, service, vid,
};

#[test]
fn op3_qs24_race61_counts_are_of_live_queues_only_under_strict() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        for (number, role) in [(1, MESSAGING), (2, NOTIFIER), (3, NOTIFIER)] {
            store.get_or_create_service(service(number, number, role)).unwrap();
        }
        for number in 1..=3 {
            let mut record = full_rec(number);
            record.rcv_service_id = (number != 3).then(|| vid(1));
            record.notifier = Some(Box::new(creds(number, (number == 1).then_some(2))));
            store.add_queue(rid(number), record).unwrap();
        }
        let deleted = store.add_queue(rid(4), full_rec(4)).unwrap();
        store.delete_queue(&deleted).unwrap();
        let expected = EntityCounts {
            queues: if semantics == STRICT { 3 } else { 4 },
            notifiers: 3,
            rcv_services: 1,
            ntf_services: 2,
            rcv_service_queues: 2,
            ntf_service_queues: 1,
        };
        assert_eq!(store.entity_counts(), Ok(expected));
    }
}

#[test]
fn op4_loaded_queues_ascend_and_hold_tombstones_only_under_reference() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        for number in [3, 1, 2] {
            store.add_queue(rid(number), rec(number)).unwrap();
        }
        let second = store.get_queue(&rid(2).into()).unwrap();
        store.delete_queue(&second).unwrap();
        let loaded = store.loaded_queues().unwrap();
        let ids: Vec<_> = loaded.iter().map(|queue| queue.recipient_id().clone()).collect();
        match semantics == REFERENCE {
            true => assert_eq!(ids, [rid(1), rid(2), rid(3)]),
            false => assert_eq!(ids, [rid(1), rid(3)]),
        }
    }
}

#[test]
fn op5_qs23_purging_finds_nothing() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let queue = store.add_queue(rid(1), rec(1)).unwrap();
        store.delete_queue(&queue).unwrap();
        let before = store.snapshot();
        assert_eq!(store.purge_deleted(), Ok(0));
        assert_eq!(store.snapshot(), before);
    }
}

#[test]
fn op8_race60_batches_answer_each_id_in_order_and_a_missing_one_with_auth() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        for number in [1, 2] {
            store.add_queue(rid(number), full_rec(number)).unwrap();
        }
        let shown = |found: Vec<Result<_, ErrorType>>| -> Vec<Result<u8, ErrorType>> {
            let number = |queue: std::sync::Arc<simplex_stores::queue_store::BasicQueue>| {
                queue.recipient_id().as_bytes()[1]
            };
            found.into_iter().map(|one| one.map(number)).collect()
        };
        let expected = [Ok(2), Err(ErrorType::Auth), Ok(1), Ok(2)];
        let by_recipient = store.get_queues(&[rid(2), rid(3), rid(1), rid(2)]).unwrap();
        assert_eq!(shown(by_recipient), expected);
        let by_notifier = store.get_queues_by_notifier(&[nid(2), nid(3), nid(1), nid(2)]).unwrap();
        assert_eq!(shown(by_notifier), expected);
        assert_eq!(store.get_queues(&[]).unwrap().len(), 0);
    }
}
