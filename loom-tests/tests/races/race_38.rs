//! RACE-38: no isolation without the cache.
//!
//! **The race.** Where all is in PostgreSQL and nothing cached, the reference's locks do nothing, and each command decides from a copy of the
//! record that it has read.
//!
//! ```text
//! A   reads: no key ........................   writes key 1: success
//! B                   reads: no key, writes key 2: success
//! ```
//!
//! **What follows.** Two senders secure a queue with different keys, both are told success, the last one wins. Of two notifiers that are
//! added at once, the first one's subscription is never ended. A notifier that a command's copy doesn't have isn't deleted, and success is
//! reported. Fixed link data are overwritten.
//!
//! **What the library does.** What a change may be made to stands in its statement's own condition, and the statement gives what it replaced
//! (`queue_store::database::queue_database`). So it holds between processes, too.

use loom_tests::database::{DbStore, database, queue, uncached};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, QueueLink, QueueRec, Semantics};
use simplex_stores::queue_store::database::QueueDatabase;
use simplex_stores::queue_store::{BasicQueue, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_two_senders_secure_one_queue() {
    must_find_steps("race_38/witness", 2, |steps| {
        let row = Arc::new(Mutex::new(None));
        let (other, log) = (row.clone(), steps.clone());
        let secure = |row: &Mutex<Option<u8>>, log: &loom_tests::Steps, name: &str, key| {
            let free = row.lock().is_none();
            if free {
                log.take(name, "reads q: it has no key");
                *row.lock() = Some(key);
                log.take(name, format!("writes key {key}, and tells its sender success"));
            }
            free
        };
        let (a, b) = two(move || secure(&other, &log, "A", 1), || secure(&row, steps, "B", 2));
        steps.take("sender", "of the first key: was told success, and can't send");
        a && b
    });
}

/// Two processes without caches, each with an object of its own for queue 1, make a change each.
fn of_two_processes<T: Send + 'static>(
    record: QueueRec,
    change: impl Fn(&DbStore, &BasicQueue, u8) -> T + Clone + Send + 'static,
) -> ([T; 2], QueueRec) {
    let db = database(Semantics::Strict, &[(1, record)]);
    let (one, other) = (uncached(&db.another_process()), uncached(&db));
    let (a, b) = (queue(&one, 1), queue(&other, 1));
    let (first, second) = (change.clone(), change);
    let (x, y) = two(move || first(&one, &a, 1), || second(&other, &b, 2));
    assert_eq!(other.locks_held(), 0);
    ([x, y], db.record(&sample::recipient(1)).unwrap())
}

#[test]
fn proof_one_of_two_senders_secures_the_queue() {
    explore("race_38/secure", 3, || {
        let secure =
            |store: &DbStore, queue: &BasicQueue, n| store.secure_queue(queue, sample::key(n));
        let (answers, record) = of_two_processes(sample::record(1), secure);
        let winner = match answers {
            [Ok(()), Err(ErrorType::Auth)] => 1,
            [Err(ErrorType::Auth), Ok(())] => 2,
            other => panic!("two senders secured one queue: {other:?}"),
        };
        assert_eq!(record.sender_key, Some(sample::key(winner)));
    });
}

#[test]
fn proof_of_two_notifiers_the_replaced_one_is_told() {
    explore("race_38/notifiers", 3, || {
        let add = |store: &DbStore, queue: &BasicQueue, n| {
            store.add_notifier(queue, sample::creds(n, None)).unwrap()
        };
        let (replaced, record) = of_two_processes(sample::record(1), add);
        let stays = record.notifier.unwrap().notifier_id;
        let told: Vec<_> = replaced.into_iter().flatten().map(|creds| creds.notifier_id).collect();
        let other = if stays == sample::notifier(1) { 2 } else { 1 };
        assert_eq!(told, [sample::notifier(other)], "a subscription is never ended");
    });
}

/// One process adds a notifier, the other deletes what there is: what it deletes it tells of.
#[test]
fn proof_a_deletion_tells_of_the_notifier_that_was_there() {
    explore("race_38/notifier_deleted", 3, || {
        let change = |store: &DbStore, queue: &BasicQueue, n| match n {
            1 => store.add_notifier(queue, sample::creds(1, None)).unwrap(),
            _ => store.delete_notifier(queue).unwrap(),
        };
        let ([added, deleted], record) = of_two_processes(sample::record(1), change);
        assert_eq!(added, None);
        assert_ne!(deleted.is_some(), record.notifier.is_some(), "deleted, and still there");
    });
}

type SetLink = fn(&DbStore, &BasicQueue, u8) -> Result<(), ErrorType>;

fn fixed_data_are_set_once(set: SetLink) {
    let ([a, b], record) = of_two_processes(sample::record(1), set);
    assert!(a.is_ok() != b.is_ok(), "fixed link data are overwritten");
    let winner = if a.is_ok() { 1 } else { 2 };
    assert!(record.link.unwrap().data == sample::link_data(winner, 1));
}

#[test]
fn proof_fixed_link_data_are_set_once() {
    explore("race_38/links", 3, || {
        fixed_data_are_set_once(|store, queue, n| {
            store.add_link_data(queue, sample::link(1), sample::link_data(n, 1))
        });
    });
}

#[test]
fn twin_what_is_decided_from_a_copy_is_overwritten() {
    must_fail("race_38/copy", 2, "fixed link data are overwritten", || {
        fixed_data_are_set_once(|store, _, n| {
            let (db, id) = (store.database(), sample::recipient(1));
            let copy = db.record(&id).ok_or(ErrorType::Auth)?;
            if copy.link.is_some() {
                return Err(ErrorType::Auth);
            }
            db.delete_link(&id).unwrap();
            let link = QueueLink { id: sample::link(1), data: sample::link_data(n, 1) };
            db.set_link(&id, &link).map_err(|_| ErrorType::Auth)
        });
    });
}
