//! RACE-42: the notifier's entry goes with its lookup.
//!
//! **The race.** The reference's cache of notifiers serves each entry once: the lookup takes it out. Whether a notifier id is in use
//! is asked of this cache first, and then of the database, with another answer.
//!
//! ```text
//! A                       looks up n: takes it out of the cache
//! B   adds n: DUPLICATE_                                          adds n: AUTH
//! ```
//!
//! **What follows.** Which error a duplicate gets depends on who looked before; a client that is to try again with another id at
//! `DUPLICATE_` doesn't.
//!
//! **What the library does.** Duplicates are decided by the database alone, and a lookup takes nothing out
//! (`queue_store::database::operations`).
//!
//! The twin is the store under `Reference` (PG-3, PG-13).

use loom_tests::database::{assert_coherent, cached, database, queue, with_notifier};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_duplicate_is_auth_after_a_lookup() {
    must_find_steps("race_42/witness", 2, |steps| {
        let cache = Arc::new(Mutex::new(vec!["n"]));
        let (other, log) = (cache.clone(), steps.clone());
        let (answer, ()) = two(
            move || {
                let known = other.lock().contains(&"n");
                let answer = if known { "DUPLICATE_" } else { "AUTH" };
                let by = if known { "the cache" } else { "the database's index" };
                log.take("B", format!("adds notifier n: {answer}, says {by}"));
                answer
            },
            || {
                cache.lock().clear();
                steps.take("A", "looks up notifier n: takes it out of the cache");
            },
        );
        steps.take("client", "does not try again with another id");
        answer == "AUTH"
    });
}

/// Queue 1 has the notifier. One thread looks it up, the other wants it for queue 2.
fn a_duplicate_beside_a_lookup(semantics: Semantics) {
    let db = database(semantics, &[(2, sample::record(2))]);
    let store = cached(&db, semantics);
    let first = store.add_queue(sample::recipient(1), with_notifier(1)).unwrap();
    let second = queue(&store, 2);
    let other = store.clone();
    let look = move || other.get_queue(&sample::notifier(1).into());
    let (found, added) = two(look, || store.add_notifier(&second, sample::creds(1, None)));
    assert!(Arc::ptr_eq(&found.unwrap(), &first));
    assert_eq!(added, Err(ErrorType::Duplicate), "another error for a duplicate");
    assert_coherent(&store, &[1, 2]);
}

#[test]
fn proof_a_duplicate_is_a_duplicate_whoever_looked_before() {
    explore("race_42/store", 3, || a_duplicate_beside_a_lookup(Semantics::Strict));
}

/// Single lookups and batches leave the same cache: the second time, neither asks the database.
#[test]
fn proof_lookups_of_a_notifier_leave_it_in_the_cache() {
    explore("race_42/lookups", 2, || {
        let db = database(Semantics::Strict, &[(1, with_notifier(1))]);
        let store = cached(&db, Semantics::Strict);
        let other = store.clone();
        let single = move || other.get_queue(&sample::notifier(1).into()).unwrap();
        let batch = || store.get_queues_by_notifier(&[sample::notifier(1)]).unwrap();
        let (one, many) = two(single, batch);
        assert!(Arc::ptr_eq(&one, many[0].as_ref().unwrap()));
        let asked = store.database().statements();
        batch();
        store.get_queue(&sample::notifier(1).into()).unwrap();
        assert_eq!(store.database().statements(), asked, "a cached notifier was read again");
    });
}

#[test]
fn twin_under_reference_it_depends_on_who_looked() {
    must_fail("race_42/reference", 3, "another error for a duplicate", || {
        a_duplicate_beside_a_lookup(Semantics::Reference);
    });
}
