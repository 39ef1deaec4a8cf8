//! RACE-70: an unclear commit.
//!
//! **The race.** The connection breaks after the commit was sent and before it is confirmed. The reference reports `STORE`, and
//! its record stays as it was.
//!
//! ```text
//! A   secures q: commit sent, connection breaks: STORE
//! B                                                      looks up q: not secured
//! ```
//!
//! **What follows.** A queue that is secured in the database is open in the cache; a deleted one lives on for readers, while each update is `AUTH`.
//!
//! **What the library does.** An error that leaves open what the database has makes the cached queue doubtful in the transaction that gives its lock
//! back: the next lookup reads it again, into the same object (`queue_store::database::change`).

use loom_tests::database::{DbStore, assert_coherent, database, found, warm};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::database::{StoreFault, without};
use simplex_stores::queue_store::{BasicQueue, QueueStore, StoreQueue};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::{Outcome, sample};
use std::sync::Arc;

#[test]
fn witness_a_queue_that_is_secured_is_served_as_open() {
    must_find_steps("race_70/witness", 2, |steps| {
        // Whether the queue is secured: in the database, and in the cache.
        let shared = Arc::new(Mutex::new((false, false)));
        let (other, log) = (shared.clone(), steps.clone());
        let ((), open) = two(
            move || {
                other.lock().0 = true;
                log.take("A", "secures q: the commit is sent, the connection breaks");
                let _record_stays = other.lock();
                log.take("A", "reports STORE, and leaves the record as it was");
            },
            || {
                let (database, cache) = *shared.lock();
                let open = database && !cache;
                if open {
                    steps.take("B", "looks up q: the cached record is not secured");
                }
                open
            },
        );
        steps.take("sender", "sends without a signature: the record asks for none");
        open
    });
}

type Change = fn(&DbStore, &BasicQueue) -> Result<(), ErrorType>;

const SECURE: Change = |store, queue| store.secure_queue(queue, sample::key(1));
const DELETE: Change = |store, queue| store.delete_queue(queue).map(drop);

/// A change whose outcome is unclear, beside lookups: whoever was served the new state isn't served the old one again.
fn looked_up_beside(change: Change, outcome: Outcome) {
    let db = database(Semantics::Strict, &[(1, sample::record(1))]);
    let (store, queues) = warm(&db, &[1]);
    db.fail_next(outcome);
    let (other, queue) = (store.clone(), queues[0].clone());
    let changes = move || {
        let answer = change(&other, &queue);
        assert!(matches!(answer, Err(ErrorType::Store(_))), "answered {answer:?}");
    };
    let reads = || {
        let served = found(&store, sample::sender(1));
        let in_database = store.database().record(&sample::recipient(1));
        let unchanged = |record: Option<&_>| record == Some(&sample::record(1));
        assert!(
            unchanged(served.as_deref()) || !unchanged(in_database.as_ref()),
            "the cache is ahead of the database"
        );
    };
    two(changes, reads);
    let in_database = db.record(&sample::recipient(1));
    let served = store.get_queue_rec(&sample::sender(1).into()).ok();
    let record = served.as_ref().map(|(_, record)| &**record);
    assert!(record == in_database.as_ref(), "the cache has not what the database has");
    if let Some((queue, _)) = &served {
        assert!(Arc::ptr_eq(queue, &queues[0]), "one queue has two objects");
    }
    assert_eq!(queues[0].record().read_atomic().as_deref(), in_database.as_ref());
    assert_coherent(&store, &[1]);
}

#[test]
fn proof_the_next_lookup_shows_what_the_database_has() {
    explore("race_70/secured", 3, || looked_up_beside(SECURE, Outcome::UnclearDone));
    explore("race_70/not_secured", 3, || looked_up_beside(SECURE, Outcome::UnclearUndone));
    explore("race_70/lost", 3, || looked_up_beside(SECURE, Outcome::Lost));
    explore("race_70/deleted", 3, || looked_up_beside(DELETE, Outcome::UnclearDone));
    explore("race_70/not_deleted", 3, || looked_up_beside(DELETE, Outcome::UnclearUndone));
}

#[test]
fn twin_without_a_doubt_the_old_record_is_served() {
    for (name, change) in [("secure", SECURE), ("delete", DELETE)] {
        must_fail(
            &format!("race_70/no_doubt/{name}"),
            2,
            "has not what the database has",
            move || {
                without(StoreFault::ForgottenDoubt, || {
                    looked_up_beside(change, Outcome::UnclearDone)
                });
            },
        );
    }
}
