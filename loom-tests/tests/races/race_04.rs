//! RACE-4: an association recorded before its service.
//!
//! **The race.** The first connection with a certificate makes its service and is held up before its record. A second
//! connection with that certificate finds the service, associates a queue with it and writes that record; then the first one
//! writes its own. A restart reads an association with a service that it has not met yet: the queue points to the
//! service and is not in its set, so the service's subscription misses it for ever.
//!
//! ```text
//! A   commit the service .................................... write it
//! B                        commit the association   write it
//! ```
//!
//! **What the library does.** The number of a record is taken in the transaction. B's transaction can read the service
//! only after A's has committed, so B's number is the greater one, and the journal's thread writes by number. Besides, a
//! replay under the strict semantics resolves associations at its end.
//!
//! The twin takes the number after the transaction.

use loom_tests::scenario::{Disk, Numbered, Taken, created, queue, rcv_service, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{Semantics, ServiceParty, ServiceRec, ServiceRole};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::stm::TVar;
use simplex_stores::store_log::{Durability, LogRecord};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_the_association_is_written_before_its_service() {
    must_find_steps("race_04/witness", 2, |steps| {
        let service = Arc::new(Mutex::new(false));
        let journal = Arc::new(Mutex::new(Vec::new()));
        let a = {
            let (service, journal, steps) = (service.clone(), journal.clone(), steps.clone());
            move || {
                {
                    let mut service = service.lock();
                    *service = true;
                    steps.take("A", "commits the service");
                }
                let mut journal = journal.lock();
                journal.push("NEW_SERVICE");
                steps.take("A", "writes the service's record");
            }
        };
        two(a, || {
            {
                let service = service.lock();
                if !*service {
                    return;
                }
                steps.take("B", "finds the service and commits a queue's association with it");
            }
            let mut journal = journal.lock();
            journal.push("QUEUE_SERVICE");
            steps.take("B", "writes the association's record");
        });
        steps.take("restart", "reads an association with a service that it doesn't know yet");
        *journal.lock() == ["QUEUE_SERVICE", "NEW_SERVICE"]
    });
}

fn service(number: u8) -> ServiceRec {
    sample::service(number, 1, ServiceRole::Messaging)
}

/// Two connections with one certificate, the second of which associates a queue.
fn the_service_comes_first(semantics: Semantics) {
    let disk = Disk::new(Durability::Memory, &[created(0)]).with(semantics);
    let store = disk.open();
    let shared = store.clone();
    let b = move || {
        let id = shared.get_or_create_service(service(2)).unwrap();
        let queue = queue(&shared, 0);
        shared.set_queue_service(&queue, ServiceParty::Receiver, Some(id.clone())).unwrap();
        id
    };
    let (second, first) = two(b, || store.get_or_create_service(service(1)).unwrap());
    assert_eq!(first, second, "one certificate has two services");
    store.close().unwrap();
    let party = Some(first.clone());
    let associated =
        LogRecord::QueueService(sample::recipient(0), ServiceParty::Receiver, party.clone());
    let made = [1, 2].map(|number| LogRecord::NewService(Box::new(service(number))));
    let made: Vec<usize> = made.iter().filter_map(|record| disk.place(record)).collect();
    assert_eq!(made.len(), 1, "one certificate has two services in the journal");
    assert!(Some(made[0]) < disk.place(&associated), "an association stands before its service");
    let replayed = disk.replayed();
    assert_eq!(rcv_service(&replayed, 0), party);
    let counted = replayed.service_count_hash(ServiceParty::Receiver, &first).unwrap();
    assert_eq!(counted.count, 1, "the queue is not in its service's set");
}

#[test]
fn proof_the_service_comes_before_its_association() {
    explore("race_04/strict", 3, || the_service_comes_first(Semantics::Strict));
}

/// Here a replay resolves nothing at its end.
#[test]
fn proof_so_it_does_under_the_reference_semantics() {
    explore("race_04/reference", 2, || the_service_comes_first(Semantics::Reference));
}

#[test]
fn twin_with_numbers_taken_after_the_transaction_it_comes_later() {
    must_fail("race_04/number_after_it", 2, "stands before its service", || {
        let disk = Disk::new(Durability::Memory, &[]);
        let shared = Arc::new((Numbered::start(&disk, Taken::After), TVar::new(false)));
        let made = LogRecord::NewService(Box::new(service(1)));
        let id = Some(sample::service_id(1));
        let associated = LogRecord::QueueService(sample::recipient(0), ServiceParty::Receiver, id);
        let (other, record) = (shared.clone(), made.clone());
        let a = move || {
            let (store, there) = &*other;
            store.transact(|tx| Ok((there.write(tx, true)?, record.clone())));
        };
        two(a, || {
            let (store, there) = &*shared;
            if there.read_atomic() {
                store.transact(|_| Ok(((), associated.clone())));
            }
        });
        shared.0.close().unwrap();
        let wrong = disk.place(&associated) == Some(0);
        assert!(!wrong, "an association stands before its service");
    });
}
