//! Random sequences of calls on the store of pending notifications and on its model.

use quickcheck::{Gen, QuickCheck};
use simplex_stores::ntf_store::pending::PendingNtfStore;
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::history::SequentialModel;
use simplex_stores::testing::ntf_store::pending::{PendingModel, PendingOp, queues, run};

use crate::pending_items::BOTH;

fn sequence(semantics: Semantics, ops: &[PendingOp]) -> Result<(), String> {
    let queues = queues();
    let store = PendingNtfStore::new(semantics);
    let mut model = PendingModel::new(semantics);
    for op in ops.iter().filter(|op| **op != PendingOp::Restart) {
        let (expected, got) = (model.apply(op), run(&store, &queues, op));
        if expected != got {
            return Err(format!("{semantics:?}: {op:?}: expected {expected:?}, got {got:?}"));
        }
        store.check_invariants().map_err(|found| format!("{op:?}: {found:?}"))?;
    }
    Ok(())
}

fn as_the_model(ops: Vec<PendingOp>) {
    for semantics in BOTH {
        if let Err(difference) = sequence(semantics, &ops) {
            panic!("{difference}");
        }
    }
}

#[test]
fn the_store_answers_like_the_sequential_model() {
    let check: fn(Vec<PendingOp>) = as_the_model;
    let tests = std::env::var("SIMPLEX_STORES_MODEL_RUNS").ok().and_then(|n| n.parse().ok());
    QuickCheck::new().tests(tests.unwrap_or(300)).rng(Gen::new(120)).quickcheck(check);
}
