//! The contract suite on the real store: random sequences, and histories of real threads that the
//! sequential model must explain.
//!
//! `SIMPLEX_STORES_HISTORIES` sets how many histories (default 400).

use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
use simplex_stores::testing::history::check;
use simplex_stores::testing::queue_store::{QueueOp, contract};

fn new() -> StmQueueStore {
    StmQueueStore::new(BasicFactory, Semantics::Strict)
}

#[test]
fn the_store_keeps_the_contract() {
    contract::check(&new, 1);
}

#[test]
fn concurrent_histories_are_linearizable() {
    let histories = std::env::var("SIMPLEX_STORES_HISTORIES").ok().and_then(|n| n.parse().ok());
    for seed in 0..histories.unwrap_or(400) {
        if let Err(failure) = contract::history(new(), seed) {
            panic!("{failure}");
        }
    }
}

#[test]
fn a_store_with_the_references_semantics_fails_the_contract() {
    let reference = || StmQueueStore::new(BasicFactory, Semantics::Reference);
    let failed = (0..100).filter(|seed| contract::sequence(&reference(), *seed).is_err());
    assert!(failed.count() > 0, "tombstones were not noticed");
}

#[test]
fn a_history_with_a_forged_answer_is_refused() {
    let mut refused = 0;
    for seed in 0..50 {
        let (model, mut calls) = contract::history(new(), seed).unwrap();
        for call in calls.iter_mut().filter(|call| matches!(call.op, QueueOp::Counts)) {
            call.answer = Err(ErrorType::Internal);
            refused += 1;
        }
        let forged = calls.iter().any(|call| matches!(call.op, QueueOp::Counts));
        assert_eq!(check(&model, &calls).is_err(), forged);
    }
    assert!(refused > 0);
}
