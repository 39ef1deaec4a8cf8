//! Random sequences of calls on the store and on the model of its semantics.
//!
//! `SIMPLEX_STORES_MODEL_RUNS` sets how many sequences (default 300 each).

use std::num::NonZeroUsize;

use quickcheck::{Gen, QuickCheck, Testable};
use simplex_stores::ntf_store::{NtfSnapshot, NtfStore};
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::history::SequentialModel;
use simplex_stores::testing::ntf_store::{NtfModel, NtfOp, ServerOps, run};

/// So few that sequences reach it.
const LIMIT: Option<NonZeroUsize> = NonZeroUsize::new(3);

fn check(property: impl Testable) {
    let tests = std::env::var("SIMPLEX_STORES_MODEL_RUNS").ok().and_then(|n| n.parse().ok());
    QuickCheck::new().tests(tests.unwrap_or(300)).rng(Gen::new(120)).quickcheck(property);
}

/// Makes the calls; after each, answer and state are the model's, and sound under `Strict`. Half-way the store is made anew
/// from its snapshot.
fn answers_like_the_model(semantics: Semantics, ops: &[NtfOp]) {
    let mut store = NtfStore::with_last_ntf_limit(semantics, LIMIT);
    let mut model = NtfModel::new(semantics, LIMIT);
    for (at, op) in ops.iter().enumerate() {
        if at == ops.len() / 2 {
            store = NtfStore::from_snapshot(store.snapshot());
        }
        assert_eq!(run(&store, op), model.apply(op), "{op:?}");
        let state = store.snapshot();
        assert_eq!(state, model.snapshot(), "{op:?}");
        if semantics == Semantics::Strict {
            assert_eq!(state.violations(), [], "{op:?}");
        }
    }
}

#[test]
fn a_strict_store_answers_like_the_model_and_stays_sound() {
    let property: fn(Vec<NtfOp>) = |ops| answers_like_the_model(Semantics::Strict, &ops);
    check(property);
}

#[test]
fn a_reference_store_answers_like_the_model() {
    let property: fn(Vec<NtfOp>) = |ops| answers_like_the_model(Semantics::Reference, &ops);
    check(property);
}

/// What is found, without what the two semantics keep beside it: tokens without a registration, and empty entries.
fn visible(mut state: NtfSnapshot) -> NtfSnapshot {
    state.semantics = Semantics::Strict;
    for device in &mut state.registrations {
        device.tokens.retain(|one| one.registered);
    }
    state.registrations.retain(|device| !device.tokens.is_empty());
    state.token_subscriptions.retain(|(_, set)| !set.is_empty());
    state
}

#[test]
fn on_what_a_server_does_both_semantics_answer_alike() {
    let property: fn(ServerOps) = |ops| {
        let strict = NtfStore::with_last_ntf_limit(Semantics::Strict, LIMIT);
        let reference = NtfStore::with_last_ntf_limit(Semantics::Reference, LIMIT);
        for op in &ops.0 {
            assert_eq!(run(&strict, op), run(&reference, op), "{op:?}");
            assert_eq!(visible(strict.snapshot()), visible(reference.snapshot()), "{op:?}");
        }
    };
    check(property);
}

#[test]
fn what_a_server_does_is_enough_to_reach_everything() {
    let mut g = Gen::from_size_and_seed(120, 1);
    let sequences: Vec<ServerOps> =
        (0..50).map(|_| quickcheck::Arbitrary::arbitrary(&mut g)).collect();
    let ops = || sequences.iter().flat_map(|ops| &ops.0);
    let count = |is: fn(&&NtfOp) -> bool| ops().filter(is).count();
    assert!(count(|op| matches!(op, NtfOp::AddToken(_))) > 100);
    assert!(count(|op| matches!(op, NtfOp::RemoveRivals(_))) > 100);
    assert!(count(|op| matches!(op, NtfOp::RemoveRegistration(_))) > 100);
    assert!(count(|op| matches!(op, NtfOp::AddSubscription(_))) > 100);
}

#[test]
fn each_semantics_fails_the_model_of_the_other() {
    for (semantics, other) in
        [(Semantics::Strict, Semantics::Reference), (Semantics::Reference, Semantics::Strict)]
    {
        let mut g = Gen::from_size_and_seed(120, 1);
        let differs = |ops: Vec<NtfOp>| {
            let store = NtfStore::with_last_ntf_limit(semantics, LIMIT);
            let mut model = NtfModel::new(other, LIMIT);
            ops.iter().any(|op| run(&store, op) != model.apply(op))
        };
        let sequences = (0..20).map(|_| quickcheck::Arbitrary::arbitrary(&mut g));
        assert!(sequences.filter(|ops: &Vec<NtfOp>| differs(ops.clone())).count() > 10);
    }
}
