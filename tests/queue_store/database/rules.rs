//! The documented rules of the cache (PG-), as `Reference` keeps them and as `Strict` does.

use std::sync::Arc;
use std::time::Duration;

use simplex_stores::protocol::{
    ErrorType, QueueRec, RecipientId, RoundedDate, Semantics, SenderId, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::database::{
    DatabaseQueueStore, DatabaseStoreConfig, QueueDatabase,
};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StoreQueue};
use simplex_stores::sync::atomic::{AtomicU64, Ordering};
use simplex_stores::testing::queue_store::ModelDatabase;
use simplex_stores::testing::queue_store::sample::{
    creds, key, link, link_data, notifier, recipient, record, sender, service, service_id,
};
use time::OffsetDateTime;

use Semantics::{Reference, Strict};

type Store = DatabaseQueueStore<ModelDatabase>;

fn open(semantics: Semantics) -> Store {
    open_with(DatabaseStoreConfig::default(), semantics)
}

fn open_with(config: DatabaseStoreConfig, semantics: Semantics) -> Store {
    let config = config.semantics(semantics);
    DatabaseQueueStore::open(ModelDatabase::new(semantics), BasicFactory, &config, None).unwrap()
}

fn with_notifier(number: u8) -> QueueRec {
    QueueRec { notifier: Some(Box::new(creds(number, None))), ..record(number) }
}

fn with_link(number: u8) -> QueueRec {
    let link = simplex_stores::protocol::QueueLink { id: link(number), data: link_data(1, 1) };
    QueueRec { link: Some(Box::new(link)), ..record(number) }
}

/// Puts a queue into the database that the store has not seen.
fn put(store: &Store, number: u8, record: &QueueRec) -> RecipientId {
    store.database().insert_queue(&recipient(number), record).unwrap();
    recipient(number)
}

/// How many statements the database is asked meanwhile.
fn asked<T>(store: &Store, call: impl FnOnce(&Store) -> T) -> (usize, T) {
    let before = store.database().statements();
    let value = call(store);
    (store.database().statements() - before, value)
}

fn finds(store: &Store, key: impl Into<QueueKey>) -> bool {
    store.get_queue(&key.into()).is_ok()
}

#[test]
fn pg1_pg37_the_database_decides_whether_the_ids_of_a_new_queue_are_free() {
    for (semantics, answer) in [(Strict, ErrorType::Duplicate), (Reference, ErrorType::Auth)] {
        let store = open(semantics);
        store.add_queue(recipient(1), record(1)).unwrap();
        let (asked, again) = asked(&store, |store| store.add_queue(recipient(1), record(1)));
        assert_eq!((asked, again.err()), (1, Some(answer)));
    }
}

#[test]
fn pg3_a_notifiers_entry_serves_one_lookup_only_under_reference() {
    for (semantics, second) in [(Strict, 0), (Reference, 1)] {
        let store = open(semantics);
        store.add_queue(recipient(1), with_notifier(1)).unwrap();
        let look = |store: &Store| assert!(finds(store, notifier(1)));
        let batch = |store: &Store| {
            assert!(store.get_queues_by_notifier(&[notifier(1)]).unwrap()[0].is_ok());
        };
        assert_eq!(asked(&store, batch).0, 0, "the first batch");
        assert_eq!(asked(&store, look).0, 0, "the first lookup");
        assert_eq!(asked(&store, look).0, second, "the second lookup");
        let by_sender = |store: &Store| assert!(finds(store, sender(1)));
        assert_eq!(asked(&store, by_sender).0, 0, "the sender's entry stays");
    }
}

#[test]
fn pg4_a_queue_loaded_by_its_notifier_has_an_object_of_its_own_only_under_reference() {
    for semantics in [Strict, Reference] {
        let store = open(semantics);
        put(&store, 1, &with_notifier(1));
        let load = || store.get_queue(&notifier(1).into()).unwrap();
        let (one, other) = (load(), load());
        assert_eq!(Arc::ptr_eq(&one, &other), semantics == Strict);
        let cached = store.get_queue(&recipient(1).into()).unwrap();
        assert!(Arc::ptr_eq(&cached, &load()), "the cached object is given when there is one");
    }
}

#[test]
fn pg6_a_batch_is_one_query_and_by_notifier_caches_nothing_under_reference() {
    for (semantics, cached) in [(Strict, 2), (Reference, 0)] {
        let store = open(semantics);
        (1..=2).for_each(|n| drop(put(&store, n, &with_notifier(n))));
        let ids = [1, 2].map(notifier);
        let (asked_for, found) = asked(&store, |store| store.get_queues_by_notifier(&ids).unwrap());
        assert_eq!((asked_for, found.iter().filter(|found| found.is_ok()).count()), (1, 2));
        assert_eq!(store.loaded_queues().unwrap().len(), cached);
        let ids = [1, 2].map(recipient);
        let batch =
            |store: &Store| assert!(store.get_queues(&ids).unwrap().iter().all(Result::is_ok));
        assert!(asked(&store, batch).0 <= 1);
        assert_eq!(asked(&store, batch).0, 0, "a batch by recipient is cached");
    }
}

#[test]
fn pg7_race60_an_id_of_a_batch_that_is_not_there_is_auth_whether_or_not_others_are_loaded() {
    for semantics in [Strict, Reference] {
        let store = open(semantics);
        put(&store, 1, &record(1));
        for _loaded_then_cached in 0..2 {
            let found = store.get_queues(&[2, 1].map(recipient)).unwrap();
            assert_eq!(found[0].as_ref().err(), Some(&ErrorType::Auth));
            assert!(found[1].is_ok());
        }
    }
}

#[test]
fn pg9_the_object_says_whether_the_queue_is_deleted() {
    for semantics in [Strict, Reference] {
        let store = open(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        store.delete_queue(&queue).unwrap();
        let (asked, answer) = asked(&store, |store| store.secure_queue(&queue, key(1)));
        assert_eq!((asked, answer), (0, Err(ErrorType::Auth)));
    }
}

#[test]
fn pg11_pg34_a_deleted_queue_stays_as_a_tombstone_only_under_reference() {
    for (semantics, stays) in [(Strict, false), (Reference, true)] {
        let store = open(semantics);
        let queue = store.add_queue(recipient(1), with_link(1)).unwrap();
        store.delete_queue(&queue).unwrap();
        assert_eq!(finds(&store, recipient(1)), stays);
        assert_eq!(finds(&store, link(1)), stays);
        assert!(!finds(&store, sender(1)));
        assert_eq!(store.loaded_queues().unwrap().len(), usize::from(stays));
        let with_record = store.get_queue_rec(&recipient(1).into());
        assert_eq!(with_record.err(), Some(ErrorType::Auth), "it has no record");
    }
}

#[test]
fn pg12_securing_again_with_the_same_key_asks_the_database_again() {
    for semantics in [Strict, Reference] {
        let store = open(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        for _twice in 0..2 {
            let secure = |store: &Store| store.secure_queue(&queue, key(1));
            assert_eq!(asked(&store, secure), (1, Ok(())));
        }
        assert_eq!(store.secure_queue(&queue, key(2)), Err(ErrorType::Auth));
    }
}

#[test]
fn pg13_a_notifier_in_use_is_duplicate_and_under_reference_auth_where_only_the_database_knows_it() {
    for (semantics, unknown) in [(Strict, ErrorType::Duplicate), (Reference, ErrorType::Auth)] {
        let store = open(semantics);
        store.add_queue(recipient(1), with_notifier(1)).unwrap();
        put(&store, 2, &with_notifier(2));
        let queue = store.add_queue(recipient(3), record(3)).unwrap();
        let add = |n| store.add_notifier(&queue, creds(n, None));
        assert_eq!(add(1), Err(ErrorType::Duplicate), "known to the cache");
        assert_eq!(add(2), Err(unknown), "known to the database alone");
        assert_eq!(add(3), Ok(None));
    }
}

#[test]
fn pg18_pg35_without_a_cache_each_lookup_asks_the_database_and_makes_an_object() {
    for semantics in [Strict, Reference] {
        let store = open_with(DatabaseStoreConfig::default().use_cache(false), semantics);
        let added = store.add_queue(recipient(1), with_notifier(1)).unwrap();
        let keys: [QueueKey; 3] = [recipient(1).into(), sender(1).into(), notifier(1).into()];
        for key in keys {
            let (asked, found) = asked(&store, |store| store.get_queue(&key).unwrap());
            assert!(asked == 1 && !Arc::ptr_eq(&found, &added));
        }
        let batch = store.get_queues(&[recipient(1)]).unwrap();
        assert!(!Arc::ptr_eq(batch[0].as_ref().unwrap(), &added));
        assert!(store.loaded_queues().unwrap().is_empty());
        store.delete_queue(&added).unwrap();
        assert!(!finds(&store, recipient(1)));
    }
}

#[test]
fn pg19_race54_the_count_of_an_unknown_service_is_zero_only_under_reference() {
    let count =
        |semantics| open(semantics).service_count_hash(ServiceParty::Receiver, &service_id(1));
    assert_eq!(count(Strict), Err(ErrorType::Auth));
    assert_eq!(count(Reference).map(|kept| kept.count), Ok(0));
}

#[test]
fn pg24_race35_links_are_cached_by_adding_a_queue_alone_under_reference() {
    for (semantics, again) in [(Strict, 0), (Reference, 1)] {
        let store = open(semantics);
        put(&store, 1, &with_link(1));
        let look = |store: &Store| assert!(finds(store, link(1)));
        assert_eq!(asked(&store, look).0, 1);
        assert_eq!(asked(&store, look).0, again, "a lookup by link");
        let queue = store.add_queue(recipient(2), with_link(2)).unwrap();
        let added = |store: &Store| assert!(finds(store, link(2)));
        assert_eq!(asked(&store, added).0, 0, "adding a queue");
        store.delete_link_data(&queue).unwrap();
        assert_eq!(finds(&store, link(2)), semantics == Reference, "a removed link");
    }
}

#[test]
fn pg25_race34_a_link_is_remembered_as_a_senders_id_only_under_reference() {
    for semantics in [Strict, Reference] {
        let store = open(semantics);
        put(&store, 1, &with_link(1));
        assert!(finds(&store, link(1)));
        let as_sender = SenderId::from(link(1).entity().clone());
        assert_eq!(finds(&store, as_sender), semantics == Reference);
    }
}

#[test]
fn pg28_pg29_race55_removing_what_is_not_there_asks_the_database_only_under_strict() {
    for (semantics, statements) in [(Strict, 1), (Reference, 0)] {
        let store = open(semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        let removed = asked(&store, |store| store.delete_notifier(&queue));
        assert_eq!(removed, (statements, Ok(None)));
        let answer = if semantics == Strict { Ok(()) } else { Err(ErrorType::Auth) };
        assert_eq!(asked(&store, |store| store.delete_link_data(&queue)), (statements, answer));
    }
}

#[test]
fn pg30_the_same_service_or_date_again_asks_nothing_under_reference() {
    for (semantics, statements) in [(Strict, 1), (Reference, 0)] {
        let store = open(semantics);
        store.get_or_create_service(service(1, 1, ServiceRole::Messaging)).unwrap();
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        let date = RoundedDate::from_seconds(1_735_689_600);
        let associate = |store: &Store| {
            store.set_queue_service(&queue, ServiceParty::Receiver, Some(service_id(1))).unwrap();
        };
        let update = |store: &Store| drop(store.update_time(&queue, date).unwrap());
        assert_eq!((asked(&store, associate).0, asked(&store, update).0), (1, 1));
        assert_eq!((asked(&store, associate).0, asked(&store, update).0), (statements, 0));
    }
}

#[test]
fn pg14_pg31_a_loaded_record_has_stubs_of_link_data_only_under_reference() {
    for semantics in [Strict, Reference] {
        let store = open(semantics);
        let added = store.add_queue(recipient(1), with_link(1)).unwrap();
        put(&store, 2, &with_link(2));
        let loaded = store.get_queue(&recipient(2).into()).unwrap();
        for (queue, is_whole) in [(&added, true), (&loaded, semantics == Strict)] {
            let record = queue.record().read_atomic().unwrap();
            let present = record.link.as_ref().unwrap();
            assert_eq!(present.data == link_data(1, 1), is_whole);
            assert!(store.get_link_data(queue, &present.id) == Ok(link_data(1, 1)));
        }
    }
}

#[test]
fn pg33_a_queue_that_is_cached_is_the_one_that_its_sender_finds() {
    for semantics in [Strict, Reference] {
        let store = open(semantics);
        put(&store, 1, &with_link(1));
        let cached = store.get_queue(&recipient(1).into()).unwrap();
        for key in [QueueKey::from(sender(1)), link(1).into()] {
            assert!(Arc::ptr_eq(&cached, &store.get_queue(&key).unwrap()));
        }
        let again = asked(&store, |store| assert!(finds(store, sender(1)))).0;
        assert_eq!(again, 0, "the reference to it is cached");
    }
}

/// A queue is deleted late on a day; what is purged an hour into the next but one, when a day is kept.
#[test]
fn pg36_race45_a_deletion_counts_from_its_second_and_under_reference_from_its_day() {
    const DAY: u64 = 86_400;
    for (semantics, purged) in [(Strict, 0), (Reference, 1)] {
        let now = Arc::new(AtomicU64::new(11 * DAY - 60));
        let clock = Arc::clone(&now);
        let read = move || {
            let seconds = clock.load(Ordering::Relaxed) as i64;
            OffsetDateTime::from_unix_timestamp(seconds).unwrap()
        };
        let config = DatabaseStoreConfig::default().retention(Duration::from_secs(DAY)).clock(read);
        let store = open_with(config, semantics);
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        store.delete_queue(&queue).unwrap();
        now.store(11 * DAY + 3_600, Ordering::Relaxed);
        assert_eq!(store.purge_deleted(), Ok(purged));
        now.store(13 * DAY, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(store.purge_deleted(), Ok(1 - purged));
    }
}

#[test]
fn pg37_a_service_id_in_use_is_auth_only_under_reference() {
    for (semantics, answer) in [(Strict, ErrorType::Duplicate), (Reference, ErrorType::Auth)] {
        let store = open(semantics);
        store.get_or_create_service(service(1, 1, ServiceRole::Messaging)).unwrap();
        let second = store.get_or_create_service(service(1, 2, ServiceRole::Messaging));
        assert_eq!(second, Err(answer));
    }
}

#[test]
fn pg38_services_without_notifications_have_no_group_under_reference() {
    for (semantics, groups) in [(Strict, 2), (Reference, 1)] {
        let store = open(semantics);
        store.get_or_create_service(service(1, 1, ServiceRole::Notifier)).unwrap();
        store.add_queue(recipient(1), with_notifier(1)).unwrap();
        let ntfs = vec![(notifier(1), ()), (notifier(9), ())];
        let grouped = store.group_by_ntf_service(ntfs).unwrap();
        assert_eq!((grouped.services.len(), grouped.deleted.len()), (groups, 1));
    }
}
