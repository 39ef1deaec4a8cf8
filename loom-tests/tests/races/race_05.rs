//! RACE-5: a service that is never recorded.
//!
//! **The race.** The first connection with a certificate makes its service, and its record can't be written. The
//! service is in memory all the same: later connections find it and have nothing to record, and their associations
//! are written. After a restart all of these refer to a service that never was, and the certificate gets another id.
//!
//! ```text
//! A   commit the service   write fails
//! B                                      find the service   commit the association   write it
//! ```
//!
//! **What the library does.** A journal that failed once accepts nothing more, and no change is begun upon it; what
//! was on its way when it failed has a greater number than the record that could not be written, and fails with it.
//!
//! The twin is a journal that forgets its failure.

use loom_tests::scenario::{Disk, FullOnce, Store, created, queue, rcv_service, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, ServiceParty, ServiceRole};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::store_log::{Durability, LogRecord};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use simplex_stores::testing::{Fault, Operation, Plan};
use std::io::ErrorKind;
use std::sync::Arc;

#[test]
fn witness_associations_with_a_service_that_was_never_written() {
    must_find_steps("race_05/witness", 2, |steps| {
        let service = Arc::new(Mutex::new(false));
        let journal = Arc::new(FullOnce::new(false));
        let a = {
            let (service, journal, steps) = (service.clone(), journal.clone(), steps.clone());
            move || {
                {
                    let mut service = service.lock();
                    *service = true;
                    steps.take("A", "commits the service");
                }
                match journal.append("NEW_SERVICE") {
                    Ok(()) => steps.take("A", "writes the service's record"),
                    Err(_) => steps.take("A", "can't write the service's record: the disk is full"),
                }
            }
        };
        two(a, || {
            {
                let service = service.lock();
                if !*service {
                    return;
                }
                steps.take("B", "finds the service: there is nothing to record");
            }
            steps.take("B", "commits a queue's association with it");
            match journal.append("QUEUE_SERVICE") {
                Ok(()) => steps.take("B", "writes the association's record"),
                Err(_) => steps.take("B", "can't write the association's record"),
            }
        });
        steps.take("restart", "reads an association with a service that never was");
        journal.records() == ["QUEUE_SERVICE"]
    });
}

/// A replica of the above, with a journal that remembers its failure or doesn't.
fn no_association_without_its_service(remembers: bool) {
    let service = Arc::new(Mutex::new(false));
    let journal = Arc::new(FullOnce::new(remembers));
    let (made, log) = (service.clone(), journal.clone());
    let a = move || {
        *made.lock() = true;
        log.append("NEW_SERVICE").is_ok()
    };
    two(a, || {
        let found = *service.lock();
        found && journal.append("QUEUE_SERVICE").is_ok()
    });
    let written = journal.records();
    assert!(
        !written.contains(&"QUEUE_SERVICE") || written.contains(&"NEW_SERVICE"),
        "an association refers to a service that is not in the journal"
    );
}

#[test]
fn proof_a_journal_that_remembers_its_failure_has_no_such_association() {
    explore("race_05/remembers", 3, || no_association_without_its_service(true));
}

#[test]
fn twin_a_journal_that_forgets_its_failure_has() {
    must_fail("race_05/forgets", 3, "is not in the journal", || {
        no_association_without_its_service(false);
    });
}

/// Thread A makes the service, thread B finds or makes it and associates a queue; a write fails.
fn nothing_refers_to_an_unrecorded_service(durability: Durability) {
    let (disk, storage) = Disk::new(durability, &[created(0)]).failing();
    let store = disk.open();
    storage.plan(Plan::NthOf(Operation::Write, 1, Fault::Error(ErrorKind::StorageFull)));
    let make =
        |store: &Store| store.get_or_create_service(sample::service(1, 1, ServiceRole::Messaging));
    let shared = store.clone();
    let (_, associated) = two(
        move || make(&shared),
        || {
            let id = match make(&store) {
                Ok(id) => id,
                // A client that asks again, with an id that it was given before.
                Err(_) => sample::service_id(1),
            };
            store.set_queue_service(&queue(&store, 0), ServiceParty::Receiver, Some(id))
        },
    );
    assert!(
        durability == Durability::Memory || matches!(associated, Err(ErrorType::Store(_))),
        "accepted after a failure"
    );
    assert!(store.close().is_err(), "the failure is not told of");
    let record = LogRecord::QueueService(
        sample::recipient(0),
        ServiceParty::Receiver,
        Some(sample::service_id(1)),
    );
    assert_eq!(disk.holds(&record), 0, "an association refers to a service that is not there");
    assert_eq!(rcv_service(&disk.replayed(), 0), None);
}

#[test]
fn proof_nothing_refers_to_a_service_whose_record_failed() {
    explore("race_05/flush", 3, || nothing_refers_to_an_unrecorded_service(Durability::Flush));
}

/// Here A and B are answered before anything is written.
#[test]
fn proof_nor_when_nobody_waits_for_the_records() {
    explore("race_05/memory", 3, || nothing_refers_to_an_unrecorded_service(Durability::Memory));
}
