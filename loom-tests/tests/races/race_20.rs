//! RACE-20: the link index is not cleaned on deletion.
//!
//! **The race.** Deleting a queue removes its sender and notifier ids from their indexes, and leaves its link id. Whoever uses the
//! link id for another queue, however long after, meets the entry.
//!
//! ```text
//! A   deletes its queue (the link stays in the index)
//! B                                                     takes the same link: refused
//! ```
//!
//! **What follows.** The link id cannot be used again until a restart; a journal that has the deletion and the use after it, written
//! when the id was free, loses the second queue.
//!
//! **What the library does.** The deletion empties every index in its one transaction. Whoever looks, finds the queue by all its ids
//! or by none.

use crate::whole::{add, assert_sound, store};
use loom_tests::scenario::{Store, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, QueueLink, QueueRec, Semantics};
use simplex_stores::queue_store::{BasicQueue, QueueKey, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_the_link_of_a_deleted_queue_stays_taken() {
    must_find_steps("race_20/witness", 2, |steps| {
        // Whether A's queue lives; whether the index has L.
        let shared = Arc::new(Mutex::new((true, true)));
        let (other, log) = (shared.clone(), steps.clone());
        let ((), refused) = two(
            move || {
                let mut state = other.lock();
                state.0 = false;
                log.take("A", "deletes its queue: the index keeps the link id L");
            },
            || {
                let (alive, taken) = *shared.lock();
                steps.take("B", "takes L for its queue: refused, L is in the index");
                !alive && taken
            },
        );
        steps.take("client", "looks up L: leads to a deleted queue until the restart");
        refused
    });
}

/// A queue with all four ids, each number 1.
fn full() -> QueueRec {
    let data = sample::link_data(1, 1);
    QueueRec {
        link: Some(Box::new(QueueLink { id: sample::link(1), data })),
        notifier: Some(Box::new(sample::creds(1, None))),
        ..sample::record(1)
    }
}

fn keys() -> [QueueKey; 4] {
    [
        sample::recipient(1).into(),
        sample::sender(1).into(),
        sample::notifier(1).into(),
        sample::link(1).into(),
    ]
}

fn with_full() -> (Arc<Store>, Arc<BasicQueue>) {
    let store = store(Semantics::Strict);
    let queue = store.add_queue(sample::recipient(1), full()).unwrap();
    (store, queue)
}

#[test]
fn proof_the_link_of_a_deleted_queue_is_free_from_then_on() {
    explore("race_20/store", 3, || {
        let (store, first) = with_full();
        let second = add(&store, 2);
        let other = store.clone();
        let take = || store.add_link_data(&second, sample::link(1), sample::link_data(2, 2));
        let (deleted, taken) = two(move || other.delete_queue(&first).map(drop), take);
        assert_eq!(deleted, Ok(()));
        let found = store.get_queue_rec(&sample::link(1).into());
        match taken {
            Ok(()) => assert!(Arc::ptr_eq(&found.unwrap().0, &second)),
            Err(error) => {
                assert_eq!((error, found.err()), (ErrorType::Duplicate, Some(ErrorType::Auth)));
            }
        }
        assert_sound(&store);
    });
}

#[test]
fn proof_a_queue_with_the_same_ids_comes_whole_or_not_at_all() {
    explore("race_20/store_added_again", 3, || {
        let (store, first) = with_full();
        let other = store.clone();
        let again = || store.add_queue(sample::recipient(1), full());
        let (deleted, added) = two(move || other.delete_queue(&first).map(drop), again);
        assert_eq!(deleted, Ok(()));
        for key in keys() {
            match (&added, store.get_queue_rec(&key)) {
                (Ok(queue), Ok((found, _))) => assert!(Arc::ptr_eq(queue, &found)),
                (Err(ErrorType::Duplicate), Err(ErrorType::Auth)) => {}
                (added, found) => panic!("{key:?}: {added:?}, {found:?}"),
            }
        }
        assert_sound(&store);
    });
}

/// By how many of its ids the queue is found at one moment.
fn found_by(store: &Store) -> usize {
    let counted = store.transact(|tx, _| {
        let mut found = 0;
        for key in keys() {
            found += usize::from(tx.catch_abort(|tx| store.get_queue_rec_tx(tx, &key))?.is_ok());
        }
        Ok(found)
    });
    counted.unwrap()
}

fn assert_all_or_none(delete: impl FnOnce(&Store, &BasicQueue) + Send + 'static) {
    let (store, queue) = with_full();
    let other = store.clone();
    let ((), found) = two(move || delete(&other, &queue), || found_by(&store));
    assert!(found == 0 || found == 4, "the queue is found by {found} of its ids");
    assert_eq!(found_by(&store), 0);
}

#[test]
fn proof_a_queue_is_found_by_all_its_ids_or_by_none() {
    explore("race_20/all_or_none", 3, || {
        assert_all_or_none(|store, queue| {
            store.delete_queue(queue).unwrap();
        });
    });
}

#[test]
fn twin_freeing_the_link_in_a_transaction_of_its_own_shows() {
    must_fail("race_20/link_freed_before", 2, "the queue is found by 3 of its ids", || {
        assert_all_or_none(|store, queue| {
            store.delete_link_data(queue).unwrap();
            store.delete_queue(queue).unwrap();
        });
    });
}
