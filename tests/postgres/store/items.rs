//! The numbered behaviours of the store (PG-), each under both semantics.

use std::fs;
use std::sync::Arc;

use postgres::Client;
use simplex_stores::protocol::{
    CountHash, ErrorType, QueueLink, QueueRec, RoundedDate, Semantics, SenderId, ServiceParty,
    ServiceRole,
};
use simplex_stores::queue_store::postgres::{PostgresQueueStore, PostgresQueues};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore};
use simplex_stores::store_log::{Durability, Journal, StoreLogConfig};
use simplex_stores::sync::thread;
use simplex_stores::testing::queue_store::sample::{
    creds, key, link, link_data, notifier, recipient, record, sender, service, service_id,
};

use super::support::{Databases, open};
use crate::fixture::client;

use ErrorType::{Auth, Duplicate};
use Semantics::{Reference, Strict};

/// A store over empty tables, with a journal beside it.
struct Place {
    databases: Databases,
    semantics: Semantics,
    use_cache: bool,
    folder: tempfile::TempDir,
    store: PostgresQueueStore,
}

impl Place {
    fn new(semantics: Semantics, use_cache: bool) -> Self {
        let databases = Databases::new();
        let config = databases.config().semantics(semantics).use_cache(use_cache);
        let folder = tempfile::tempdir().unwrap();
        let log = StoreLogConfig::new(folder.path().join("store.log"));
        let log = log.durability(Durability::Flush);
        let journal = Journal::open_append(&log).unwrap().0;
        let (store, _) =
            PostgresQueueStore::connect(&config, BasicFactory, Some(journal), |_| false).unwrap();
        Self { databases, semantics, use_cache, folder, store }
    }

    /// The same without what was cached, and without the journal.
    fn again(self) -> Self {
        self.store.close().unwrap();
        let config = self.databases.config().semantics(self.semantics).use_cache(self.use_cache);
        Self { store: open(&config), ..self }
    }

    fn client(&self) -> Client {
        client(self.databases.database())
    }

    fn add(&self, number: u8) -> Arc<BasicQueue> {
        self.store.add_queue(recipient(number), record(number)).unwrap()
    }

    fn find(&self, key: impl Into<QueueKey>) -> Result<Arc<BasicQueue>, ErrorType> {
        self.store.get_queue(&key.into())
    }

    /// Calls while the table is away: what is answered then needed no database.
    fn without_table<T>(&self, call: impl FnOnce() -> T) -> T {
        self.client().batch_execute("ALTER TABLE msg_queues RENAME TO away").unwrap();
        let answer = call();
        self.client().batch_execute("ALTER TABLE away RENAME TO msg_queues").unwrap();
        answer
    }

    /// The tags of the journal's lines.
    fn journal(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("store.log")).unwrap();
        text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }
}

fn cached(semantics: Semantics) -> Place {
    Place::new(semantics, true)
}

fn in_all_ways(check: impl Fn(Place)) {
    for semantics in [Strict, Reference] {
        for use_cache in [true, false] {
            check(Place::new(semantics, use_cache));
        }
    }
}

fn linked(number: u8) -> QueueRec {
    let link = QueueLink { id: link(number), data: link_data(1, 2) };
    QueueRec { link: Some(Box::new(link)), ..record(number) }
}

fn notified(number: u8) -> QueueRec {
    QueueRec { notifier: Some(Box::new(creds(number, None))), ..record(number) }
}

fn is_store<T>(answer: &Result<T, ErrorType>) -> bool {
    matches!(answer, Err(ErrorType::Store(_)))
}

#[test]
fn pg1_what_is_cached_refuses_no_new_queue() {
    for semantics in [Strict, Reference] {
        let place = cached(semantics);
        place.add(1);
        place.client().batch_execute("DELETE FROM msg_queues").unwrap();
        let queue = place.add(1);
        assert!(Arc::ptr_eq(&place.find(sender(1)).unwrap(), &queue), "{semantics:?}");
    }
}

#[test]
fn pg2_pg5_pg33_all_who_load_a_queue_get_one_object() {
    for semantics in [Strict, Reference] {
        let place = cached(semantics);
        place.store.add_queue(recipient(1), linked(1)).unwrap();
        let place = place.again();
        let store = Arc::new(place.store);
        let keys = [recipient(1).into(), sender(1).into(), QueueKey::from(link(1))];
        let loading = keys.iter().cycle().take(12).cloned().map(|key| {
            let store = Arc::clone(&store);
            thread::spawn(move || store.get_queue(&key).unwrap())
        });
        let loading: Vec<_> = loading.collect();
        let loaded: Vec<_> = loading.into_iter().map(|one| one.join().unwrap()).collect();
        assert!(loaded.iter().all(|queue| Arc::ptr_eq(queue, &loaded[0])), "{semantics:?}");
        assert_eq!(store.loaded_queues().unwrap().len(), 1);
    }
}

#[test]
fn pg3_under_reference_a_notifiers_entry_serves_one_lookup() {
    for (semantics, second) in [(Strict, false), (Reference, true)] {
        let place = cached(semantics);
        let queue = place.store.add_queue(recipient(1), notified(1)).unwrap();
        let without_table = || place.without_table(|| place.find(notifier(1)));
        assert!(Arc::ptr_eq(&without_table().unwrap(), &queue));
        assert_eq!(is_store(&without_table()), second, "{semantics:?}");
    }
}

#[test]
fn pg4_pg6_under_reference_what_is_found_by_a_notifier_is_not_cached() {
    for (semantics, loaded) in [(Strict, 1), (Reference, 0)] {
        let place = cached(semantics);
        place.store.add_queue(recipient(1), notified(1)).unwrap();
        let place = place.again();
        let found = [place.find(notifier(1)).unwrap(), place.find(notifier(1)).unwrap()];
        let batch = place.store.get_queues_by_notifier(&[notifier(1)]).unwrap();
        let objects = found.iter().chain(batch.iter().flatten());
        let same = objects.filter(|queue| Arc::ptr_eq(queue, &found[0])).count();
        assert_eq!((same == 3, place.store.loaded_queues().unwrap().len()), (loaded == 1, loaded));
        let batch = place.store.get_queues(&[recipient(1)]).unwrap();
        assert!(batch[0].is_ok());
        assert_eq!(
            place.store.loaded_queues().unwrap().len(),
            1,
            "a batch by recipients is cached"
        );
    }
}

#[test]
fn pg7_race60_an_id_that_is_missing_in_a_batch_is_auth() {
    in_all_ways(|place| {
        place.add(1);
        let found = |ids: &[u8]| {
            let ids: Vec<_> = ids.iter().map(|number| recipient(*number)).collect();
            let found = place.store.get_queues(&ids).unwrap().into_iter();
            found.map(|queue| queue.map(drop)).collect::<Vec<_>>()
        };
        assert_eq!(found(&[2, 1, 2]), [Err(Auth), Ok(()), Err(Auth)]);
        assert_eq!(found(&[2]), [Err(Auth)]);
        assert_eq!(found(&[]), []);
    });
}

#[test]
fn pg8_a_failure_is_store_and_its_text_names_no_table_under_strict() {
    in_all_ways(|place| {
        let queue = place.add(1);
        let failed = place.without_table(|| place.store.suspend_queue(&queue));
        let Err(ErrorType::Store(text)) = failed else { panic!("{failed:?}") };
        match place.semantics {
            Strict => assert!(!text.contains("msg_queues") && !text.contains("queue"), "{text}"),
            Reference => assert!(text.starts_with("suspend queue: "), "{text}"),
        }
        assert_eq!(place.store.suspend_queue(&queue), Ok(()));
    });
}

#[test]
fn pg9_a_deleted_object_is_refused_without_the_database() {
    in_all_ways(|place| {
        let queue = place.add(1);
        place.store.delete_queue(&queue).unwrap();
        let answers = place.without_table(|| {
            let store = &place.store;
            let date = RoundedDate::from_seconds(86_400);
            let service = ServiceParty::Receiver;
            [
                store.suspend_queue(&queue),
                store.secure_queue(&queue, key(1)),
                store.add_notifier(&queue, creds(1, None)).map(drop),
                store.delete_notifier(&queue).map(drop),
                store.add_link_data(&queue, link(1), link_data(1, 1)),
                store.delete_link_data(&queue),
                store.delete_queue(&queue).map(drop),
                store.update_time(&queue, date).map(drop),
                store.set_queue_service(&queue, service, None),
            ]
        });
        let others = answers.iter().enumerate().filter(|(_, answer)| **answer != Err(Auth));
        let others: Vec<_> = others.collect();
        assert_eq!(others, [], "{:?}, {}", place.semantics, place.use_cache);
    });
}

#[test]
fn pg11_pg34_under_reference_a_deleted_queue_stays_under_its_recipient_and_link_ids() {
    for (semantics, stays) in [(Strict, false), (Reference, true)] {
        let place = cached(semantics);
        let queue = place.store.add_queue(recipient(1), linked(1)).unwrap();
        place.store.delete_queue(&queue).unwrap();
        for key in [QueueKey::from(recipient(1)), link(1).into()] {
            let found = place.find(key.clone());
            assert_eq!(found.is_ok(), stays, "{semantics:?}, {key:?}");
            assert_eq!(place.store.get_queue_rec(&key).map(drop), Err(Auth));
        }
        assert!(place.find(sender(1)).is_err());
        assert_eq!(place.store.loaded_queues().unwrap().len(), usize::from(stays));
    }
}

#[test]
fn pg34_under_reference_the_cache_has_no_limit() {
    for (semantics, kept) in [(Strict, 2), (Reference, 20)] {
        let databases = Databases::new();
        let config = databases.config().semantics(semantics);
        let queues = PostgresQueues::open(&config, |_| false).unwrap().0;
        let config = config.store_config().cache_capacity(Some(2));
        let store = PostgresQueueStore::open(queues, BasicFactory, &config, None).unwrap();
        for number in 0..20 {
            store.add_queue(recipient(number), record(number)).unwrap();
        }
        assert_eq!(store.loaded_queues().unwrap().len(), kept, "{semantics:?}");
    }
}

#[test]
fn pg12_the_same_key_again_is_a_change_like_any_other() {
    in_all_ways(|place| {
        let queue = place.add(1);
        assert_eq!(place.store.secure_queue(&queue, key(1)), Ok(()));
        assert!(is_store(&place.without_table(|| place.store.secure_queue(&queue, key(1)))));
        assert_eq!(place.store.secure_queue(&queue, key(1)), Ok(()));
        assert_eq!(place.store.secure_queue(&queue, key(2)), Err(Auth));
        assert_eq!(place.journal(), ["CREATE", "SECURE", "SECURE"]);
    });
}

#[test]
fn pg13_pg37_a_taken_notifier_id_is_a_duplicate_however_it_is_found_under_strict() {
    for (semantics, use_cache, known, unknown) in [
        (Strict, true, Duplicate, Duplicate),
        (Strict, false, Duplicate, Duplicate),
        (Reference, true, Duplicate, Auth),
        (Reference, false, Auth, Auth),
    ] {
        let place = Place::new(semantics, use_cache);
        place.store.add_queue(recipient(1), notified(1)).unwrap();
        let queue = place.add(2);
        let set = || place.store.add_notifier(&queue, creds(1, None)).map(drop);
        assert_eq!(set(), Err(known), "{semantics:?}, {use_cache}");
        place.find(notifier(1)).unwrap();
        assert_eq!(set(), Err(unknown), "{semantics:?}, {use_cache}");
    }
}

#[test]
fn pg37_a_taken_id_is_duplicate_under_strict_and_auth_under_reference() {
    in_all_ways(|place| {
        let taken = if place.semantics == Strict { Duplicate } else { Auth };
        place.add(1);
        let added = place.store.add_queue(recipient(2), record(1)).map(drop);
        assert_eq!(added, Err(taken.clone()));
        let make = |cert, role| place.store.get_or_create_service(service(1, cert, role));
        assert_eq!(make(1, ServiceRole::Messaging), Ok(service_id(1)));
        assert_eq!(make(1, ServiceRole::Messaging), Ok(service_id(1)));
        assert_eq!(make(1, ServiceRole::Notifier), Err(ErrorType::Service));
        assert_eq!(make(2, ServiceRole::Messaging), Err(taken));
    });
}

#[test]
fn pg18_pg35_without_a_cache_each_lookup_makes_an_object_of_its_own() {
    in_all_ways(|place| {
        let added = place.add(1);
        let found = [place.find(recipient(1)).unwrap(), place.find(sender(1)).unwrap()];
        let batch = place.store.get_queues(&[recipient(1)]).unwrap().remove(0).unwrap();
        let others = found.iter().chain([&batch]).filter(|queue| !Arc::ptr_eq(queue, &added));
        assert_eq!(others.count(), if place.use_cache { 0 } else { 3 });
        assert!(!Arc::ptr_eq(&found[0], &found[1]) || place.use_cache);
        assert_eq!(place.store.loaded_queues().unwrap().len(), usize::from(place.use_cache));
        place.store.delete_queue(&added).unwrap();
        assert_eq!(place.store.suspend_queue(&batch), Err(Auth));
    });
}

#[test]
fn pg19_race54_an_unknown_service_has_no_count_under_strict() {
    in_all_ways(|place| {
        for party in [ServiceParty::Receiver, ServiceParty::Notifier] {
            let counted = place.store.service_count_hash(party, &service_id(1));
            match place.semantics {
                Strict => assert_eq!(counted, Err(Auth)),
                Reference => assert_eq!(counted, Ok(CountHash::default())),
            }
        }
    });
}

#[test]
fn pg24_under_reference_links_are_cached_with_new_queues_only_and_stay() {
    for (semantics, stays) in [(Strict, false), (Reference, true)] {
        let place = cached(semantics);
        let queue = place.store.add_queue(recipient(1), linked(1)).unwrap();
        let other = place.add(2);
        place.store.add_link_data(&other, link(2), link_data(1, 1)).unwrap();
        let is_cached = || !is_store(&place.without_table(|| place.find(link(2))));
        assert_eq!(is_cached(), !stays);
        place.find(link(2)).unwrap();
        assert_eq!(is_cached(), !stays, "the lookup fills it under Strict alone");
        place.store.delete_link_data(&queue).unwrap();
        assert_eq!(place.find(link(1)).is_ok(), stays, "{semantics:?}");
        assert_eq!(place.store.get_queue_rec(&link(1).into()).map(drop), Err(Auth));
    }
}

#[test]
fn pg25_under_reference_a_link_that_was_loaded_is_a_senders_id() {
    for (semantics, is_sender) in [(Strict, false), (Reference, true)] {
        let place = cached(semantics);
        place.store.add_queue(recipient(1), linked(1)).unwrap();
        let place = place.again();
        let as_sender = SenderId::from(link(1).entity().clone());
        assert!(place.find(as_sender.clone()).is_err());
        place.find(link(1)).unwrap();
        assert_eq!(place.find(as_sender).is_ok(), is_sender, "{semantics:?}");
    }
}

#[test]
fn pg28_pg29_pg30_race55_race57_what_changes_nothing_is_a_change_under_strict() {
    in_all_ways(|place| {
        let store = &place.store;
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        let date = RoundedDate::from_seconds(86_400);
        store.update_time(&queue, date).unwrap();
        let changes = || {
            let date_again = store.update_time(&queue, date).map(drop);
            let service = store.set_queue_service(&queue, ServiceParty::Receiver, None);
            let notifier = store.delete_notifier(&queue).map(drop);
            (date_again, service, notifier, store.delete_link_data(&queue))
        };
        let away = place.without_table(changes);
        let there = changes();
        match place.semantics {
            Strict => {
                // A date that is cached is known to be the database's.
                assert_eq!(is_store(&away.0), !place.use_cache);
                assert!(is_store(&away.1) && is_store(&away.2) && is_store(&away.3));
                assert_eq!(there, (Ok(()), Ok(()), Ok(()), Ok(())));
                let more = ["QUEUE_SERVICE", "NDELETE", "LDELETE"];
                assert_eq!(place.journal(), [&["CREATE", "TIME"], &more[..]].concat());
            }
            Reference => {
                assert_eq!(away, (Ok(()), Ok(()), Ok(()), Err(Auth)));
                assert_eq!(there, away);
                assert_eq!(place.journal(), ["CREATE", "TIME"]);
            }
        }
    });
}

#[test]
fn pg31_race58_under_reference_a_record_has_link_data_only_where_it_was_given_them() {
    for semantics in [Strict, Reference] {
        let place = cached(semantics);
        place.store.add_queue(recipient(1), linked(1)).unwrap();
        let data = |place: &Place| {
            let (_, record) = place.store.get_queue_rec(&recipient(1).into()).unwrap();
            record.link.as_ref().unwrap().data.clone()
        };
        assert_eq!(data(&place), link_data(1, 2));
        let place = place.again();
        assert_eq!(data(&place) == link_data(1, 2), semantics == Strict);
        let queue = place.find(recipient(1)).unwrap();
        assert_eq!(place.store.get_link_data(&queue, &link(1)), Ok(link_data(1, 2)));
        place.store.add_link_data(&queue, link(1), link_data(1, 0)).unwrap();
        assert_eq!(data(&place), link_data(1, 0));
    }
}

#[test]
fn pg36_race45_a_queue_is_deleted_at_a_second_under_strict_and_on_a_day_under_reference() {
    const NOW: i64 = 1_735_689_600 + 12_345;
    for (semantics, deleted_at) in [(Strict, NOW), (Reference, 1_735_689_600)] {
        let databases = Databases::new();
        let config = databases.config().semantics(semantics);
        let queues = PostgresQueues::open(&config, |_| false).unwrap().0;
        let now = || time::OffsetDateTime::from_unix_timestamp(NOW).unwrap();
        let config = config.store_config().clock(now);
        let store = PostgresQueueStore::open(queues, BasicFactory, &config, None).unwrap();
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        store.delete_queue(&queue).unwrap();
        let sql = "SELECT deleted_at FROM msg_queues";
        let stored: i64 = client(databases.database()).query_one(sql, &[]).unwrap().get(0);
        assert_eq!(stored, deleted_at, "{semantics:?}");
    }
}

#[test]
fn pg38_groups_are_all_services_under_strict_and_those_with_notifications_under_reference() {
    in_all_ways(|place| {
        let store = &place.store;
        for number in 1..=3 {
            let made = service(number, number, ServiceRole::Notifier);
            store.get_or_create_service(made).unwrap();
        }
        for (number, service) in [(1, Some(service_id(1))), (2, Some(service_id(3))), (3, None)] {
            let queue = store.add_queue(recipient(number), notified(number)).unwrap();
            store.set_queue_service(&queue, ServiceParty::Notifier, service).unwrap();
        }
        let group = |numbers: &[u8]| {
            let ntfs = numbers.iter().map(|number| (notifier(*number), *number));
            let groups = store.group_by_ntf_service(ntfs.collect()).unwrap();
            let numbers = |ntfs: Vec<(_, u8)>| ntfs.into_iter().map(|(_, n)| n).collect();
            let services = groups.services.into_iter().map(|(id, ntfs)| (id, numbers(ntfs)));
            (services.collect::<Vec<(_, Vec<u8>)>>(), numbers(groups.deleted))
        };
        let id = |number| Some(service_id(number));
        let (found, empty): (Vec<_>, Vec<_>) = match place.semantics {
            Strict => (
                vec![(None, vec![3]), (id(3), vec![2]), (id(2), vec![]), (id(1), vec![1])],
                vec![(None, vec![]), (id(3), vec![]), (id(2), vec![]), (id(1), vec![])],
            ),
            Reference => (vec![(None, vec![3]), (id(1), vec![1]), (id(3), vec![2])], vec![]),
        };
        assert_eq!(group(&[9, 1, 2, 3]), (found, vec![9]));
        assert_eq!(group(&[9]), (empty, vec![9]));
    });
}

#[test]
fn pg40_a_store_has_one_pool_and_one_connection_that_holds_its_lock() {
    let place = cached(Strict);
    let asking: Vec<_> = (0..16u8).collect();
    let store = Arc::new(place.store);
    let asking = asking.into_iter().map(|number| {
        let store = Arc::clone(&store);
        thread::spawn(move || store.get_queue(&recipient(number).into()).map(drop))
    });
    let asking: Vec<_> = asking.collect();
    assert!(asking.into_iter().all(|one| one.join().unwrap() == Err(Auth)));
    let sql = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let connections: i64 = client(place.databases.database()).query_one(sql, &[]).unwrap().get(0);
    // The pool has four at most.
    assert!((2..=5).contains(&connections), "{connections}");
}
