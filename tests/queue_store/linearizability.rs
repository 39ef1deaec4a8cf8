//! Histories of real threads on the real store, explained by the sequential model.
//!
//! `SIMPLEX_STORES_HISTORIES` sets how many (default 400). A fold and a batch association are left
//! out: they are several steps by contract (QS-20, QS-28).

use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
use simplex_stores::stm::{TVar, atomically, guard};
use simplex_stores::sync::thread;
use simplex_stores::testing::history::{Call, Recorder, SequentialModel, check};
use simplex_stores::testing::queue_store::{Answer, QueueModel, QueueOp, run};

const THREADS: usize = 3;
const CALLS: usize = 7;
const SETUP: usize = 12;

fn is_one_step(op: &QueueOp) -> bool {
    !matches!(op, QueueOp::Restart | QueueOp::SetServices(..) | QueueOp::Fold(_))
}

fn some_ops(g: &mut Gen, count: usize) -> Vec<QueueOp> {
    std::iter::repeat_with(|| QueueOp::arbitrary(g)).filter(is_one_step).take(count).collect()
}

/// Some calls one after the other, then several threads at once.
fn history(g: &mut Gen) -> (QueueModel, Vec<Call<QueueOp, Answer>>) {
    let store = Arc::new(StmQueueStore::new(BasicFactory, Semantics::Strict));
    let mut model = QueueModel::default();
    for op in some_ops(g, SETUP) {
        assert_eq!(run(&*store, &op), model.apply(&op));
    }
    let recorder = Arc::new(Recorder::new());
    let started = TVar::new(false);
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (store, recorder, started) = (store.clone(), recorder.clone(), started.clone());
            let ops = some_ops(g, CALLS);
            thread::spawn(move || {
                atomically(|tx| guard(started.read(tx)?));
                let record = |op| recorder.record(op, |op| run(&*store, op));
                ops.into_iter().map(record).collect::<Vec<_>>()
            })
        })
        .collect();
    atomically(|tx| started.write(tx, true));
    let calls = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    store.check_invariants().unwrap();
    (model, calls)
}

#[test]
fn concurrent_histories_are_linearizable() {
    let rounds = std::env::var("SIMPLEX_STORES_HISTORIES").ok().and_then(|n| n.parse().ok());
    let mut g = Gen::new(20);
    for _ in 0..rounds.unwrap_or(400) {
        let (model, calls) = history(&mut g);
        if let Err(error) = check(&model, &calls) {
            panic!("{error}\n{calls:#?}");
        }
    }
}

#[test]
fn a_history_with_a_forged_answer_is_refused() {
    let mut g = Gen::new(20);
    let mut refused = 0;
    for _ in 0..50 {
        let (model, mut calls) = history(&mut g);
        for call in calls.iter_mut().filter(|call| matches!(call.op, QueueOp::Counts)) {
            call.answer = Ok("[99,0,0,0,0,0]".into());
            refused += 1;
        }
        let forged = calls.iter().any(|call| matches!(call.op, QueueOp::Counts));
        assert_eq!(check(&model, &calls).is_err(), forged);
    }
    assert!(refused > 0);
}
