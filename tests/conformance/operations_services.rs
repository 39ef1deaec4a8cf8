//! The operations on services (OP-21 to OP-26).

use simplex_stores::protocol::{CountHash, ErrorType, IdsHash, ServiceParty, ServiceRole};
use simplex_stores::queue_store::{QueueStore, StmQueueStore};

use crate::sample::{
    BOTH, MESSAGING, NOTIFIER, Running, STRICT, auth, creds, full_rec, nid, rec, rid, service, vid,
};

const RECEIVER: ServiceParty = ServiceParty::Receiver;
const NTF: ServiceParty = ServiceParty::Notifier;

/// A store with two messaging services (1, 2) and two notifier services (3, 4).
fn with_services(semantics: simplex_stores::protocol::Semantics) -> Running {
    let running = Running::new(semantics);
    for (number, role) in [(1, MESSAGING), (2, MESSAGING), (3, NOTIFIER), (4, NOTIFIER)] {
        running.store.get_or_create_service(service(number, number, role)).unwrap();
    }
    running
}

fn count(store: &StmQueueStore, party: ServiceParty, number: u8) -> i64 {
    store.service_count_hash(party, &vid(number)).unwrap().count
}

#[test]
fn op21_a_service_is_made_once_for_a_certificate_and_journalled_once() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let get = |record| running.tags(|store| store.get_or_create_service(record));
        let made = (Ok(vid(1)), vec!["NEW_SERVICE".to_owned()]);
        assert_eq!(get(service(1, 1, MESSAGING)), made);
        assert_eq!(get(service(1, 1, MESSAGING)), (Ok(vid(1)), vec![]));
        assert_eq!(get(service(2, 1, MESSAGING)), (Ok(vid(1)), vec![]));
        assert_eq!(get(service(3, 1, NOTIFIER)), (Err(ErrorType::Service), vec![]));
        assert_eq!(get(service(1, 2, MESSAGING)), (Err(ErrorType::Duplicate), vec![]));
        assert_eq!(get(service(3, 3, ServiceRole::Proxy)).0, Ok(vid(3)));
    }
}

#[test]
fn op22_qs19_a_queue_moves_between_services_and_strict_refuses_what_does_not_fit() {
    for semantics in BOTH {
        let running = with_services(semantics);
        let store = &running.store;
        let queue = store.add_queue(rid(1), rec(1)).unwrap();
        assert_eq!(store.set_queue_service(&queue, NTF, Some(vid(3))), auth(), "no notifier");
        store.add_notifier(&queue, creds(1, None)).unwrap();
        for (party, first, second) in [(RECEIVER, 1, 2), (NTF, 3, 4)] {
            for service in [Some(first), Some(second), Some(second), None] {
                let set = |store: &StmQueueStore| {
                    store.set_queue_service(&queue, party, service.map(vid))
                };
                assert_eq!(running.tags(set), (Ok(()), vec!["QUEUE_SERVICE".to_owned()]));
                let counts = [first, second].map(|number| count(store, party, number));
                let expected = [Some(first), Some(second)].map(|one| i64::from(one == service));
                assert_eq!(counts, expected);
            }
        }
        let unknown = store.set_queue_service(&queue, RECEIVER, Some(vid(9)));
        let misfit = store.set_queue_service(&queue, NTF, Some(vid(1)));
        match semantics == STRICT {
            true => assert_eq!((unknown, misfit), (auth(), Err(ErrorType::Service))),
            false => assert_eq!((unknown, misfit), (Ok(()), Ok(()))),
        }
    }
}

#[test]
fn op23_qs20_the_batch_associates_each_queue_on_its_own() {
    for semantics in BOTH {
        let running = with_services(semantics);
        let store = &running.store;
        let queues = [1, 2, 3].map(|number| store.add_queue(rid(number), rec(number)).unwrap());
        store.delete_queue(&queues[1]).unwrap();
        let given = [&queues[2], &queues[0], &queues[1], &queues[2]].map(std::sync::Arc::clone);
        let (results, tags) =
            running.tags(|store| store.set_queue_services(RECEIVER, Some(vid(1)), &given).unwrap());
        assert_eq!(results, [(rid(1), Ok(())), (rid(2), auth()), (rid(3), Ok(()))]);
        assert_eq!(tags, ["QUEUE_SERVICE"; 3], "the repeated queue too, the deleted one not");
        assert_eq!(count(store, RECEIVER, 1), 2);
        assert_eq!(store.set_queue_services(RECEIVER, None, &[]), Ok(Vec::new()));
    }
}

#[test]
fn op24_qs21_groups_descend_with_the_one_without_service_first() {
    for semantics in BOTH {
        let running = with_services(semantics);
        let store = &running.store;
        for (number, service) in [(1, Some(4)), (2, None), (3, Some(4))] {
            let mut record = rec(number);
            record.notifier = Some(Box::new(creds(number, service)));
            store.add_queue(rid(number), record).unwrap();
        }
        let given = [(1, 'a'), (2, 'b'), (9, 'c'), (3, 'd'), (1, 'e')];
        let ntfs = given.map(|(number, x)| (nid(number), x)).to_vec();
        let groups = store.group_by_ntf_service(ntfs).unwrap();
        let expected = vec![
            (None, vec![(nid(2), 'b')]),
            (Some(vid(4)), vec![(nid(1), 'a'), (nid(3), 'd'), (nid(1), 'e')]),
            (Some(vid(3)), vec![]),
            (Some(vid(2)), vec![]),
            (Some(vid(1)), vec![]),
        ];
        assert_eq!((groups.services, groups.deleted), (expected, vec![(nid(9), 'c')]));
    }
}

#[test]
fn op25_qs22_qs25_race54_count_and_hash_are_those_of_the_set() {
    for semantics in BOTH {
        let running = with_services(semantics);
        let store = &running.store;
        let mut hash = IdsHash::EMPTY;
        for number in [1, 2, 3] {
            let mut record = rec(number);
            record.rcv_service_id = Some(vid(1));
            store.add_queue(rid(number), record).unwrap();
            hash = hash.xor(IdsHash::of_id(rid(number).as_bytes()));
        }
        assert_eq!(store.service_count_hash(RECEIVER, &vid(1)), Ok(CountHash { count: 3, hash }));
        let empty = CountHash { count: 0, hash: IdsHash::EMPTY };
        assert_eq!(store.service_count_hash(NTF, &vid(1)), Ok(empty), "a set per party");
        assert_eq!(store.service_count_hash(RECEIVER, &vid(9)), auth());
    }
}

#[test]
fn op26_the_fold_ascends_over_live_queues_and_an_unknown_service_has_none() {
    for semantics in BOTH {
        let running = with_services(semantics);
        let store = &running.store;
        for number in [3, 1, 2] {
            let mut record = full_rec(number);
            record.rcv_service_id = Some(vid(1));
            store.add_queue(rid(number), record).unwrap();
        }
        let second = store.get_queue(&rid(2).into()).unwrap();
        store.delete_queue(&second).unwrap();
        let fold = |number| {
            store.fold_service_queues(&vid(number), Vec::new(), |mut seen, id, record| {
                seen.push((id.clone(), record.sender_id.as_bytes()[1]));
                seen
            })
        };
        assert_eq!(fold(1), Ok(vec![(rid(1), 1), (rid(3), 3)]));
        assert_eq!(fold(9), Ok(Vec::new()));
    }
}

#[test]
fn op26_race32_a_services_queues_are_given_in_the_transaction_that_counts_them() {
    for semantics in BOTH {
        let running = with_services(semantics);
        let store = &running.store;
        for number in [3, 1] {
            let queue = store.add_queue(rid(number), rec(number)).unwrap();
            store.set_queue_service(&queue, RECEIVER, Some(vid(1))).unwrap();
        }
        let answer = |number| {
            store.transact(|tx, _| {
                let told = store.service_count_hash_tx(tx, RECEIVER, &vid(number))?;
                Ok((told, store.service_queues_tx(tx, &vid(number))?))
            })
        };
        let (told, ids) = answer(1).unwrap();
        assert_eq!(ids.iter_sorted(), [rid(1), rid(3)]);
        assert_eq!(told.count, 2);
        assert!(answer(2).unwrap().1.is_empty());
        let unknown = store.transact(|tx, _| store.service_queues_tx(tx, &vid(9)).map(drop));
        assert_eq!(unknown, auth());
    }
}
