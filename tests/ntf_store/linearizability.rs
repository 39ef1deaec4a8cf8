//! Histories of real threads, which the model of the store's semantics must explain.
//!
//! `SIMPLEX_STORES_HISTORIES` sets how many (default 400 of each semantics).

use std::num::NonZeroUsize;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::ntf_store::{NtfStore, NtfStoreError};
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::history::{Call, SequentialModel, check, record_threads};
use simplex_stores::testing::ntf_store::{NtfAnswer, NtfModel, NtfOp, run, sample};

const LIMIT: Option<NonZeroUsize> = NonZeroUsize::new(3);

/// How many calls come before the threads start, how many threads there are, and how many calls each makes.
const SETUP: usize = 16;
const THREADS: usize = 3;
const CALLS: usize = 7;

fn some_ops(g: &mut Gen, count: usize) -> Vec<NtfOp> {
    std::iter::repeat_with(|| NtfOp::arbitrary(g)).take(count).collect()
}

/// The model's state when the threads start, and what they saw.
fn history(semantics: Semantics, seed: u64) -> (NtfModel, Vec<Call<NtfOp, NtfAnswer>>) {
    let mut g = Gen::from_size_and_seed(20, seed);
    let store = NtfStore::with_last_ntf_limit(semantics, LIMIT);
    let mut model = NtfModel::new(semantics, LIMIT);
    for op in some_ops(&mut g, SETUP) {
        assert_eq!(run(&store, &op), model.apply(&op));
    }
    let lists = (0..THREADS).map(|_| some_ops(&mut g, CALLS)).collect();
    (model, record_threads(lists, move |op| run(&store, op)))
}

fn are_linearizable(semantics: Semantics) {
    let histories = std::env::var("SIMPLEX_STORES_HISTORIES").ok().and_then(|n| n.parse().ok());
    for seed in 0..histories.unwrap_or(400) {
        let (model, calls) = history(semantics, seed);
        if let Err(error) = check(&model, &calls) {
            panic!("{error} in {calls:#?}");
        }
    }
}

#[test]
fn concurrent_histories_of_a_strict_store_are_linearizable() {
    are_linearizable(Semantics::Strict);
}

#[test]
fn concurrent_histories_of_a_reference_store_are_linearizable() {
    are_linearizable(Semantics::Reference);
}

#[test]
fn a_history_with_a_forged_answer_is_refused() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        for seed in 0..50 {
            let (model, mut calls) = history(semantics, seed);
            let unknown = NtfStoreError::UnknownToken(sample::token_id(99));
            calls[seed as usize % (THREADS * CALLS)].answer = NtfAnswer::Refused(unknown);
            assert!(check(&model, &calls).is_err(), "no order of calls explains this");
        }
    }
}
