//! A connection that breaks during a change: before the commit, or when nobody knows.

use std::sync::Arc;

use simplex_stores::protocol::{
    BlockingInfo, BlockingReason, ErrorType, QueueLink, QueueRec, RoundedDate, Semantics,
    ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::database::{DatabaseQueueStore, DatabaseStoreConfig};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueStore, StoreQueue};
use simplex_stores::store_log::{Journal, StoreLogConfig};
use simplex_stores::testing::queue_store::sample::{
    creds, key, keys, link, link_data, notifier, recipient, record, sender, service, service_id,
};
use simplex_stores::testing::queue_store::{ModelDatabase, Outcome};

type Store = DatabaseQueueStore<ModelDatabase>;
type Change = fn(&Store, &Arc<BasicQueue>) -> Result<(), ErrorType>;

const OUTCOMES: [Outcome; 3] = [Outcome::Lost, Outcome::UnclearDone, Outcome::UnclearUndone];

/// Each operation that changes a queue, in a way that changes queue 1.
const CHANGES: [(&str, Change); 13] = [
    ("secure", |store, queue| store.secure_queue(queue, key(1))),
    ("keys", |store, queue| store.update_keys(queue, keys(9))),
    ("suspend", |store, queue| store.suspend_queue(queue)),
    ("block", |store, queue| {
        store.block_queue(queue, BlockingInfo { reason: BlockingReason::Spam, notice: None })
    }),
    ("time", |store, queue| {
        store.update_time(queue, RoundedDate::from_seconds(1_735_689_600)).map(drop)
    }),
    ("new user data", |store, queue| store.add_link_data(queue, link(1), link_data(1, 2))),
    ("no link", |store, queue| store.delete_link_data(queue)),
    ("another notifier", |store, queue| store.add_notifier(queue, creds(2, None)).map(drop)),
    ("no notifier", |store, queue| store.delete_notifier(queue).map(drop)),
    ("receiving service", |store, queue| {
        store.set_queue_service(queue, ServiceParty::Receiver, Some(service_id(1)))
    }),
    ("notifying service", |store, queue| {
        store.set_queue_service(queue, ServiceParty::Notifier, Some(service_id(2)))
    }),
    ("batch", |store, queue| {
        let queues = [Arc::clone(queue)];
        store.set_queue_services(ServiceParty::Receiver, Some(service_id(1)), &queues).map(drop)
    }),
    ("delete", |store, queue| store.delete_queue(queue).map(drop)),
];

fn whole() -> QueueRec {
    QueueRec {
        link: Some(Box::new(QueueLink { id: link(1), data: link_data(1, 1) })),
        notifier: Some(Box::new(creds(1, None))),
        ..record(1)
    }
}

fn open(semantics: Semantics) -> (Store, Arc<BasicQueue>) {
    let config = DatabaseStoreConfig::default().semantics(semantics);
    let db = ModelDatabase::new(semantics);
    let store = DatabaseQueueStore::open(db, BasicFactory, &config, None).unwrap();
    store.get_or_create_service(service(1, 1, ServiceRole::Messaging)).unwrap();
    store.get_or_create_service(service(2, 2, ServiceRole::Notifier)).unwrap();
    let queue = store.add_queue(recipient(1), whole()).unwrap();
    (store, queue)
}

#[test]
fn race70_after_an_unclear_outcome_the_next_lookup_shows_what_the_database_has() {
    for (name, change) in CHANGES {
        for outcome in OUTCOMES {
            let (store, queue) = open(Semantics::Strict);
            store.database().fail_next(outcome);
            let answer = change(&store, &queue);
            assert!(matches!(answer, Err(ErrorType::Store(_))), "{name}, {outcome:?}: {answer:?}");
            assert_eq!(store.locks_held(), 0, "{name}, {outcome:?}");
            let in_database = store.database().record(&recipient(1));
            let is_changed = in_database.as_ref() != Some(&whole());
            assert_eq!(is_changed, outcome == Outcome::UnclearDone, "{name}, {outcome:?}");
            let found = store.get_queue_rec(&sender(1).into()).ok();
            let shown = found.as_ref().map(|(_, record)| &**record);
            assert!(shown == in_database.as_ref(), "{name}, {outcome:?}: the cache shows another");
            if let Some((found, _)) = &found {
                assert!(Arc::ptr_eq(found, &queue), "{name}, {outcome:?}: another object");
            }
            // What the change would have moved leads where the database says.
            let by_notifier = |n| store.get_queue(&notifier(n).into()).is_ok();
            let has = |n| {
                let creds = in_database.as_ref().and_then(|record| record.notifier.as_ref());
                creds.is_some_and(|creds| creds.notifier_id == notifier(n))
            };
            assert_eq!([by_notifier(1), by_notifier(2)], [has(1), has(2)], "{name}, {outcome:?}");
        }
    }
}

#[test]
fn race70_under_reference_too() {
    for (name, change) in CHANGES {
        let (store, queue) = open(Semantics::Reference);
        store.database().fail_next(Outcome::UnclearDone);
        assert!(matches!(change(&store, &queue), Err(ErrorType::Store(_))), "{name}");
        let in_database = store.database().record(&recipient(1));
        let shown = store.get_queue_rec(&recipient(1).into()).ok().map(|(_, record)| record);
        let status = |record: &QueueRec| {
            let notifier = record.notifier.as_ref().map(|creds| creds.notifier_id.clone());
            (record.status.clone(), record.sender_key.clone(), notifier)
        };
        assert!(shown.as_deref().map(status) == in_database.as_ref().map(status), "{name}");
    }
}

/// A lookup by notifier loads nothing into the cache under `Reference`, and isn't given what is doubted there.
#[test]
fn race70_under_reference_by_the_notifier_too() {
    for outcome in OUTCOMES {
        let (store, queue) = open(Semantics::Reference);
        store.database().fail_next(outcome);
        assert!(store.secure_queue(&queue, key(1)).is_err());
        let in_database = store.database().record(&recipient(1)).unwrap();
        for _twice in 0..2 {
            let (_, shown) = store.get_queue_rec(&notifier(1).into()).unwrap();
            assert_eq!(shown.sender_key, in_database.sender_key, "{outcome:?}");
        }
    }
}

/// Nothing empties the index of links under `Reference` (PG-24), and it serves nothing that is doubted.
#[test]
fn race70_under_reference_by_the_link_too() {
    for outcome in OUTCOMES {
        let (store, queue) = open(Semantics::Reference);
        store.database().fail_next(outcome);
        assert!(store.secure_queue(&queue, key(1)).is_err());
        let in_database = store.database().record(&recipient(1)).unwrap();
        let (_, shown) = store.get_queue_rec(&link(1).into()).unwrap();
        assert_eq!(shown.sender_key, in_database.sender_key, "{outcome:?}");
    }
}

/// What may have been made can't be journalled, so a journal beside the database ends before it (RACE-50).
#[test]
fn race50_a_journal_ends_where_it_is_unclear_what_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let log = StoreLogConfig::new(folder.path().join("store.log"));
    for outcome in [Outcome::UnclearDone, Outcome::UnclearUndone] {
        let journal = Journal::open_append(&log).unwrap().0;
        let db = ModelDatabase::new(Semantics::Strict);
        let config = DatabaseStoreConfig::default();
        let store = DatabaseQueueStore::open(db, BasicFactory, &config, Some(journal)).unwrap();
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        assert_eq!(store.journal_lost(), 0);
        store.database().fail_next(outcome);
        assert!(store.secure_queue(&queue, key(1)).is_err());
        store.suspend_queue(&queue).unwrap();
        assert_eq!(store.journal_lost(), 2, "{outcome:?}");
        store.close().unwrap();
        let written = std::fs::read_to_string(log.path()).unwrap();
        assert_eq!(written.lines().count(), 1, "{outcome:?}");
        std::fs::remove_file(log.path()).unwrap();
    }
}

#[test]
fn a_change_works_after_one_that_failed() {
    for (name, change) in CHANGES {
        for outcome in [Outcome::Lost, Outcome::UnclearUndone] {
            let (store, queue) = open(Semantics::Strict);
            store.database().fail_next(outcome);
            assert!(change(&store, &queue).is_err(), "{name}, {outcome:?}");
            assert_eq!(change(&store, &queue), Ok(()), "{name}, {outcome:?}");
            let in_database = store.database().record(&recipient(1));
            let record = queue.record().read_atomic();
            assert!(record.as_deref() == in_database.as_ref(), "{name}, {outcome:?}");
        }
    }
}

#[test]
fn race70_an_addition_that_is_unclear_is_found_when_it_was_made() {
    for outcome in OUTCOMES {
        let (store, _) = open(Semantics::Strict);
        store.database().fail_next(outcome);
        let added = store.add_queue(recipient(2), record(2));
        assert!(matches!(added, Err(ErrorType::Store(_))));
        let is_made = outcome == Outcome::UnclearDone;
        assert_eq!(store.get_queue(&sender(2).into()).is_ok(), is_made);
        assert_eq!(store.locks_held(), 0);
        let again = store.add_queue(recipient(2), record(2)).err();
        assert_eq!(again, is_made.then_some(ErrorType::Duplicate));
    }
}

/// PG-8: under `Strict` a fixed text reaches clients, under `Reference` the operation and the error.
#[test]
fn pg8_race17_the_text_of_an_error_is_fixed_only_under_strict() {
    let text = |semantics| {
        let (store, queue) = open(semantics);
        store.database().fail_next(Outcome::Lost);
        store.secure_queue(&queue, key(1)).unwrap_err()
    };
    assert_eq!(text(Semantics::Strict), ErrorType::Store("database: connection lost".into()));
    match text(Semantics::Reference) {
        ErrorType::Store(text) => assert!(text.starts_with("secure queue: "), "{text}"),
        other => panic!("{other:?}"),
    }
}
