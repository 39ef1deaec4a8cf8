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
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};

use super::model::QueueModel;
use super::op::{Answer, QueueOp, run, shown as json};
use crate::protocol::{ErrorType, QueueRec, RecipientId};
use crate::queue_store::{FoundQueues, QueueStore, StoreQueue};
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
    /// After a sequence of calls the store holds something else than the model.
    State {
        /// The seed of the sequence, which repeats it.
        seed: u64,
        /// What was asked for afterwards.
        asked: &'static str,
        /// What the model holds.
        expected: String,
        /// What the store gave.
        got: String,
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
            Self::State { seed, asked, expected, got } => {
                write!(f, "seed {seed}: {asked}: expected {expected}, got {got}")
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

/// Makes random calls on an empty store, one after the other; the same seed makes the same calls. Then
/// looks at all of its queues at once.
///
/// # Errors
/// [`Failure::Answer`] at the first answer that is not the model's, [`Failure::State`] for queues that are
/// not.
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
    holds_the_same(store, &model, seed)
}

/// The batches give every queue with its record, and what is loaded is in order and among the queues.
fn holds_the_same<S: QueueStore>(store: &S, model: &QueueModel, seed: u64) -> Result<(), Failure> {
    let compare = |asked, expected: Vec<Shown>, got: Vec<Shown>| {
        let (expected, got) = (json(expected), json(got));
        let differs =
            || Failure::State { seed, asked, expected: expected.clone(), got: got.clone() };
        if expected == got { Ok(()) } else { Err(differs()) }
    };
    let of_model = |(id, record): (&RecipientId, &QueueRec)| -> Shown {
        Ok((id.clone(), Some(Arc::new(record.clone()))))
    };
    let all = || model.queues.iter();
    let ids: Vec<_> = all().map(|(id, _)| id.clone()).collect();
    let got = records(store.get_queues(&ids));
    compare("all queues in a batch", all().map(of_model).collect(), got)?;
    let notifier = |record: &QueueRec| Some(record.notifier.as_ref()?.notifier_id.clone());
    let notified = || all().filter(|(_, record)| record.notifier.is_some());
    let ids: Vec<_> = notified().filter_map(|(_, record)| notifier(record)).collect();
    let got = records(store.get_queues_by_notifier(&ids));
    compare("all notifiers in a batch", notified().map(of_model).collect(), got)?;
    let got = records(store.loaded_queues().map(|queues| queues.into_iter().map(Ok).collect()));
    let is_loaded = |id| got.iter().flatten().any(|(loaded, _)| loaded == id);
    let loaded = all().filter(|(id, _)| is_loaded(*id)).map(of_model).collect();
    compare("the loaded queues", loaded, got)
}

/// A queue with its record, `None` in a deleted one; or an error.
type Shown = Result<(RecipientId, Option<Arc<QueueRec>>), ErrorType>;

fn records<Q: StoreQueue>(found: Result<FoundQueues<Q>, ErrorType>) -> Vec<Shown> {
    let shown = |queue: Arc<Q>| (queue.recipient_id().clone(), queue.record().read_atomic());
    match found {
        Ok(found) => found.into_iter().map(|queue| queue.map(shown)).collect(),
        Err(error) => vec![Err(error)],
    }
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
