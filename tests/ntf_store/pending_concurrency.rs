//! Threads on a store of pending notifications: histories that the model must explain, and nothing lost
//! or handed over twice.
//!
//! `SIMPLEX_STORES_HISTORIES` sets how many histories (default 400).

use std::collections::HashSet;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::ntf_store::pending::{HandedOver, PendingNtfStore};
use simplex_stores::protocol::{Blob, Semantics};
use simplex_stores::stm::{TVar, atomically, guard};
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::history::{Call, Recorder, SequentialModel, check};
use simplex_stores::testing::ntf_store::pending::sample::{NOTIFIERS, notifier, ntf, time};
use simplex_stores::testing::ntf_store::pending::{
    PendingAnswer, PendingModel, PendingOp, queues, run,
};

use crate::pending_items::BOTH;

type History = Vec<Call<PendingOp, PendingAnswer>>;

fn ops(g: &mut Gen, count: usize, keep: fn(&PendingOp) -> bool) -> Vec<PendingOp> {
    std::iter::repeat_with(|| PendingOp::arbitrary(g)).filter(keep).take(count).collect()
}

/// Random calls of three threads on a store that had a few before.
fn history(
    semantics: Semantics,
    seed: u64,
    keep: fn(&PendingOp) -> bool,
) -> (PendingModel, History) {
    let mut g = Gen::from_size_and_seed(20, seed);
    let (store, queues) = (Arc::new(PendingNtfStore::new(semantics)), Arc::new(queues()));
    let mut model = PendingModel::new(semantics);
    for op in ops(&mut g, 8, keep) {
        assert_eq!(run(&store, &*queues, &op), model.apply(&op));
    }
    let (recorder, started) = (Arc::new(Recorder::new()), TVar::new(false));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (store, queues) = (store.clone(), queues.clone());
            let (recorder, started) = (recorder.clone(), started.clone());
            let ops = ops(&mut g, 7, keep);
            spawn(move || {
                atomically(|tx| guard(started.read(tx)?));
                let record = |op| recorder.record(op, |op| run(&store, &*queues, op));
                ops.into_iter().map(record).collect::<History>()
            })
        })
        .collect();
    atomically(|tx| started.write(tx, true));
    let calls = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert!(store.check_invariants().is_ok());
    (model, calls)
}

fn histories() -> u64 {
    let set = std::env::var("SIMPLEX_STORES_HISTORIES").ok().and_then(|n| n.parse().ok());
    set.unwrap_or(400)
}

#[test]
fn race63_race65_concurrent_histories_are_linearizable() {
    for semantics in BOTH {
        for seed in 0..histories() / 2 {
            let (model, calls) = history(semantics, seed, PendingOp::is_one_step);
            if let Err(unexplained) = check(&model, &calls) {
                panic!("{semantics:?}, seed {seed}: {unexplained} in {calls:#?}");
            }
        }
    }
}

#[test]
fn a_history_with_a_forged_answer_is_refused() {
    let mut refused = 0;
    for seed in 0..50 {
        let (model, mut calls) = history(Semantics::Strict, seed, PendingOp::is_one_step);
        for call in &mut calls {
            if let (PendingOp::Store(..), PendingAnswer::Number(waiting)) =
                (&call.op, &mut call.answer)
            {
                *waiting += 100;
                refused += 1;
            }
        }
        let forged = calls.iter().any(|call| matches!(call.op, PendingOp::Store(..)));
        assert_eq!(check(&model, &calls).is_err(), forged);
    }
    assert!(refused > 0);
}

/// With one notifier even a whole expiry is one step.
#[test]
fn mn2_an_expiry_that_concerns_one_notifier_is_linearizable() {
    fn of_one(op: &PendingOp) -> bool {
        match op {
            PendingOp::Store(id, _)
            | PendingOp::Delete(id)
            | PendingOp::ExpireOf(id, _)
            | PendingOp::Ntfs(id) => *id == notifier(1),
            PendingOp::Expire(_) | PendingOp::Counts | PendingOp::Entries => true,
            PendingOp::Deliver(_) | PendingOp::Restart => false,
        }
    }
    for semantics in BOTH {
        for seed in 0..histories() / 4 {
            let (model, calls) = history(semantics, seed, of_one);
            if let Err(unexplained) = check(&model, &calls) {
                panic!("{semantics:?}, seed {seed}: {unexplained} in {calls:#?}");
            }
        }
    }
}

/// How many notifications each of two threads stores.
const STORED: u16 = 2_000;

/// Everything that was stored is handed over exactly once, dropped with a dead notifier, expired, deleted, or
/// still there.
#[test]
fn race63_race65_nothing_is_lost_or_handed_over_twice() {
    for semantics in BOTH {
        let (store, queues) = (Arc::new(PendingNtfStore::new(semantics)), queues());
        let storing = TVar::new(2);
        let threads: Vec<_> = (0..2)
            .map(|thread| {
                let (store, storing) = (store.clone(), storing.clone());
                spawn(move || {
                    for number in 0..STORED {
                        let id = notifier((number % u16::from(NOTIFIERS)) as u8);
                        store.store(&id, &ntf(number * 2 + thread, i64::from(number % 8)));
                    }
                    atomically(|tx| storing.modify(tx, |threads| threads - 1));
                })
            })
            .collect();
        let (removing, still_storing) = (store.clone(), storing.clone());
        let remover = spawn(move || {
            let (mut expired, mut deleted) = (0, 0);
            while still_storing.read_atomic() > 0 {
                expired += removing.delete_expired(time(1));
                deleted += removing.delete(&notifier(0));
            }
            expired + deleted
        });
        let mut handed_over = HashSet::<Blob>::new();
        let (mut gone, mut dead, mut passes) = (0, 0, 0_u64);
        while storing.read_atomic() > 0 {
            let report = store.deliver(&queues, |_, entries| {
                for ntf in entries.iter().flat_map(|entry| &entry.ntfs) {
                    assert!(handed_over.insert(ntf.message_id.clone()), "handed over twice");
                }
                HandedOver::All
            });
            let report = report.unwrap();
            gone += report.already_gone;
            dead += report.dead_ntfs;
            passes += 1;
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let removed = remover.join().unwrap();
        let taken = handed_over.len() as u64 - gone;
        let left = store.counts().ntfs;
        assert_eq!(taken + dead + removed + left, 2 * u64::from(STORED), "after {passes} passes");
        assert!(store.check_invariants().is_ok());
    }
}
