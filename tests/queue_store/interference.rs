//! Each transaction part is one moment: another thread changes what the part has read before the
//! transaction that it stands in ends.
//!
//! The other change is started and finished by the body itself, on another thread, in the middle of its
//! first run; so nothing here depends on timing. The model engine of the loom tests can't show this,
//! for there a body is one step: a part that read beside the transaction would pass.

use std::cell::Cell;
use std::sync::Arc;

use simplex_stores::protocol::{
    CountHash, ErrorType, QueueLink, QueueRec, RoundedDate, Semantics, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore, StmQueueStore};
use simplex_stores::stm::{TVar, Transaction, TxResult, atomically};
use simplex_stores::store_log::{LogRecord, StoreLogConfig};
use simplex_stores::sync::thread::spawn;

use simplex_stores::testing::queue_store::sample::{
    creds, key, keys, link, link_data, notifier, recipient, record, sender, service, service_id,
};

const BOTH: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

type Store = StmQueueStore;
type Queue = Arc<BasicQueue>;

/// A queue that has everything, associated with a service of each role.
fn scene(semantics: Semantics) -> (Arc<Store>, Queue) {
    let store = StmQueueStore::new(BasicFactory, semantics);
    for (number, role) in [(1, ServiceRole::Messaging), (2, ServiceRole::Notifier)] {
        store.get_or_create_service(service(number, number, role)).unwrap();
    }
    let full = QueueRec {
        link: Some(Box::new(QueueLink { id: link(1), data: link_data(1, 1) })),
        notifier: Some(Box::new(creds(1, Some(service_id(2))))),
        rcv_service_id: Some(service_id(1)),
        ..record(1)
    };
    let queue = store.add_queue(recipient(1), full).unwrap();
    (Arc::new(store), queue)
}

/// Runs `part` in a transaction; before its first run ends, another thread makes `change`, and the
/// transaction sees that it has been made.
fn disturbed<T>(
    store: &Arc<Store>,
    queue: &Queue,
    mut part: impl FnMut(&mut Transaction<'_>, &mut Vec<LogRecord>) -> TxResult<T, ErrorType>,
    change: fn(&Store, &Queue),
) -> Result<T, ErrorType> {
    let (changed, first) = (TVar::new(false), Cell::new(true));
    store.transact(|tx, log| {
        let answer = part(tx, log)?;
        if first.replace(false) {
            let (store, queue, changed) = (Arc::clone(store), Arc::clone(queue), changed.clone());
            let act = move || {
                change(&store, &queue);
                atomically(|tx| changed.write(tx, true));
            };
            spawn(act).join().unwrap();
        }
        // Whoever has seen this comes after the change.
        assert!(changed.read(tx)?);
        Ok(answer)
    })
}

/// A part that only reads, its answer as text.
type Look = fn(&Store, &mut Transaction<'_>, &Queue) -> TxResult<String, ErrorType>;

/// What a part answers before the change, what it answers after it.
struct Case {
    name: &'static str,
    look: Look,
    change: fn(&Store, &Queue),
}

fn found(store: &Store, tx: &mut Transaction<'_>, key: QueueKey) -> TxResult<String, ErrorType> {
    let found = tx.catch_abort(|tx| store.get_queue_tx(tx, &key).map(drop))?;
    Ok(format!("{found:?}"))
}

fn group(store: &Store, tx: &mut Transaction<'_>, _: &Queue) -> TxResult<String, ErrorType> {
    Ok(format!("{:?}", store.group_by_ntf_service_tx(tx, [notifier(1)].iter())?))
}

fn counts(store: &Store, tx: &mut Transaction<'_>, _: &Queue) -> TxResult<String, ErrorType> {
    Ok(format!("{:?}", store.entity_counts_tx(tx)?))
}

fn remove(store: &Store, queue: &Queue) {
    store.delete_queue(queue).unwrap();
}

fn another(store: &Store, _: &Queue) {
    store.add_queue(recipient(2), record(2)).unwrap();
}

fn another_with_notifier(store: &Store, _: &Queue) {
    let record = QueueRec { notifier: Some(Box::new(creds(9, None))), ..record(2) };
    store.add_queue(recipient(2), record).unwrap();
}

fn other_notifier(store: &Store, queue: &Queue) {
    store.add_notifier(queue, creds(9, Some(service_id(2)))).unwrap();
}

fn no_service(store: &Store, queue: &Queue) {
    store.set_queue_service(queue, ServiceParty::Notifier, None).unwrap();
}

/// Every part that only reads, with a change that its answer depends on.
const LOOKS: [Case; 18] = [
    Case {
        name: "a queue by recipient id",
        look: |store, tx, _| found(store, tx, recipient(2).into()),
        change: another,
    },
    Case {
        name: "a queue by sender id",
        look: |store, tx, _| found(store, tx, sender(1).into()),
        change: remove,
    },
    Case {
        name: "a queue by notifier id",
        look: |store, tx, _| found(store, tx, notifier(1).into()),
        change: other_notifier,
    },
    Case {
        name: "a queue by link id",
        look: |store, tx, _| found(store, tx, link(1).into()),
        change: |store, queue| store.delete_link_data(queue).unwrap(),
    },
    Case {
        name: "a queue with its record",
        look: |store, tx, _| {
            let (_, record) = store.get_queue_rec_tx(tx, &recipient(1).into())?;
            Ok(format!("{:?}", record.sender_key))
        },
        change: |store, queue| store.secure_queue(queue, key(1)).unwrap(),
    },
    Case {
        name: "queues by recipient id",
        look: |store, tx, _| {
            let found = store.get_queues_tx(tx, &[recipient(1), recipient(2)])?;
            Ok(format!("{:?}", found.iter().map(Result::is_ok).collect::<Vec<_>>()))
        },
        change: another,
    },
    Case {
        name: "queues by notifier id",
        look: |store, tx, _| {
            let found = store.get_queues_by_notifier_tx(tx, &[notifier(1), notifier(9)])?;
            Ok(format!("{:?}", found.iter().map(Result::is_ok).collect::<Vec<_>>()))
        },
        change: other_notifier,
    },
    Case {
        name: "link data",
        look: |store, tx, queue| {
            Ok(format!("{:?}", store.get_link_data_tx(tx, queue, &link(1))?.user.as_bytes()))
        },
        change: |store, queue| store.add_link_data(queue, link(1), link_data(1, 2)).unwrap(),
    },
    Case { name: "a group, of a notifier that goes", look: group, change: other_notifier },
    Case { name: "a group, of a queue that goes", look: group, change: remove },
    Case { name: "a group, of an association that goes", look: group, change: no_service },
    Case {
        name: "a group, of a notifier that comes",
        look: |store, tx, _| {
            Ok(format!("{:?}", store.group_by_ntf_service_tx(tx, [notifier(9)].iter())?))
        },
        change: another_with_notifier,
    },
    Case { name: "the number of queues", look: counts, change: another },
    Case { name: "the number of notifiers", look: counts, change: another_with_notifier },
    Case {
        name: "the number of services",
        look: counts,
        change: |store, _| {
            store.get_or_create_service(service(3, 3, ServiceRole::Messaging)).unwrap();
        },
    },
    Case { name: "the number of associated notifiers", look: counts, change: no_service },
    Case {
        name: "a service's count and hash",
        look: |store, tx, _| {
            let CountHash { count, hash } =
                store.service_count_hash_tx(tx, ServiceParty::Receiver, &service_id(1))?;
            Ok(format!("{count} {hash}"))
        },
        change: remove,
    },
    Case {
        name: "a service's queues",
        look: |store, tx, _| Ok(store.service_queues_tx(tx, &service_id(1))?.len().to_string()),
        change: remove,
    },
];

#[test]
fn what_a_part_answered_still_holds_when_its_transaction_ends() {
    for semantics in BOTH {
        for Case { name, look, change } in LOOKS {
            let (store, queue) = scene(semantics);
            let before = store.transact(|tx, _| look(&store, tx, &queue));
            let answer = disturbed(&store, &queue, |tx, _| look(&store, tx, &queue), change);
            let after = store.transact(|tx, _| look(&store, tx, &queue));
            assert_ne!(before, after, "{name}: the change is none for this part");
            assert_eq!(answer, after, "{name}: {semantics:?}");
        }
    }
}

/// Under `Reference` a hash may change while its set does not (QS-3).
#[test]
fn a_hash_that_changed_alone_is_not_given_with_the_older_count() {
    let (store, _) = scene(Semantics::Reference);
    let stranger = store.add_queue(recipient(2), record(2)).unwrap();
    store.add_notifier(&stranger, creds(2, Some(service_id(2)))).unwrap();
    let (party, id) = (ServiceParty::Notifier, service_id(2));
    let before = store.service_count_hash(party, &id).unwrap();
    let answer = disturbed(
        &store,
        &stranger,
        |tx, _| store.service_count_hash_tx(tx, party, &id),
        |store, stranger| drop(store.delete_notifier(stranger).unwrap()),
    );
    let after = store.service_count_hash(party, &id).unwrap();
    assert!(before.count == after.count && before.hash != after.hash);
    assert_eq!(answer, Ok(after));
}

/// A part that changes a queue's record.
type Change =
    fn(&Store, &mut Transaction<'_>, &mut Vec<LogRecord>, &Queue) -> TxResult<(), ErrorType>;

/// Every part that writes a record, but for the one that deletes it.
const CHANGES: [(&str, Change); 10] = [
    ("link", |store, tx, log, queue| {
        let changed = QueueLink { id: link(1), data: link_data(1, 2) };
        store.add_link_data_tx(tx, log, queue, &changed)
    }),
    ("no link", |store, tx, log, queue| store.delete_link_data_tx(tx, log, queue)),
    ("sender key", |store, tx, log, queue| store.secure_queue_tx(tx, log, queue, &key(1))),
    ("keys", |store, tx, log, queue| store.update_keys_tx(tx, log, queue, &keys(9))),
    ("notifier", |store, tx, log, queue| {
        store.add_notifier_tx(tx, log, queue, &creds(9, None)).map(drop)
    }),
    ("no notifier", |store, tx, log, queue| store.delete_notifier_tx(tx, log, queue).map(drop)),
    ("off", |store, tx, log, queue| store.suspend_queue_tx(tx, log, queue)),
    ("active", |store, tx, log, queue| store.unblock_queue_tx(tx, log, queue)),
    ("no receiving service", |store, tx, log, queue| {
        store.set_queue_service_tx(tx, log, queue, ServiceParty::Receiver, None)
    }),
    ("no notifying service", |store, tx, log, queue| {
        store.set_queue_service_tx(tx, log, queue, ServiceParty::Notifier, None)
    }),
];

#[test]
fn a_change_keeps_what_another_thread_wrote_to_the_record_meanwhile() {
    let date = RoundedDate::from_seconds(86_400);
    for semantics in BOTH {
        for (name, change) in CHANGES {
            let (store, queue) = scene(semantics);
            let other = |store: &Store, queue: &Queue| {
                store.update_time(queue, RoundedDate::from_seconds(86_400)).map(drop).unwrap();
            };
            disturbed(&store, &queue, |tx, log| change(&store, tx, log, &queue), other).unwrap();
            let (_, left) = store.get_queue_rec(&recipient(1).into()).unwrap();
            assert_eq!(left.updated_at, Some(date), "{name}: {semantics:?}");
        }
        let (store, queue) = scene(semantics);
        let other = |store: &Store, queue: &Queue| store.secure_queue(queue, key(1)).unwrap();
        let timed =
            disturbed(&store, &queue, |tx, log| store.update_time_tx(tx, log, &queue, date), other);
        assert_eq!(timed.unwrap().sender_key, Some(key(1)), "the date: {semantics:?}");
        let (store, queue) = scene(semantics);
        let deleted =
            disturbed(&store, &queue, |tx, log| store.delete_queue_tx(tx, log, &queue), other);
        assert_eq!(deleted.unwrap().sender_key, Some(key(1)), "the last record: {semantics:?}");
    }
}

#[test]
fn a_change_of_a_deleted_queue_is_auth_also_when_it_was_deleted_meanwhile() {
    for semantics in BOTH {
        for (name, change) in CHANGES {
            let (store, queue) = scene(semantics);
            let answer =
                disturbed(&store, &queue, |tx, log| change(&store, tx, log, &queue), remove);
            assert_eq!(answer, Err(ErrorType::Auth), "{name}: {semantics:?}");
        }
    }
}

#[test]
fn race27_a_change_is_refused_by_a_store_that_was_closed_meanwhile() {
    for semantics in BOTH {
        for (name, change) in CHANGES {
            let (store, queue) = scene(semantics);
            let close = |store: &Store, _: &Queue| store.close().unwrap();
            let answer =
                disturbed(&store, &queue, |tx, log| change(&store, tx, log, &queue), close);
            assert_eq!(answer, Err(ErrorType::Store("closed".into())), "{name}: {semantics:?}");
        }
    }
}

#[test]
fn a_link_id_that_was_taken_meanwhile_is_duplicate() {
    let (store, _) = scene(Semantics::Strict);
    let second = store.add_queue(recipient(2), record(2)).unwrap();
    let taken = QueueLink { id: link(9), data: link_data(2, 2) };
    let answer = disturbed(
        &store,
        &second,
        |tx, log| store.add_link_data_tx(tx, log, &second, &taken),
        |store, _| {
            let third = store.add_queue(recipient(3), record(3)).unwrap();
            store.add_link_data(&third, link(9), link_data(3, 3)).unwrap();
        },
    );
    assert_eq!(answer, Err(ErrorType::Duplicate));
    store.check_invariants().unwrap();
}

/// The number in the journal is for records: whoever has none meets nobody who has.
#[test]
fn a_transaction_that_journals_nothing_is_not_run_again_for_others_that_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreLogConfig::new(folder.path().join("store.log"));
    let (store, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
    let (store, runs) = (Arc::new(store), Cell::new(0));
    let queue = store.add_queue(recipient(1), record(1)).unwrap();
    let other = TVar::new(0);
    let seen = store.transact(|tx, _| {
        runs.set(runs.get() + 1);
        let seen = other.read(tx)?;
        if runs.get() == 1 {
            let (store, queue) = (Arc::clone(&store), Arc::clone(&queue));
            spawn(move || store.suspend_queue(&queue)).join().unwrap().unwrap();
        }
        Ok(seen)
    });
    assert_eq!((seen, runs.get()), (Ok(0), 1));
    store.close().unwrap();
    assert_eq!(store.transact(|tx, _| Ok(other.read(tx)?)), Ok(0), "nothing to be journalled");
}
