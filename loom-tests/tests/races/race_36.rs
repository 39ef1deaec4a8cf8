//! RACE-36: batch association without locks.
//!
//! **The race.** The reference's batch reads each queue's record, updates the database, and writes the record that it read, with the service in it.
//! It takes no lock of a queue.
//!
//! ```text
//! A   reads q's record ......................   writes it with the service
//! B                      secures q
//! ```
//!
//! **What follows.** The cached record is unsecured again: unsigned sends pass, and another key is accepted and overwrites the
//! database's. Or a deleted queue lives again in the cache.
//!
//! **What the library does.** A batch holds the locks of all its queues, taken in one step, and changes one field of what the cache then
//! has (`queue_store::database::services`).

use loom_tests::database::{DbStore, assert_coherent, database, found, warm};
use loom_tests::scenario::{both, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{QueueRec, Semantics, ServiceParty, ServiceRole};
use simplex_stores::queue_store::database::{QueueDatabase, StoreFault, without};
use simplex_stores::queue_store::{BasicQueue, QueueStore, StoreQueue};
use simplex_stores::stm::atomically;
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::{ModelDatabase, sample};
use std::sync::Arc;

#[test]
fn witness_a_secured_queue_is_open_again() {
    must_find_steps("race_36/witness", 2, |steps| {
        // Whether the cached record has a sender's key and a service.
        let record = Arc::new(Mutex::new((false, false)));
        let (other, log) = (record.clone(), steps.clone());
        two(
            move || {
                let mut read = *other.lock();
                log.take("A", format!("batch: reads q's record, {}", secured(read.0)));
                read.1 = true;
                *other.lock() = read;
                log.take("A", format!("writes it with the service, {}", secured(read.0)));
            },
            || {
                record.lock().0 = true;
                steps.take("B", "secures q under its lock, in the database and in the cache");
            },
        );
        let open = !record.lock().0;
        steps.take("sender", "sends without a signature: the record asks for none");
        open
    });
}

fn secured(is: bool) -> &'static str {
    if is { "secured" } else { "not secured" }
}

fn with_services() -> ModelDatabase {
    let db = database(Semantics::Strict, &[(1, sample::record(1)), (2, sample::record(2))]);
    for number in 1..=2 {
        let service = sample::service(number, number, ServiceRole::Messaging);
        db.find_or_insert_service(&service).unwrap();
    }
    db
}

fn associate(store: &DbStore, queues: &[Arc<BasicQueue>], service: u8) {
    let service = Some(sample::service_id(service));
    let results = store.set_queue_services(ServiceParty::Receiver, service, queues).unwrap();
    assert_eq!(results.len(), queues.len());
}

/// As the reference's batch does, over the same database.
fn from_an_earlier_read(store: &DbStore, queues: &[Arc<BasicQueue>], service: u8) {
    let service = Some(sample::service_id(service));
    for queue in queues {
        let Some(read) = queue.record().read_atomic() else { continue };
        let ids = [queue.recipient_id().clone()];
        store.database().set_services(ServiceParty::Receiver, service.as_ref(), &ids).unwrap();
        let written = QueueRec { rcv_service_id: service.clone(), ..(*read).clone() };
        atomically(|tx| queue.record().write(tx, Some(Arc::new(written.clone()))));
    }
}

type Associate = fn(&DbStore, &[Arc<BasicQueue>], u8);

fn beside_securing(associate: Associate) {
    let (store, queues) = warm(&with_services(), &[1]);
    let (other, batch) = (store.clone(), queues.clone());
    two(
        move || associate(&other, &batch, 1),
        || store.secure_queue(&queues[0], sample::key(1)).unwrap(),
    );
    let record = found(&store, sample::recipient(1)).unwrap();
    assert!(record.sender_key.is_some(), "a secured queue is open again");
    assert_eq!(record.rcv_service_id, Some(sample::service_id(1)));
    assert_coherent(&store, &[1]);
}

fn beside_deleting(associate: Associate) {
    let (store, queues) = warm(&with_services(), &[1]);
    let (other, batch) = (store.clone(), queues.clone());
    two(move || associate(&other, &batch, 1), || store.delete_queue(&queues[0]).unwrap());
    assert!(queues[0].record().read_atomic().is_none(), "a deleted queue lives again");
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_what_was_secured_meanwhile_stays_secured() {
    explore("race_36/secure", 2, || beside_securing(associate));
}

#[test]
fn proof_what_was_deleted_meanwhile_stays_deleted() {
    explore("race_36/delete", 2, || beside_deleting(associate));
}

/// Two batches with the same queues in either order: the database and the cache agree on the service, queue by queue.
fn two_batches() {
    let (store, queues) = warm(&with_services(), &[1, 2]);
    let shared = store.clone();
    both(move |number| {
        let mut batch = queues.clone();
        if number == 2 {
            batch.reverse();
        }
        associate(&shared, &batch, number);
    });
    let services =
        [1, 2].map(|n| found(&store, sample::recipient(n)).unwrap().rcv_service_id.clone());
    assert_eq!(services[0], services[1], "two batches are mixed");
    assert_coherent(&store, &[1, 2]);
}

#[test]
fn proof_two_batches_come_one_after_the_other() {
    explore("race_36/batches", 2, two_batches);
}

#[test]
fn twin_a_record_written_from_an_earlier_read_is_open_again() {
    must_fail("race_36/rewritten", 2, "a secured queue is open again", || {
        beside_securing(from_an_earlier_read);
    });
    must_fail("race_36/revived", 2, "a deleted queue lives again", || {
        beside_deleting(from_an_earlier_read);
    });
}

#[test]
fn twin_without_locks_the_cache_has_one_service_and_the_database_another() {
    must_fail("race_36/no_locks", 2, "the cache and the database differ", || {
        without(StoreFault::NoLocks, two_batches);
    });
}
