//! RACE-19: a link id taken over.
//!
//! **The race.** A client may choose its queue's link id. Queue A and queue B are given the same one; the reference looks only whether
//! the queue itself has a link already, so both succeed, and the index leads to the later one.
//!
//! ```text
//! A   takes L: index -> A ........................   removes its link: index -> nothing
//! B                          takes L: index -> B
//! ```
//!
//! **What follows.** A's link serves B's data. When A removes its link, B's is gone from the index while B's record
//! still has it; and the next compaction writes two queues with one link, of which a replay refuses one.
//!
//! **What the library does.** The index is asked in the transaction that writes it: the second one is answered `DUPLICATE_`.

use crate::whole::{add, assert_sound, store};
use loom_tests::scenario::{Store, both, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{ErrorType, QueueLink, QueueRec, Semantics};
use simplex_stores::queue_store::{QueueKey, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

#[test]
fn witness_a_link_id_taken_twice_ends_in_no_index() {
    must_find_steps("race_19/witness", 2, |steps| {
        // Where the index leads, and whether B's record has the link.
        let shared = Arc::new(Mutex::new((None, false)));
        let (other, log) = (shared.clone(), steps.clone());
        two(
            move || {
                {
                    let mut state = other.lock();
                    state.0 = Some('A');
                    log.take("A", "has no link yet: takes L, the index leads to A");
                }
                let mut state = other.lock();
                state.0 = None;
                log.take("A", "removes its link: L leaves the index");
            },
            || {
                let mut state = shared.lock();
                *state = (Some('B'), true);
                steps.take("B", "has no link yet: takes L, the index leads to B");
            },
        );
        let found = *shared.lock() == (None, true);
        steps.take("client", "looks up L: nothing, although B's record has it");
        found
    });
}

fn link() -> QueueKey {
    sample::link(1).into()
}

fn take(store: &Store, number: u8) -> Result<(), ErrorType> {
    let queue = loom_tests::scenario::queue(store, number);
    store.add_link_data(&queue, sample::link(1), sample::link_data(number, 1))
}

/// The number of the queue that the index leads to.
fn leads_to(store: &Store) -> Option<u8> {
    let (queue, _) = store.get_queue_rec(&link()).ok()?;
    (1..=2).find(|number| Arc::ptr_eq(&queue, &loom_tests::scenario::queue(store, *number)))
}

#[test]
fn proof_one_of_two_queues_gets_the_link() {
    explore("race_19/store", 3, || {
        let store = store(Semantics::Strict);
        add(&store, 1);
        add(&store, 2);
        let other = store.clone();
        let results = two(move || take(&other, 1), || take(&store, 2));
        let winner = match results {
            (Ok(()), Err(ErrorType::Duplicate)) => 1,
            (Err(ErrorType::Duplicate), Ok(())) => 2,
            other => panic!("two queues took one link: {other:?}"),
        };
        assert_eq!(leads_to(&store), Some(winner));
        assert_sound(&store);
    });
}

#[test]
fn proof_a_link_that_is_removed_is_free_from_then_on() {
    explore("race_19/store_removed", 3, || {
        let store = store(Semantics::Strict);
        let data = sample::link_data(1, 1);
        let link = Some(Box::new(QueueLink { id: sample::link(1), data }));
        let record = QueueRec { link, ..sample::record(1) };
        let first = store.add_queue(sample::recipient(1), record).unwrap();
        add(&store, 2);
        let other = store.clone();
        let (removed, taken) = two(move || other.delete_link_data(&first), || take(&store, 2));
        assert_eq!(removed, Ok(()));
        match taken {
            Ok(()) => assert_eq!(leads_to(&store), Some(2)),
            Err(error) => assert_eq!((error, leads_to(&store)), (ErrorType::Duplicate, None)),
        }
        assert_sound(&store);
    });
}

/// The store without the guard, and a careful user who asks the index first: in a transaction of its own.
#[test]
fn twin_asking_the_index_in_a_transaction_of_its_own_does_not_help() {
    must_fail("race_19/asked_before", 2, "the store contradicts itself", || {
        let store = store(Semantics::Reference);
        add(&store, 1);
        add(&store, 2);
        let shared = store.clone();
        both(move |number| {
            if shared.get_queue(&link()).is_err() {
                take(&shared, number).unwrap();
            }
        });
        assert_sound(&store);
    });
}
