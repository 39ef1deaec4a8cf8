//! Services: made once, with roles, counts and hashes.

use simplex_stores::db::DbErrorKind;
use simplex_stores::protocol::{
    CertChain, CountHash, IdsHash, QueueRec, Semantics, ServiceId, ServiceParty, ServiceRec,
    ServiceRole,
};
use simplex_stores::queue_store::database::{
    NtfServices, QueueDatabase, Refusal, ServiceFound, StatementError,
};
use simplex_stores::queue_store::postgres::PostgresQueues;
use simplex_stores::sync::thread;
use simplex_stores::testing::queue_store::sample;

use super::{BOTH, add, add_service, process, queues, record, service};
use crate::fixture;

fn refused<T>(refusal: Refusal) -> Result<T, StatementError> {
    Err(StatementError::Refused(refusal))
}

#[test]
fn a_certificate_decides_which_service_it_is() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        add_service(&queues, 1, ServiceRole::Messaging);
        // The same certificate under another id, then with another role.
        let again =
            ServiceRec { service_id: sample::service_id(2), ..service(1, ServiceRole::Messaging) };
        let known = ServiceFound::Known(sample::service_id(1));
        assert_eq!(queues.find_or_insert_service(&again), Ok(known));
        let other = service(1, ServiceRole::Notifier);
        assert_eq!(queues.find_or_insert_service(&other), refused(Refusal::WrongRole));
        // Another certificate under the same id.
        let other =
            ServiceRec { service_id: sample::service_id(1), ..service(3, ServiceRole::Messaging) };
        assert_eq!(queues.find_or_insert_service(&other), refused(Refusal::Taken));
        assert_eq!(queues.counts().unwrap().rcv_services, 1);
    }
}

#[test]
fn race52_a_service_without_certificates_is_an_error_that_names_the_column() {
    let (_database, queues) = queues(Semantics::Strict);
    let full = sample::service(1, 1, ServiceRole::Messaging);
    let empty = ServiceRec { cert_chain: CertChain::default(), ..full };
    let Err(StatementError::Failed(error)) = queues.find_or_insert_service(&empty) else {
        panic!("stored")
    };
    let column = DbErrorKind::Row { table: "services", column: "service_cert" };
    assert_eq!(*error.kind(), column);
}

#[test]
fn pg15_processes_that_meet_a_certificate_at_once_get_the_same_service() {
    const CERTIFICATES: u8 = 40;
    let database = fixture::with_schema();
    let found = |first_id: u8| {
        let queues = process(&database, Semantics::Strict);
        thread::spawn(move || {
            let meet = |certificate: u8| {
                let service_id = sample::service_id(first_id + certificate);
                let mine =
                    ServiceRec { service_id, ..service(certificate, ServiceRole::Messaging) };
                queues.find_or_insert_service(&mine).unwrap()
            };
            (0..CERTIFICATES).map(meet).collect::<Vec<_>>()
        })
    };
    let threads = [0, 1, 2, 3].map(|process| found(process * CERTIFICATES));
    let found = threads.map(|thread| thread.join().unwrap());
    for certificate in 0..usize::from(CERTIFICATES) {
        let met: Vec<_> = found.iter().map(|found| &found[certificate]).collect();
        let ids = met.iter().map(|one| match one {
            ServiceFound::Made(id) | ServiceFound::Known(id) => id,
        });
        let ids: std::collections::BTreeSet<_> = ids.collect();
        let made = met.iter().filter(|one| matches!(one, ServiceFound::Made(_)));
        assert_eq!((ids.len(), made.count()), (1, 1), "{met:?}");
    }
}

/// A queue of these services.
fn of(rcv: Option<u8>, ntf: Option<u8>) -> QueueRec {
    QueueRec {
        rcv_service_id: rcv.map(sample::service_id),
        notifier: Some(Box::new(sample::creds(1, ntf.map(sample::service_id)))),
        ..sample::record(1)
    }
}

fn with_services(
    semantics: Semantics,
) -> (simplex_stores::testing::postgres::TestDatabase, PostgresQueues) {
    let (database, queues) = queues(semantics);
    add_service(&queues, 1, ServiceRole::Messaging);
    add_service(&queues, 2, ServiceRole::Notifier);
    (database, queues)
}

#[test]
fn race23_under_strict_services_of_new_queues_must_be_there_and_fit() {
    let (_database, queues) = with_services(Semantics::Strict);
    let id = sample::recipient(1);
    let cases = [
        (of(Some(3), None), Refusal::NoService),
        (of(None, Some(3)), Refusal::NoService),
        (of(Some(2), None), Refusal::WrongRole),
        (of(None, Some(1)), Refusal::WrongRole),
        (of(Some(1), Some(1)), Refusal::WrongRole),
    ];
    for (queue, refusal) in &cases {
        assert_eq!(queues.insert_queue(&id, queue), refused(*refusal));
    }
    assert_eq!(queues.insert_queue(&id, &of(Some(1), Some(2))), Ok(()));
    // Ids come first.
    for (queue, _) in &cases {
        assert_eq!(queues.insert_queue(&id, queue), refused(Refusal::Taken));
    }
    queues.delete_queue(&id, 0).unwrap();
    for (queue, refusal) in &cases {
        assert_eq!(queues.insert_queue(&id, queue), refused(*refusal));
    }
    assert_eq!(queues.insert_queue(&id, &of(Some(1), Some(2))), Ok(()));
}

#[test]
fn race23_under_strict_the_service_of_a_notifier_must_be_there_and_fit() {
    let (_database, queues) = with_services(Semantics::Strict);
    let id = add(&queues, 1, &sample::record(1));
    add(
        &queues,
        2,
        &QueueRec { notifier: Some(Box::new(sample::creds(2, None))), ..sample::record(2) },
    );
    let creds = |number, service| sample::creds(number, Some(sample::service_id(service)));
    // A service comes before an id that is taken.
    assert_eq!(queues.set_notifier(&id, &creds(2, 3)), refused(Refusal::NoService));
    assert_eq!(queues.set_notifier(&id, &creds(2, 1)), refused(Refusal::WrongRole));
    assert_eq!(queues.set_notifier(&id, &creds(2, 2)), refused(Refusal::Taken));
    assert_eq!(queues.set_notifier(&id, &creds(1, 2)), Ok(None));
    assert_eq!(record(&queues, &id).unwrap().notifier, Some(Box::new(creds(1, 2))));
    // The service moves with the notifier, and its hash with the id.
    add_service(&queues, 4, ServiceRole::Notifier);
    assert_eq!(queues.set_notifier(&id, &creds(5, 4)), Ok(Some(creds(1, 2))));
    let kept = |service| queues.count_hash(ServiceParty::Notifier, &sample::service_id(service));
    assert_eq!(kept(2), Ok(Some(CountHash::default())));
    let hash = IdsHash::of_id(sample::notifier(5).as_bytes());
    assert_eq!(kept(4), Ok(Some(CountHash { count: 1, hash })));
}

#[test]
fn pg27_under_reference_a_new_notifier_has_no_service_in_the_database() {
    let (_database, queues) = with_services(Semantics::Reference);
    let id = add(&queues, 1, &of(Some(1), Some(2)));
    let service = Some(sample::service_id(2));
    let replaced = queues.set_notifier(&id, &sample::creds(7, service.clone()));
    assert_eq!(replaced, Ok(Some(sample::creds(1, service))));
    assert_eq!(record(&queues, &id).unwrap().notifier, Some(Box::new(sample::creds(7, None))));
    let kept = queues.count_hash(ServiceParty::Notifier, &sample::service_id(2));
    assert_eq!(kept, Ok(Some(CountHash::default())));
}

#[test]
fn under_reference_roles_are_not_looked_at_and_a_missing_service_is_the_databases_error() {
    let (_database, queues) = with_services(Semantics::Reference);
    assert_eq!(queues.insert_queue(&sample::recipient(1), &of(Some(2), Some(1))), Ok(()));
    let missing = QueueRec { notifier: None, ..of(Some(3), None) };
    let missing = QueueRec { sender_id: sample::sender(2), ..missing };
    let failed = queues.insert_queue(&sample::recipient(2), &missing);
    let Err(StatementError::Failed(error)) = failed else { panic!("{failed:?}") };
    let constraint = error.violation().and_then(|violation| violation.constraint.as_deref());
    assert_eq!(constraint, Some("msg_queues_rcv_service_id_fkey"));
    // What doesn't fit counts in the columns, and for no service.
    let counts = queues.counts().unwrap();
    assert_eq!((counts.rcv_service_queues, counts.ntf_service_queues), (1, 1));
    for party in [ServiceParty::Receiver, ServiceParty::Notifier] {
        for service in [1, 2] {
            let kept = queues.count_hash(party, &sample::service_id(service));
            assert_eq!(kept, Ok(Some(CountHash::default())));
        }
    }
}

#[test]
fn race61_under_strict_only_queues_of_services_that_fit_are_counted() {
    let (database, queues) = with_services(Semantics::Strict);
    add(&queues, 1, &of(Some(1), Some(2)));
    let counts = queues.counts().unwrap();
    assert_eq!((counts.queues, counts.notifiers), (1, 1));
    assert_eq!((counts.rcv_services, counts.ntf_services), (1, 1));
    assert_eq!((counts.rcv_service_queues, counts.ntf_service_queues), (1, 1));
    // As the reference may leave it.
    let swapped =
        "UPDATE msg_queues SET rcv_service_id = ntf_service_id, ntf_service_id = rcv_service_id";
    fixture::client(&database).execute(swapped, &[]).unwrap();
    let counts = queues.counts().unwrap();
    assert_eq!((counts.rcv_service_queues, counts.ntf_service_queues), (0, 0));
}

#[test]
fn pg19_a_count_is_the_triggers_of_a_service_of_the_partys_role() {
    for semantics in BOTH {
        let (_database, queues) = with_services(semantics);
        let id = add(&queues, 1, &of(Some(1), Some(2)));
        let kept = |party, service| queues.count_hash(party, &sample::service_id(service));
        let one = |id: &[u8]| Ok(Some(CountHash { count: 1, hash: IdsHash::of_id(id) }));
        let zero = Ok(Some(CountHash::default()));
        assert_eq!(kept(ServiceParty::Receiver, 1), one(id.as_bytes()));
        assert_eq!(kept(ServiceParty::Notifier, 2), one(sample::notifier(1).as_bytes()));
        assert_eq!(kept(ServiceParty::Notifier, 1), zero);
        assert_eq!(kept(ServiceParty::Receiver, 2), zero);
        assert_eq!(kept(ServiceParty::Receiver, 3), Ok(None));
        queues.delete_queue(&id, 0).unwrap();
        assert_eq!(kept(ServiceParty::Receiver, 1), zero);
        assert_eq!(kept(ServiceParty::Notifier, 2), zero);
    }
}

#[test]
fn the_services_of_notifiers_and_the_queues_of_a_service() {
    let (_database, queues) = with_services(Semantics::Strict);
    add(&queues, 1, &of(Some(1), Some(2)));
    let plain = QueueRec {
        rcv_service_id: Some(sample::service_id(1)),
        notifier: Some(Box::new(sample::creds(3, None))),
        ..sample::record(3)
    };
    add(&queues, 3, &plain);
    let asked: Vec<_> = (1..=4).map(sample::notifier).collect();
    let mut found = queues.ntf_services(&asked).unwrap();
    found.notifiers.sort();
    let services: Vec<ServiceId> = vec![sample::service_id(1), sample::service_id(2)];
    let notifiers =
        vec![(sample::notifier(1), Some(sample::service_id(2))), (sample::notifier(3), None)];
    assert_eq!(found, NtfServices { services, notifiers });
    let of_service = queues.service_queues(&sample::service_id(1));
    assert_eq!(of_service, Ok(vec![sample::recipient(1), sample::recipient(3)]));
    assert_eq!(queues.service_queues(&sample::service_id(2)), Ok(vec![]));
}
