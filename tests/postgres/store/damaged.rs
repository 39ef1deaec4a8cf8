//! Calls on tables that are damaged or away.

use simplex_stores::protocol::{ErrorType, QueueRec, Semantics, ServiceRole};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::testing::queue_store::sample::{recipient, record, service, service_id};

use super::support::{Databases, open};
use crate::fixture::client;

#[test]
fn op5_a_purge_that_fails_is_store() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        let databases = Databases::new();
        let store = open(&databases.config().semantics(semantics));
        let mut client = client(databases.database());
        client.batch_execute("ALTER TABLE msg_queues RENAME TO away").unwrap();
        assert!(matches!(store.purge_deleted(), Err(ErrorType::Store(_))));
        client.batch_execute("ALTER TABLE away RENAME TO msg_queues").unwrap();
        assert_eq!(store.purge_deleted(), Ok(0));
    }
}

#[test]
fn op26_race16_a_fold_passes_over_a_damaged_row_and_under_reference_fails() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        let databases = Databases::new();
        let store = open(&databases.config().semantics(semantics));
        store.get_or_create_service(service(1, 1, ServiceRole::Messaging)).unwrap();
        for number in [1, 2, 3] {
            let of_service = QueueRec { rcv_service_id: Some(service_id(1)), ..record(number) };
            store.add_queue(recipient(number), of_service).unwrap();
        }
        let damage = "UPDATE msg_queues SET status = 'nonsense' WHERE recipient_id = $1";
        client(databases.database()).execute(damage, &[&recipient(2).as_bytes()]).unwrap();
        let folded = store.fold_service_queues(&service_id(1), Vec::new(), |mut ids, id, _| {
            ids.push(id.clone());
            ids
        });
        match semantics {
            Semantics::Strict => assert_eq!(folded, Ok(vec![recipient(1), recipient(3)])),
            Semantics::Reference => assert!(matches!(folded, Err(ErrorType::Store(_)))),
        }
    }
}
