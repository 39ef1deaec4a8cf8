//! Each item of the specification where an answer is decided, under both semantics.

use std::sync::Arc;

use simplex_stores::protocol::{
    ErrorType, QueueLink, RoundedDate, Semantics, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StmQueueStore, StoreQueue};
use simplex_stores::store_log::LogRecord;

use simplex_stores::testing::queue_store::sample::{
    creds, key, keys, link, link_data, notifier, recipient, record, sender, service, service_id,
};

const BOTH: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

fn store(semantics: Semantics) -> StmQueueStore {
    StmQueueStore::new(BasicFactory, semantics)
}

fn violations(store: &StmQueueStore) -> usize {
    store.check_invariants().map_or_else(|found| found.len(), |_| 0)
}

/// The records that a call notes for the journal.
fn noted(
    store: &StmQueueStore,
    mut call: impl FnMut(
        &mut simplex_stores::stm::Transaction<'_>,
        &mut Vec<LogRecord>,
    ) -> simplex_stores::stm::TxResult<(), ErrorType>,
) -> Vec<&'static str> {
    let names = store.transact(|tx, log| {
        call(tx, log)?;
        Ok(log.iter().map(LogRecord::operation_name).collect())
    });
    names.unwrap()
}

#[test]
fn qs1_duplicate_on_any_id_leaves_no_trace() {
    for semantics in BOTH {
        let store = store(semantics);
        let mut first = record(1);
        first.notifier = Some(Box::new(creds(1, None)));
        first.link = Some(Box::new(QueueLink { id: link(1), data: link_data(1, 1) }));
        store.add_queue(recipient(1), first.clone()).unwrap();
        let before = store.snapshot();
        let mut same_sender = record(2);
        same_sender.sender_id = sender(1);
        let mut same_notifier = record(2);
        same_notifier.notifier = first.notifier.clone();
        let mut same_link = record(2);
        same_link.link = first.link.clone();
        let tries = [
            (recipient(1), record(2)),
            (recipient(2), same_sender),
            (recipient(2), same_notifier),
            (recipient(2), same_link),
        ];
        for (id, refused) in tries {
            assert_eq!(store.add_queue(id, refused).err(), Some(ErrorType::Duplicate));
            assert_eq!(store.snapshot(), before);
        }
    }
}

#[test]
fn op6_one_id_may_serve_all_parties_of_one_queue() {
    for semantics in BOTH {
        let store = store(semantics);
        let bytes = [7; 24];
        let mut all_same = record(1);
        all_same.sender_id = simplex_stores::protocol::SenderId::from_bytes(&bytes).unwrap();
        let mut notifier = creds(1, None);
        notifier.notifier_id = simplex_stores::protocol::NotifierId::from_bytes(&bytes).unwrap();
        all_same.notifier = Some(Box::new(notifier));
        let id = simplex_stores::protocol::LinkId::from_bytes(&bytes).unwrap();
        all_same.link = Some(Box::new(QueueLink { id, data: link_data(1, 1) }));
        let id = simplex_stores::protocol::RecipientId::from_bytes(&bytes).unwrap();
        store.add_queue(id, all_same).unwrap();
        assert_eq!(violations(&store), 0);
    }
}

#[test]
fn qs2_service_is_found_by_fingerprint_and_role_is_verified() {
    for semantics in BOTH {
        let store = store(semantics);
        let made = store.get_or_create_service(service(1, 1, ServiceRole::Messaging));
        assert_eq!(made, Ok(service_id(1)));
        let again = store.get_or_create_service(service(2, 1, ServiceRole::Messaging));
        assert_eq!(again, Ok(service_id(1)));
        let other_role = store.get_or_create_service(service(3, 1, ServiceRole::Notifier));
        assert_eq!(other_role, Err(ErrorType::Service));
        let other_cert = store.get_or_create_service(service(1, 2, ServiceRole::Messaging));
        assert_eq!(other_cert, Err(ErrorType::Duplicate));
        let known = service(4, 1, ServiceRole::Messaging);
        let log =
            noted(&store, |tx, log| store.get_or_create_service_tx(tx, log, &known).map(drop));
        assert!(log.is_empty(), "only a service made by the call is journalled");
    }
}

#[test]
fn qs3_reference_hash_is_blind_to_membership_and_strict_follows_it() {
    for (semantics, drifts) in [(Semantics::Strict, false), (Semantics::Reference, true)] {
        let store = store(semantics);
        store.get_or_create_service(service(1, 1, ServiceRole::Notifier)).unwrap();
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        store.add_notifier(&queue, creds(1, Some(service_id(1)))).unwrap();
        let count = store.service_count_hash(ServiceParty::Notifier, &service_id(1)).unwrap().count;
        assert_eq!(count, i64::from(!drifts), "RACE-24: the notifier enters the set, or does not");
        store.delete_notifier(&queue).unwrap();
        assert_eq!(violations(&store) > 0, drifts, "RACE-22: a phantom in the hash, or none");
    }
}

#[test]
fn qs5_securing_again_with_the_same_key_succeeds() {
    for semantics in BOTH {
        let store = store(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        assert_eq!(store.secure_queue(&queue, key(1)), Ok(()));
        assert_eq!(store.secure_queue(&queue, key(1)), Ok(()));
        assert_eq!(store.secure_queue(&queue, key(2)), Err(ErrorType::Auth));
        let (_, record) = store.get_queue_rec(&recipient(1).into()).unwrap();
        assert_eq!(record.sender_key, Some(key(1)));
    }
}

#[test]
fn qs6_batches_answer_in_the_order_asked() {
    for semantics in BOTH {
        let store = store(semantics);
        for number in [1, 2] {
            let mut record = record(number);
            record.notifier = Some(Box::new(creds(number, None)));
            store.add_queue(recipient(number), record).unwrap();
        }
        let ids = |found: Vec<Result<Arc<_>, ErrorType>>| -> Vec<_> {
            let id =
                |queue: Arc<simplex_stores::queue_store::BasicQueue>| queue.recipient_id().clone();
            found.into_iter().map(|one| one.map(id)).collect()
        };
        let expected = vec![Ok(recipient(2)), Err(ErrorType::Auth), Ok(recipient(1))];
        let asked = [recipient(2), recipient(9), recipient(1)];
        assert_eq!(ids(store.get_queues(&asked).unwrap()), expected);
        let asked = [notifier(2), notifier(9), notifier(1)];
        assert_eq!(ids(store.get_queues_by_notifier(&asked).unwrap()), expected);
    }
}

#[test]
fn qs7_after_closing_every_operation_is_store_and_never_auth() {
    for semantics in BOTH {
        let store = store(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        store.close().unwrap();
        store.close().unwrap();
        let closed = Some(ErrorType::Store("closed".into()));
        assert_eq!(store.get_queue(&recipient(1).into()).err(), closed);
        assert_eq!(store.get_queue(&recipient(9).into()).err(), closed);
        assert_eq!(store.secure_queue(&queue, key(1)).err(), closed);
        assert_eq!(store.add_queue(recipient(2), record(2)).err(), closed);
        assert_eq!(store.entity_counts().err(), closed);
        assert_eq!(store.get_or_create_service(service(1, 1, ServiceRole::Proxy)).err(), closed);
    }
}

#[test]
fn qs8_link_data_again_replaces_the_user_part_only() {
    for semantics in BOTH {
        let store = store(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        assert_eq!(store.add_link_data(&queue, link(1), link_data(1, 1)), Ok(()));
        assert_eq!(store.add_link_data(&queue, link(1), link_data(1, 2)), Ok(()));
        assert_eq!(store.get_link_data(&queue, &link(1)), Ok(link_data(1, 2)));
        let refused = Err(ErrorType::Auth);
        assert_eq!(store.add_link_data(&queue, link(1), link_data(2, 2)), refused);
        assert_eq!(store.add_link_data(&queue, link(2), link_data(1, 2)), refused);
        assert_eq!(store.get_link_data(&queue, &link(2)), Err(ErrorType::Auth));
    }
}

#[test]
fn qs12_qs13_deletion_leaves_a_tombstone_only_under_reference() {
    for (semantics, again) in
        [(Semantics::Strict, Ok(())), (Semantics::Reference, Err(ErrorType::Duplicate))]
    {
        let store = store(semantics);
        let mut linked = record(1);
        linked.link = Some(Box::new(QueueLink { id: link(1), data: link_data(1, 1) }));
        let queue = store.add_queue(recipient(1), linked.clone()).unwrap();
        assert_eq!(*store.delete_queue(&queue).unwrap(), linked);
        assert_eq!(store.delete_queue(&queue).err(), Some(ErrorType::Auth));
        let tombstone = semantics == Semantics::Reference;
        assert_eq!(store.get_queue(&recipient(1).into()).is_ok(), tombstone);
        assert_eq!(store.get_queue(&link(1).into()).is_ok(), tombstone);
        assert_eq!(store.get_queue(&sender(1).into()).err(), Some(ErrorType::Auth));
        assert_eq!(store.get_queue_rec(&recipient(1).into()).err(), Some(ErrorType::Auth));
        assert_eq!(store.entity_counts().unwrap().queues, u64::from(tombstone), "QS-24");
        assert_eq!(store.add_queue(recipient(1), record(2)).map(drop), again);
        let mut same_link = record(3);
        same_link.link = linked.link.clone();
        assert_eq!(store.add_queue(recipient(3), same_link).map(drop), again);
        let mut same_sender = record(4);
        same_sender.sender_id = sender(1);
        assert_eq!(store.add_queue(recipient(4), same_sender).map(drop), Ok(()));
    }
}

#[test]
fn qs14_changes_that_change_nothing_are_journalled() {
    for semantics in BOTH {
        let store = store(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        store.secure_queue(&queue, key(1)).unwrap();
        let logs = [
            noted(&store, |tx, log| store.secure_queue_tx(tx, log, &queue, &key(1))),
            noted(&store, |tx, log| store.delete_link_data_tx(tx, log, &queue)),
            noted(&store, |tx, log| store.delete_notifier_tx(tx, log, &queue).map(drop)),
            noted(&store, |tx, log| store.unblock_queue_tx(tx, log, &queue)),
            noted(&store, |tx, log| store.update_keys_tx(tx, log, &queue, &keys(1))),
            noted(&store, |tx, log| {
                store.set_queue_service_tx(tx, log, &queue, ServiceParty::Receiver, None)
            }),
        ];
        let names: Vec<_> = logs.into_iter().flatten().collect();
        let expected = [
            "SecureQueue",
            "DeleteLink",
            "DeleteNotifier",
            "UnblockQueue",
            "UpdateKeys",
            "QueueService",
        ];
        assert_eq!(names, expected);
    }
}

#[test]
fn qs15_a_replaced_notifier_is_returned_and_no_id_is_taken_twice() {
    for semantics in BOTH {
        let store = store(semantics);
        let a = store.add_queue(recipient(1), record(1)).unwrap();
        let b = store.add_queue(recipient(2), record(2)).unwrap();
        assert_eq!(store.add_notifier(&a, creds(1, None)), Ok(None));
        assert_eq!(store.add_notifier(&a, creds(1, None)), Err(ErrorType::Duplicate));
        assert_eq!(store.add_notifier(&b, creds(1, None)), Err(ErrorType::Duplicate));
        assert_eq!(store.add_notifier(&a, creds(2, None)), Ok(Some(creds(1, None))));
        assert_eq!(store.get_queue(&notifier(1).into()).err(), Some(ErrorType::Auth));
        assert!(store.get_queue(&notifier(2).into()).is_ok());
        assert_eq!(store.add_notifier(&b, creds(1, None)), Ok(None));
        assert_eq!(store.delete_notifier(&b), Ok(Some(creds(1, None))));
        assert_eq!(store.delete_notifier(&b), Ok(None));
    }
}

#[test]
fn qs16_an_equal_date_writes_nothing() {
    for semantics in BOTH {
        let store = store(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        let date = RoundedDate::from_seconds(86_400);
        let set = || noted(&store, |tx, log| store.update_time_tx(tx, log, &queue, date).map(drop));
        assert_eq!(set(), ["UpdateTime"]);
        assert!(set().is_empty());
        assert_eq!(store.update_time(&queue, date).unwrap().updated_at, Some(date));
    }
}

#[test]
fn qs17_status_changes_have_no_precondition() {
    use simplex_stores::protocol::{BlockingInfo, BlockingReason, EntityStatus};
    for semantics in BOTH {
        let store = store(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        let status = || store.get_queue_rec(&recipient(1).into()).unwrap().1.status.clone();
        let info = BlockingInfo { reason: BlockingReason::Spam, notice: None };
        store.suspend_queue(&queue).unwrap();
        assert_eq!(status(), EntityStatus::Off);
        store.block_queue(&queue, info).unwrap();
        assert_eq!(status(), EntityStatus::Blocked(info));
        store.suspend_queue(&queue).unwrap();
        assert_eq!(status(), EntityStatus::Off);
        store.unblock_queue(&queue).unwrap();
        assert_eq!(status(), EntityStatus::Active);
    }
}

#[test]
fn qs19_an_unknown_service_is_skipped_under_reference_and_refused_under_strict() {
    for semantics in BOTH {
        let store = store(semantics);
        store.get_or_create_service(service(1, 1, ServiceRole::Notifier)).unwrap();
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        let set = |party, id| store.set_queue_service(&queue, party, Some(service_id(id)));
        let strict = semantics == Semantics::Strict;
        let unknown = if strict { Err(ErrorType::Auth) } else { Ok(()) };
        assert_eq!(set(ServiceParty::Receiver, 9), unknown);
        let wrong_role = if strict { Err(ErrorType::Service) } else { Ok(()) };
        assert_eq!(set(ServiceParty::Receiver, 1), wrong_role, "RACE-23, QS-25");
        assert_eq!(set(ServiceParty::Notifier, 1), Err(ErrorType::Auth), "no notifier");
        let mut named = record(2);
        named.rcv_service_id = Some(service_id(9));
        assert_eq!(store.add_queue(recipient(2), named).map(drop), unknown);
        assert_eq!(violations(&store) > 0, !strict);
    }
}

#[test]
fn qs20_qs28_batch_association_and_fold_over_a_service() {
    for semantics in BOTH {
        let store = store(semantics);
        store.get_or_create_service(service(1, 1, ServiceRole::Messaging)).unwrap();
        let queues: Vec<_> =
            [3, 1, 2].map(|n| store.add_queue(recipient(n), record(n)).unwrap()).into();
        store.delete_queue(&queues[2]).unwrap();
        let results =
            store.set_queue_services(ServiceParty::Receiver, Some(service_id(1)), &queues).unwrap();
        let expected = vec![
            (recipient(1), Ok(())),
            (recipient(2), Err(ErrorType::Auth)),
            (recipient(3), Ok(())),
        ];
        assert_eq!(results, expected);
        let fold = |id| {
            store.fold_service_queues(&id, Vec::new(), |mut ids, id, _| {
                ids.push(id.clone());
                ids
            })
        };
        assert_eq!(fold(service_id(1)).unwrap(), [recipient(1), recipient(3)]);
        assert_eq!(fold(service_id(9)).unwrap(), []);
        assert_eq!(violations(&store), 0);
    }
}

#[test]
fn qs21_groups_of_notifications_have_the_documented_shape() {
    for semantics in BOTH {
        let store = store(semantics);
        for number in [1, 2, 3] {
            let role = ServiceRole::Notifier;
            store.get_or_create_service(service(number, number, role)).unwrap();
            let queue = store.add_queue(recipient(number), record(number)).unwrap();
            store.add_notifier(&queue, creds(number, None)).unwrap();
        }
        let queue = store.get_queue(&recipient(1).into()).unwrap();
        store.set_queue_service(&queue, ServiceParty::Notifier, Some(service_id(1))).unwrap();
        let ntfs = vec![(notifier(1), 0), (notifier(2), 1), (notifier(9), 2), (notifier(1), 3)];
        let groups = store.group_by_ntf_service(ntfs).unwrap();
        let expected = vec![
            (None, vec![(notifier(2), 1)]),
            (Some(service_id(3)), vec![]),
            (Some(service_id(2)), vec![]),
            (Some(service_id(1)), vec![(notifier(1), 0), (notifier(1), 3)]),
        ];
        assert_eq!(groups.services, expected);
        assert_eq!(groups.deleted, [(notifier(9), 2)]);
    }
}

#[test]
fn qs22_count_and_hash_of_an_unknown_service_is_auth() {
    for semantics in BOTH {
        let count = store(semantics).service_count_hash(ServiceParty::Receiver, &service_id(1));
        assert_eq!(count, Err(ErrorType::Auth));
    }
}

#[test]
fn qs23_purging_removes_nothing() {
    for semantics in BOTH {
        let store = store(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        store.delete_queue(&queue).unwrap();
        let before = store.snapshot();
        assert_eq!(store.purge_deleted(), Ok(0));
        assert_eq!(store.snapshot(), before);
    }
}

#[test]
fn race19_a_link_id_of_another_queue_is_taken_over_only_under_reference() {
    for semantics in BOTH {
        let store = store(semantics);
        let a = store.add_queue(recipient(1), record(1)).unwrap();
        let b = store.add_queue(recipient(2), record(2)).unwrap();
        store.add_link_data(&a, link(1), link_data(1, 1)).unwrap();
        let stolen = store.add_link_data(&b, link(1), link_data(2, 2));
        let strict = semantics == Semantics::Strict;
        assert_eq!(stolen, if strict { Err(ErrorType::Duplicate) } else { Ok(()) });
        let found = store.get_queue(&QueueKey::Link(link(1))).unwrap();
        assert_eq!(*found.recipient_id(), recipient(if strict { 1 } else { 2 }));
        assert_eq!(violations(&store) > 0, !strict);
    }
}

#[test]
fn parts_compose_into_one_transaction_with_the_users_own_variables() {
    let store = store(Semantics::Strict);
    let spent = simplex_stores::stm::TVar::new(0);
    let queue = store.make_queue(recipient(1), record(1));
    let add = |price: i32| {
        store.transact(|tx, log| {
            let total = spent.read(tx)? + price;
            spent.write(tx, total)?;
            store.add_queue_tx(tx, log, &queue)?;
            store.secure_queue_tx(tx, log, &queue, &key(1))
        })
    };
    assert_eq!(add(5), Ok(()));
    assert_eq!(add(5), Err(ErrorType::Duplicate));
    assert_eq!(spent.read_atomic(), 5, "an abort discards the user's writes too");
    assert_eq!(violations(&store), 0);
}
