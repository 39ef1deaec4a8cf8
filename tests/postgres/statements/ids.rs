//! Ids of queues that are there, and of rows that are deleted softly.

use simplex_stores::protocol::{QueueLink, QueueRec, Semantics};
use simplex_stores::queue_store::QueueKey;
use simplex_stores::queue_store::database::{QueueDatabase, Refusal, StatementError};
use simplex_stores::queue_store::postgres::PostgresQueues;
use simplex_stores::sync::thread;
use simplex_stores::testing::postgres::TestDatabase;
use simplex_stores::testing::queue_store::sample;

use super::{BOTH, add, full, process, queues, record};
use crate::fixture;

fn taken() -> Result<(), StatementError> {
    Err(StatementError::Refused(Refusal::Taken))
}

/// Queue 2, with one id of queue 1's.
fn sharing_one_id() -> [(&'static str, u8, QueueRec); 4] {
    let (one, two) = (full(1), full(2));
    [
        ("recipient", 1, two.clone()),
        ("sender", 2, QueueRec { sender_id: one.sender_id, ..two.clone() }),
        ("notifier", 2, QueueRec { notifier: one.notifier, ..two.clone() }),
        ("link", 2, QueueRec { link: one.link, ..two }),
    ]
}

/// The rows, with what is left of the ids in each.
fn rows(database: &TestDatabase) -> Vec<(Vec<u8>, bool, bool, bool)> {
    let all = "SELECT recipient_id, deleted_at IS NOT NULL, notifier_id IS NOT NULL,
                      link_id IS NOT NULL FROM msg_queues ORDER BY recipient_id";
    let rows = fixture::client(database).query(all, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

#[test]
fn an_id_of_a_live_queue_is_taken() {
    for semantics in BOTH {
        let (database, queues) = queues(semantics);
        add(&queues, 1, &full(1));
        for (what, number, record) in sharing_one_id() {
            let added = queues.insert_queue(&sample::recipient(number), &record);
            assert_eq!(added, taken(), "{semantics:?} {what}");
        }
        assert_eq!(rows(&database).len(), 1);
    }
}

#[test]
fn race44_under_strict_the_ids_of_a_deleted_queue_are_free() {
    for (what, number, new) in sharing_one_id() {
        let (database, queues) = queues(Semantics::Strict);
        let old = add(&queues, 1, &full(1));
        queues.delete_queue(&old, 0).unwrap();
        let id = add(&queues, number, &new);
        assert_eq!(record(&queues, &id), Some(new), "{what}");
        // A row can't be without the first two: it goes. The others are removed from it.
        let left: Vec<_> = rows(&database).into_iter().filter(|row| row.1).collect();
        let expected = match what {
            "recipient" | "sender" => vec![],
            "notifier" => vec![(old.as_bytes().to_vec(), true, false, true)],
            _ => vec![(old.as_bytes().to_vec(), true, true, false)],
        };
        assert_eq!(left, expected, "{what}");
    }
}

#[test]
fn pg23_under_reference_the_ids_of_a_deleted_queue_are_taken_until_the_purge() {
    let (_database, queues) = queues(Semantics::Reference);
    let old = add(&queues, 1, &full(1));
    let other = add(&queues, 3, &sample::record(3));
    queues.delete_queue(&old, 0).unwrap();
    for (what, number, record) in sharing_one_id() {
        assert_eq!(queues.insert_queue(&sample::recipient(number), &record), taken(), "{what}");
    }
    let (link, creds) = (full(1).link.unwrap(), sample::creds(1, None));
    assert_eq!(queues.set_link(&other, &link), taken());
    assert_eq!(queues.set_notifier(&other, &creds).map(drop), taken());
    assert_eq!(queues.purge(1), Ok(1));
    assert_eq!(queues.set_link(&other, &link), Ok(()));
    assert_eq!(queues.set_notifier(&other, &creds), Ok(None));
    add(&queues, 1, &QueueRec { link: None, notifier: None, ..full(1) });
}

#[test]
fn race44_a_link_and_a_notifier_of_a_deleted_queue_are_set_on_another() {
    let (database, queues) = queues(Semantics::Strict);
    let old = add(&queues, 1, &full(1));
    let other = add(&queues, 3, &full(3));
    queues.delete_queue(&old, 0).unwrap();
    queues.delete_link(&other).unwrap();
    let (link, creds) = (full(1).link.unwrap(), sample::creds(1, None));
    assert_eq!(queues.set_link(&other, &link), Ok(()));
    assert_eq!(queues.set_notifier(&other, &creds), Ok(Some(sample::creds(3, None))));
    let found = record(&queues, &other).unwrap();
    assert_eq!((found.link, found.notifier), (Some(link), Some(Box::new(creds))));
    assert_eq!(rows(&database)[0], (old.as_bytes().to_vec(), true, false, false));
}

#[test]
fn what_is_refused_for_a_live_queue_frees_nothing_of_a_deleted_one() {
    let (database, queues) = queues(Semantics::Strict);
    let old = add(&queues, 1, &full(1));
    queues.delete_queue(&old, 0).unwrap();
    add(&queues, 2, &full(2));
    let before = rows(&database);
    // The sender's id is a deleted queue's, the link a live one's.
    let mixed = QueueRec { sender_id: sample::sender(1), link: full(2).link, ..full(3) };
    assert_eq!(queues.insert_queue(&sample::recipient(3), &mixed), taken());
    assert_eq!(rows(&database), before);
}

#[test]
fn a_link_of_a_live_queue_is_taken_and_the_own_one_is_not() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        let one = add(&queues, 1, &full(1));
        let two = add(&queues, 2, &sample::record(2));
        let link = full(1).link.unwrap();
        assert_eq!(queues.set_link(&two, &link), taken());
        assert_eq!(queues.set_link(&one, &link), Ok(()));
        let creds = sample::creds(1, None);
        assert_eq!(queues.set_notifier(&two, &creds).map(drop), taken());
        // Under Strict also for the queue that has it.
        let own = queues.set_notifier(&one, &creds);
        match semantics {
            Semantics::Strict => assert_eq!(own.map(drop), taken()),
            Semantics::Reference => assert_eq!(own, Ok(Some(creds))),
        }
    }
}

#[test]
fn an_id_without_the_rest_of_a_notifier_is_no_notifier_of_the_queue() {
    let (database, queues) = queues(Semantics::Strict);
    let id = add(&queues, 1, &full(1));
    let half = "UPDATE msg_queues SET notifier_key = NULL";
    fixture::client(&database).execute(half, &[]).unwrap();
    let creds = sample::creds(1, None);
    assert_eq!(queues.set_notifier(&id, &creds), Ok(None));
    assert_eq!(record(&queues, &id).unwrap().notifier, Some(Box::new(creds)));
}

/// Takes the ids of queue 1 and gives them back, over and over.
fn take_and_delete(queues: &PostgresQueues, number: u8, rounds: usize) -> usize {
    let record = QueueRec { sender_id: sample::sender(number), ..full(1) };
    let id = sample::recipient(number);
    let mut added = 0;
    for _ in 0..rounds {
        match queues.insert_queue(&id, &record) {
            Ok(()) => {
                queues.delete_queue(&id, 0).unwrap();
                added += 1;
            }
            refused => assert_eq!(refused, taken()),
        }
    }
    added
}

#[test]
fn the_same_ids_taken_and_deleted_by_several_processes_are_had_by_one_at_a_time() {
    let database = fixture::with_schema();
    let first = process(&database, Semantics::Strict);
    let threads: Vec<_> = (1..=3)
        .map(|number| {
            let queues = process(&database, Semantics::Strict);
            thread::spawn(move || take_and_delete(&queues, number, 60))
        })
        .collect();
    let added: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert!(added >= 60, "{added}");
    assert_eq!(first.counts().unwrap().queues, 0);
    let link: QueueKey = sample::link(1).into();
    assert_eq!(first.find_queue(&link).unwrap(), None);
    let link = QueueLink { id: sample::link(1), data: sample::link_data(1, 1) };
    let id = add(&first, 9, &sample::record(9));
    assert_eq!(first.set_link(&id, &link), Ok(()));
}
