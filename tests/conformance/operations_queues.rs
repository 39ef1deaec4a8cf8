//! The operations on one queue (OP-1 to OP-20).

use std::sync::Arc;

use simplex_stores::protocol::{
    EntityStatus, ErrorType, QueueLink, QueueRec, RecipientKeys, RoundedDate, ServiceParty,
};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StmQueueStore, StoreQueue};
use simplex_stores::store_log::StoreLogConfig;

use crate::sample::{
    BOTH, CHANGES, MESSAGING, NOTIFIER, REFERENCE, Running, STRICT, auth, blocking, creds, data,
    finds, full_rec, key, lid, nid, rec, rid, service, sid, vid,
};

#[test]
fn op1_opening_gives_an_empty_store_and_makes_the_journal() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        assert_eq!(running.store.entity_counts().unwrap(), Default::default());
        assert_eq!(running.text(), "");
        let without = StmQueueStore::new(BasicFactory, semantics);
        assert_eq!(without.entity_counts().unwrap(), Default::default());
        assert_eq!(without.semantics(), semantics);
    }
}

#[test]
fn op2_closing_writes_everything_and_every_operation_is_then_store() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), full_rec(1)).unwrap();
        running.store.close().unwrap();
        running.store.close().unwrap();
        let closed = ErrorType::Store("closed".into());
        for (name, change) in CHANGES {
            assert_eq!(change(&running.store, &queue), Err(closed.clone()), "{name}");
        }
        for key in [rid(1).into(), sid(1).into(), nid(1).into(), QueueKey::Link(lid(1))] {
            assert_eq!(running.store.get_queue(&key).err(), Some(closed.clone()));
        }
        assert_eq!(running.store.add_queue(rid(2), rec(2)).err(), Some(closed));
        let config = StoreLogConfig::new(running.path()).semantics(semantics);
        let (again, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
        assert!(finds(&again, rid(1)));
    }
}

#[test]
fn op2_race27_a_closed_store_answers_no_lookup() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let (store, id) = (&running.store, rid(1));
        let queue = store.add_queue(id.clone(), full_rec(1)).unwrap();
        store.close().unwrap();
        let party = ServiceParty::Receiver;
        // Those of an empty list too, which look nothing up.
        let answers = [
            ("counts", store.entity_counts().err()),
            ("loaded", store.loaded_queues().err()),
            ("purge", store.purge_deleted().err()),
            ("queue", store.get_queue(&id.clone().into()).err()),
            ("record", store.get_queue_rec(&id.clone().into()).err()),
            ("queues", store.get_queues(&[id]).err()),
            ("no queues", store.get_queues(&[]).err()),
            ("notifiers", store.get_queues_by_notifier(&[nid(1)]).err()),
            ("no notifiers", store.get_queues_by_notifier(&[]).err()),
            ("link data", store.get_link_data(&queue, &lid(1)).err()),
            ("associate", store.set_queue_services(party, None, &[Arc::clone(&queue)]).err()),
            ("associate none", store.set_queue_services(party, None, &[]).err()),
            ("group", store.group_by_ntf_service(vec![(nid(1), ())]).err()),
            ("count and hash", store.service_count_hash(party, &vid(1)).err()),
            ("fold", store.fold_service_queues(&vid(1), (), |(), _, _| ()).err()),
        ];
        for (name, answer) in answers {
            assert_eq!(answer, Some(ErrorType::Store("closed".into())), "{name}: {semantics:?}");
        }
    }
}

#[test]
fn op6_adding_fills_all_indexes_and_writes_create() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let (added, tags) = running.tags(|store| store.add_queue(rid(1), full_rec(1)));
        assert_eq!((added.unwrap().recipient_id(), &*tags), (&rid(1), &["CREATE".to_owned()][..]));
        for key in [rid(1).into(), sid(1).into(), nid(1).into(), QueueKey::Link(lid(1))] {
            assert!(finds(&running.store, key));
        }
        let (again, tags) = running.tags(|store| store.add_queue(rid(1), rec(2)));
        assert_eq!((again.err(), tags.len()), (Some(ErrorType::Duplicate), 0));
    }
}

#[test]
fn op6_race23_a_queue_with_services_enters_their_sets_and_strict_checks_them() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let with = |number: u8, rcv: u8, ntf: u8| QueueRec {
            rcv_service_id: Some(vid(rcv)),
            notifier: Some(Box::new(creds(number, Some(ntf)))),
            ..rec(number)
        };
        running.store.get_or_create_service(service(1, 1, MESSAGING)).unwrap();
        running.store.get_or_create_service(service(2, 2, NOTIFIER)).unwrap();
        running.store.add_queue(rid(1), with(1, 1, 2)).unwrap();
        let counts = running.store.entity_counts().unwrap();
        assert_eq!((counts.rcv_service_queues, counts.ntf_service_queues), (1, 1));
        let answers = [with(2, 3, 2), with(3, 2, 2), with(4, 1, 3), with(5, 1, 1)].map(|record| {
            let id = rid(record.sender_id.as_bytes()[1]);
            running.store.add_queue(id, record).err()
        });
        let refused = [ErrorType::Auth, ErrorType::Service, ErrorType::Auth, ErrorType::Service];
        match semantics == STRICT {
            true => assert_eq!(answers, refused.map(Some)),
            false => assert_eq!(answers, [None, None, None, None]),
        }
    }
}

#[test]
fn op7_a_queue_is_found_by_each_of_its_ids_until_it_is_deleted() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let store = &running.store;
        let queue = store.add_queue(rid(1), full_rec(1)).unwrap();
        let keys = [rid(1).into(), sid(1).into(), nid(1).into(), QueueKey::Link(lid(1))];
        for key in &keys {
            assert_eq!(store.get_queue(key).unwrap().recipient_id(), &rid(1));
        }
        assert_eq!(store.get_queue(&sid(2).into()).err(), Some(ErrorType::Auth));
        store.delete_queue(&queue).unwrap();
        let found = keys.each_ref().map(|key| store.get_queue(key).is_ok());
        let tombstone = semantics == REFERENCE;
        assert_eq!(found, [tombstone, false, false, tombstone]);
        assert!(keys.iter().all(|key| store.get_queue_rec(key).is_err()));
    }
}

#[test]
fn op9_link_data_is_given_for_the_right_link_only() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let queue = store.add_queue(rid(1), full_rec(1)).unwrap();
        let plain = store.add_queue(rid(2), rec(2)).unwrap();
        assert_eq!(store.get_link_data(&queue, &lid(1)), Ok(data(1, 1)));
        assert_eq!(store.get_link_data(&queue, &lid(2)), auth());
        assert_eq!(store.get_link_data(&plain, &lid(1)), auth());
        store.delete_queue(&queue).unwrap();
        assert_eq!(store.get_link_data(&queue, &lid(1)), auth());
    }
}

#[test]
fn op10_qs8_link_data_is_set_once_and_its_user_part_replaced() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), rec(1)).unwrap();
        let add = |link, fixed, user| {
            running.tags(|store| store.add_link_data(&queue, lid(link), data(fixed, user)))
        };
        let written = |tags: Vec<String>| tags == ["LINK"];
        let (set, tags) = add(1, 1, 1);
        assert!(set.is_ok() && written(tags));
        let (user_replaced, tags) = add(1, 1, 2);
        assert!(user_replaced.is_ok() && written(tags));
        for (link, fixed) in [(1, 2), (2, 1)] {
            let (refused, tags) = add(link, fixed, 1);
            assert_eq!((refused, tags.len()), (auth(), 0));
        }
        let expected = QueueLink { id: lid(1), data: data(1, 2) };
        assert_eq!(running.record(1).link.as_deref(), Some(&expected));
        assert!(finds(&running.store, lid(1)));
    }
}

#[test]
fn op10_race56_a_link_id_of_another_queue_is_duplicate_only_under_strict() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        store.add_queue(rid(1), full_rec(1)).unwrap();
        let queue = store.add_queue(rid(2), rec(2)).unwrap();
        let answer = store.add_link_data(&queue, lid(1), data(2, 2));
        let expected = if semantics == STRICT { Err(ErrorType::Duplicate) } else { Ok(()) };
        assert_eq!(answer, expected);
        let owner = store.get_queue(&lid(1).into()).unwrap();
        assert_eq!(owner.recipient_id(), &rid(if semantics == STRICT { 1 } else { 2 }));
    }
}

#[test]
fn op11_race55_deleting_a_link_succeeds_and_is_journalled_also_without_one() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), full_rec(1)).unwrap();
        for _ in 0..2 {
            let (deleted, tags) = running.tags(|store| store.delete_link_data(&queue));
            assert_eq!((deleted, &*tags), (Ok(()), &["LDELETE".to_owned()][..]));
            assert_eq!(running.record(1).link, None);
            assert!(!finds(&running.store, lid(1)));
        }
    }
}

#[test]
fn op12_qs5_securing_takes_the_first_key_and_no_other() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), rec(1)).unwrap();
        for (number, answer, records) in [(1, Ok(()), 1), (1, Ok(()), 1), (2, auth(), 0)] {
            let (secured, tags) = running.tags(|store| store.secure_queue(&queue, key(number)));
            assert_eq!((secured, tags.len()), (answer, records));
            assert_eq!(running.record(1).sender_key, Some(key(1)));
        }
    }
}

#[test]
fn op13_updating_keys_replaces_all_of_them() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), rec(1)).unwrap();
        let keys = RecipientKeys::new(vec![key(7), key(8), key(7)]).unwrap();
        let (updated, tags) = running.tags(|store| store.update_keys(&queue, keys.clone()));
        assert_eq!((updated, &*tags), (Ok(()), &["KEYS".to_owned()][..]));
        assert_eq!(running.record(1).recipient_keys, keys);
    }
}

#[test]
fn op14_qs26_a_notifier_replaces_the_old_one_and_enters_its_service_only_under_strict() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        running.store.get_or_create_service(service(1, 1, NOTIFIER)).unwrap();
        let queue = running.store.add_queue(rid(1), full_rec(1)).unwrap();
        let add = |creds| running.tags(|store| store.add_notifier(&queue, creds));
        assert_eq!(add(creds(1, None)), (Err(ErrorType::Duplicate), vec![]));
        let (replaced, tags) = add(creds(2, Some(1)));
        assert_eq!((replaced, &*tags), (Ok(Some(creds(1, None))), &["NOTIFIER".to_owned()][..]));
        assert!(finds(&running.store, nid(2)) && !finds(&running.store, nid(1)));
        let entered = running.store.entity_counts().unwrap().ntf_service_queues;
        assert_eq!(entered, u64::from(semantics == STRICT));
        if semantics == STRICT {
            assert_eq!(add(creds(3, Some(9))).0, auth());
        }
    }
}

#[test]
fn op15_deleting_a_notifier_gives_it_and_is_journalled_also_without_one() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), full_rec(1)).unwrap();
        for expected in [Some(creds(1, None)), None] {
            let (deleted, tags) = running.tags(|store| store.delete_notifier(&queue));
            assert_eq!((deleted, &*tags), (Ok(expected), &["NDELETE".to_owned()][..]));
            assert!(!finds(&running.store, nid(1)));
        }
    }
}

#[test]
fn op16_op17_op18_a_status_replaces_any_other() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), rec(1)).unwrap();
        let off = ("SUSPEND", EntityStatus::Off);
        let blocked = ("BLOCK", EntityStatus::Blocked(blocking()));
        let active = ("UNBLOCK", EntityStatus::Active);
        for (tag, expected) in [&off, &off, &blocked, &active, &blocked, &off, &active, &active] {
            let (_, change) = CHANGES.iter().find(|(name, _)| name == tag).unwrap();
            let (answer, tags) = running.tags(|store| change(store, &queue));
            assert_eq!((answer, tags), (Ok(()), vec![(*tag).to_owned()]));
            assert_eq!(running.record(1).status, *expected);
        }
    }
}

#[test]
fn op19_qs16_a_date_is_written_only_when_it_differs() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), rec(1)).unwrap();
        for (seconds, records) in [(86_400, 1), (86_400, 0), (0, 1), (17, 1)] {
            let date = RoundedDate::from_seconds(seconds);
            let (updated, tags) = running.tags(|store| store.update_time(&queue, date));
            assert_eq!((updated.unwrap().updated_at, tags.len()), (Some(date), records));
        }
    }
}

#[test]
fn op20_a_deleted_queue_refuses_every_change_and_writes_nothing_more() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), full_rec(1)).unwrap();
        let (deleted, tags) = running.tags(|store| store.delete_queue(&queue));
        assert_eq!((&*deleted.unwrap(), &*tags), (&full_rec(1), &["DELETE".to_owned()][..]));
        assert_eq!(queue.record().read_atomic(), None);
        for (name, change) in CHANGES {
            let (answer, tags) = running.tags(|store| change(store, &queue));
            assert_eq!((answer, tags.len()), (auth(), 0), "{name}");
        }
        // AUTH comes before anything that is wrong with the service.
        running.store.get_or_create_service(service(1, 1, MESSAGING)).unwrap();
        assert_eq!(running.store.add_notifier(&queue, creds(2, Some(1))), auth());
        let (party, id) = (ServiceParty::Notifier, Some(vid(1)));
        assert_eq!(running.store.set_queue_service(&queue, party, id), auth());
    }
}

#[test]
fn op20_race20_race44_ids_of_a_deleted_queue_are_free_only_under_strict() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let queue = store.add_queue(rid(1), full_rec(1)).unwrap();
        store.delete_queue(&queue).unwrap();
        let same_sender_and_notifier =
            QueueRec { notifier: full_rec(1).notifier, sender_id: sid(1), ..rec(2) };
        assert!(store.add_queue(rid(2), same_sender_and_notifier).is_ok());
        let same_recipient = store.add_queue(rid(1), rec(3)).err();
        let same_link =
            store.add_queue(rid(4), QueueRec { link: full_rec(1).link, ..rec(4) }).err();
        let expected = (semantics == REFERENCE).then_some(ErrorType::Duplicate);
        assert_eq!((&same_recipient, &same_link), (&expected, &expected));
    }
}
