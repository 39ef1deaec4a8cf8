//! RACE-39: link data read by link id.
//!
//! **The race.** The reference loads a queue by link L, and then reads the data of L. In between L moves to another queue.
//!
//! ```text
//! A   loads queue a by L .................   reads the data of L: b's
//! B                        moves L to b
//! ```
//!
//! **What follows.** A client gets the sender's id of one queue with the data of another.
//!
//! **What the library does.** The data are read by the queue's own id, and whether the link is this one is asked in the same statement
//! (`queue_store::database::operations`); with a cache they come with the record.

use loom_tests::database::{DbStore, cached, database, queue, uncached, with_link};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, LinkData, Semantics};
use simplex_stores::queue_store::database::QueueDatabase;
use simplex_stores::queue_store::{BasicQueue, QueueStore, StoreQueue};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::{ModelDatabase, sample};
use std::sync::Arc;

#[test]
fn witness_the_data_are_another_queues() {
    must_find_steps("race_39/witness", 2, |steps| {
        let owner = Arc::new(Mutex::new('a'));
        let (other, log) = (owner.clone(), steps.clone());
        let (read, ()) = two(
            move || {
                let loaded = *other.lock();
                log.take("A", format!("loads the queue of link L: {loaded}"));
                let data = *other.lock();
                log.take("A", format!("reads the data of L: {data}'s"));
                (loaded, data)
            },
            || {
                *owner.lock() = 'b';
                steps.take("B", "moves L from a to b");
            },
        );
        steps.take("client", "gets a's sender id with b's data");
        read == ('a', 'b')
    });
}

type Read = fn(&DbStore, &BasicQueue) -> Result<LinkData, ErrorType>;

const REAL: Read = |store, queue| store.get_link_data(queue, &sample::link(1));

/// Queue 1 has the link. One thread reads the link's data; the other moves it to queue 2.
fn read_while_moved(open: fn(&ModelDatabase) -> Arc<DbStore>, read: Read) {
    let db = database(Semantics::Strict, &[(1, with_link(1)), (2, sample::record(2))]);
    let (store, mover) = (open(&db.another_process()), open(&db));
    let (first, second) = (queue(&mover, 1), queue(&mover, 2));
    let reads = move || {
        let Ok(queue) = store.get_queue(&sample::link(1).into()) else { return };
        let number = if *queue.recipient_id() == sample::recipient(1) { 1 } else { 2 };
        match read(&store, &queue) {
            Ok(data) => {
                assert!(data == sample::link_data(number, 1), "the data are another queue's")
            }
            Err(error) => assert_eq!(error, ErrorType::Auth),
        }
    };
    two(reads, || {
        mover.delete_link_data(&first).unwrap();
        mover.add_link_data(&second, sample::link(1), sample::link_data(2, 1)).unwrap();
    });
}

#[test]
fn proof_the_data_are_those_of_the_queue() {
    explore("race_39/uncached", 2, || read_while_moved(uncached, REAL));
}

#[test]
fn proof_so_they_are_with_a_cache() {
    explore("race_39/cached", 2, || {
        let db = database(Semantics::Strict, &[(1, with_link(1)), (2, sample::record(2))]);
        let store = cached(&db, Semantics::Strict);
        let (first, second) = (queue(&store, 1), queue(&store, 2));
        let (reader, read) = (store.clone(), first.clone());
        let reads = move || match reader.get_link_data(&read, &sample::link(1)) {
            Ok(data) => assert!(data == sample::link_data(1, 1), "the data are another queue's"),
            Err(error) => assert_eq!(error, ErrorType::Auth),
        };
        two(reads, || {
            store.delete_link_data(&first).unwrap();
            store.add_link_data(&second, sample::link(1), sample::link_data(2, 1)).unwrap();
        });
        assert_eq!(REAL(&store, &first).err(), Some(ErrorType::Auth));
        assert!(REAL(&store, &second).unwrap() == sample::link_data(2, 1));
    });
}

#[test]
fn twin_read_by_the_link_they_are_anothers() {
    must_fail("race_39/by_link", 2, "the data are another queue's", || {
        read_while_moved(uncached, |store, _| {
            let row = store.database().find_queue(&sample::link(1).into()).unwrap();
            let link = row.and_then(|(_, record)| record.link).ok_or(ErrorType::Auth)?;
            Ok(link.data)
        });
    });
}
