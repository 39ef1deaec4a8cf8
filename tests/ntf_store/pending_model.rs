//! Random sequences of calls on the store of pending notifications and on its model.

use quickcheck::{Gen, QuickCheck};
use simplex_stores::ntf_store::pending::PendingNtfStore;
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::MemStorage;
use simplex_stores::testing::history::SequentialModel;
use simplex_stores::testing::ntf_store::pending::{
    PendingAnswer, PendingModel, PendingOp, queues, run,
};

use crate::pending_files::{on, restore};
use crate::pending_items::BOTH;

/// Saves the store and restores it from what was saved.
fn restarted(store: &PendingNtfStore, disk: &MemStorage) -> PendingNtfStore {
    let saved = store.save(&on(disk.clone())).unwrap();
    let (restored, report) = restore(disk, store.semantics());
    assert_eq!((report.restored, report.expired, report.skipped), (saved.ntfs, 0, 0));
    restored
}

fn sequence(semantics: Semantics, ops: &[PendingOp]) -> Result<(), String> {
    let (queues, disk) = (queues(), MemStorage::new());
    let mut store = PendingNtfStore::new(semantics);
    let mut model = PendingModel::new(semantics);
    for op in ops {
        if *op == PendingOp::Restart {
            store = restarted(&store, &disk);
        }
        let (expected, got) = (model.apply(op), run(&store, &queues, op));
        if expected != got {
            return Err(format!("{semantics:?}: {op:?}: expected {expected:?}, got {got:?}"));
        }
        store.check_invariants().map_err(|found| format!("{op:?}: {found:?}"))?;
    }
    let (expected, got) = (model.entries(), run(&store, &queues, &PendingOp::Entries));
    if got != PendingAnswer::Entries(expected) {
        return Err(format!("{semantics:?}: the stores differ in the end: {got:?}"));
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
fn the_store_answers_and_restarts_like_the_sequential_model() {
    let check: fn(Vec<PendingOp>) = as_the_model;
    let tests = std::env::var("SIMPLEX_STORES_MODEL_RUNS").ok().and_then(|n| n.parse().ok());
    QuickCheck::new().tests(tests.unwrap_or(300)).rng(Gen::new(120)).quickcheck(check);
}
