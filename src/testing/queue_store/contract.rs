//! The contract suite: what any [`QueueStore`] can be held to, in a call.
//!
//! The suite knows nothing of how a store works. [`sequence`] makes random calls one after the
//! other and compares each answer with the sequential model's; [`history`](fn@history) makes them from
//! several threads and looks for an order that explains the answers; [`check`] does both. They hold
//! a store to the answers of `Semantics::Strict`.
//!
//! ```
//! use simplex_stores::protocol::Semantics;
//! use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
//! use simplex_stores::testing::queue_store::contract;
//!
//! contract::check(&|| StmQueueStore::new(BasicFactory, Semantics::Strict), 7);
//! ```

use std::fmt;

use quickcheck::{Arbitrary, Gen};

use super::model::QueueModel;
use super::op::{Answer, QueueOp, run};
use crate::queue_store::QueueStore;
use crate::testing::history::{self, Call, SequentialModel, Unexplained};

/// How many calls a random sequence has.
const SEQUENCE: usize = 100;
/// How many calls come before the threads of a history start.
const SETUP: usize = 12;
/// How many threads a history has.
const THREADS: usize = 3;
/// How many calls each of them makes.
const CALLS: usize = 7;
/// How many sequences and histories [`check`] runs.
const RUNS: u64 = 100;

/// How a store failed the contract.
#[derive(Clone, Debug)]
pub enum Failure {
    /// A sequence of calls was answered otherwise than by the model.
    Answer {
        /// The seed of the sequence, which repeats it.
        seed: u64,
        /// The calls, of which the last is the one that differs.
        ops: Vec<QueueOp>,
        /// What the model answers.
        expected: Answer,
        /// What the store answered.
        got: Answer,
    },
    /// No order of concurrent calls explains their answers.
    History {
        /// The calls.
        calls: Vec<Call<QueueOp, Answer>>,
        /// What the search found.
        error: Unexplained,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { seed, ops, expected, got } => {
                write!(f, "seed {seed}: expected {expected:?}, got {got:?} after {ops:#?}")
            }
            Self::History { calls, error } => write!(f, "{error} in {calls:#?}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Holds the stores that `new` makes, each of them empty, to the whole contract.
///
/// # Panics
/// When a store fails; the message holds the calls, and the seed where it repeats them.
pub fn check<S: QueueStore + 'static>(new: &dyn Fn() -> S, seed: u64) {
    check_runs(new, seed, RUNS);
}

/// As [`check`], with as many sequences and histories as said: for stores that are slow to open.
///
/// # Panics
/// As [`check`].
pub fn check_runs<S: QueueStore + 'static>(new: &dyn Fn() -> S, seed: u64, runs: u64) {
    let outcome = (seed..seed.saturating_add(runs)).try_for_each(|seed| {
        sequence(&new(), seed)?;
        history(new(), seed).map(drop)
    });
    assert!(outcome.is_ok(), "the store breaks the contract: {}", shown(outcome));
}

fn shown(outcome: Result<(), Failure>) -> String {
    outcome.map_or_else(|failure| failure.to_string(), |()| String::new())
}

/// Makes random calls on an empty store, one after the other; the same seed makes the same calls.
///
/// # Errors
/// [`Failure::Answer`] at the first answer that is not the model's.
pub fn sequence<S: QueueStore>(store: &S, seed: u64) -> Result<(), Failure> {
    let mut g = Gen::from_size_and_seed(20, seed);
    let mut model = QueueModel::default();
    let mut ops = Vec::new();
    for op in some_ops(&mut g, SEQUENCE, |op| *op != QueueOp::Restart) {
        let (expected, got) = (model.apply(&op), run(store, &op));
        ops.push(op);
        if expected != got {
            return Err(Failure::Answer { seed, ops, expected, got });
        }
    }
    Ok(())
}

/// Makes random calls on an empty store from several threads at once; gives them in any order.
///
/// The seed decides the calls, not the schedule. A fold and a batch association are left out: they
/// are several steps by contract (QS-20, QS-28).
///
/// # Errors
/// [`Failure::Answer`] when the calls before the threads start go wrong, [`Failure::History`] when
/// nothing explains what the threads saw.
///
/// # Panics
/// When a call panics.
pub fn history<S: QueueStore + 'static>(
    store: S,
    seed: u64,
) -> Result<(QueueModel, Vec<Call<QueueOp, Answer>>), Failure> {
    let mut g = Gen::from_size_and_seed(20, seed);
    let mut model = QueueModel::default();
    for op in some_ops(&mut g, SETUP, is_one_step) {
        let (expected, got) = (model.apply(&op), run(&store, &op));
        if expected != got {
            return Err(Failure::Answer { seed, ops: vec![op], expected, got });
        }
    }
    let lists = (0..THREADS).map(|_| some_ops(&mut g, CALLS, is_one_step)).collect();
    let calls = history::record_threads(lists, move |op| run(&store, op));
    match history::check(&model, &calls) {
        Ok(_) => Ok((model, calls)),
        Err(error) => Err(Failure::History { calls, error }),
    }
}

fn some_ops(g: &mut Gen, count: usize, keep: impl Fn(&QueueOp) -> bool) -> Vec<QueueOp> {
    std::iter::repeat_with(|| QueueOp::arbitrary(g)).filter(keep).take(count).collect()
}

fn is_one_step(op: &QueueOp) -> bool {
    !matches!(op, QueueOp::Restart | QueueOp::SetServices(..) | QueueOp::Fold(_))
}
