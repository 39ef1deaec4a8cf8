//! Histories of transactions, and whether one order of whole transactions explains them (strict serializability).
//!
//! **The promise.** [`check`] says yes only with an order in which running the transactions one at a time gives each of them
//! what it read, and in which none comes before one that had ended before it began. It says no only when there is none, and
//! then shows why: a cycle of transactions each of which must come before the next, in words, with the [`Anomaly`]'s usual name.
//!
//! [`history`](super::history) asks the same of single calls, and needs a model of what calls answer. Here a
//! transaction is what it read and what it wrote, so histories of hundreds of transactions over many objects are
//! checked in milliseconds.
//!
//! **The algorithm.** A graph of what must come before what. What a transaction read says whose write it saw; each other
//! transaction that wrote the same object comes before that write or after that read, and whatever else is known, real time
//! included, tells which (Papadimitriou's polygraph). When values are written once only, or each writer reads what it
//! replaces, that settles all. Otherwise (an absent key may have been removed by many, a set's element says nothing of who
//! put it there) what is still open is tried both ways. The names and the idea of reporting the cycle
//! itself are Adya's and Elle's.
//!
//! **Recording.** A [`Recorder`](super::history::Recorder) takes the moments, [`Steps`] what the body read and wrote. The steps
//! are made anew in each run of the body; those of the last run count.
//!
//! ```
//! use simplex_stores::stm::{TVar, atomically};
//! use simplex_stores::testing::history::Recorder;
//! use simplex_stores::testing::serializability::{Anomaly, Steps, Transaction, Unexplained, check};
//!
//! let (recorder, hits) = (Recorder::new(), TVar::new(0));
//! // One transaction, as it should be.
//! let hit = |name| recorder.record(name, |_| atomically(|tx| {
//!     let mut steps = Steps::new();
//!     let seen = steps.read("hits", hits.read(tx)?);
//!     hits.write(tx, steps.write("hits", seen + 1))?;
//!     Ok(steps)
//! }));
//! let good = [hit("ann"), hit("bob")].map(Transaction::committed);
//! assert_eq!(check(&0, &good).unwrap().order, [0, 1]);
//!
//! // What two clients record whose reading and writing are two transactions.
//! let both_saw = hits.read_atomic();
//! let torn = ["ann", "bob"].map(|name| recorder.record(name, |_| {
//!     let mut steps = Steps::new();
//!     steps.read("hits", both_saw);
//!     atomically(|tx| hits.write(tx, both_saw + 1));
//!     steps.write("hits", both_saw + 1);
//!     steps
//! }));
//! let why = check(&both_saw, &torn.map(Transaction::committed)).unwrap_err();
//! assert!(matches!(why, Unexplained::Anomalous { anomaly: Anomaly::LostUpdate, .. }));
//! println!("{why}");
//! ```

mod graph;
mod intern;
mod search;
mod words;

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;

use super::history::Call;
use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

/// The most transactions that a history may have.
pub const MAX_TRANSACTIONS: usize = 2_048;

/// One thing that a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<O, V> {
    /// It found this value in this object.
    Read(O, V),
    /// It put this value there.
    Write(O, V),
}

/// What one run of a transaction's body read and wrote, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps<O, V>(Vec<Step<O, V>>);

impl<O, V> Default for Steps<O, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<O, V> From<Steps<O, V>> for Vec<Step<O, V>> {
    fn from(Steps(steps): Steps<O, V>) -> Self {
        steps
    }
}

impl<O: Clone + Eq + Hash, V: Clone> Steps<O, V> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `value` was found in `object`, and gives it back.
    pub fn read(&mut self, object: O, value: V) -> V {
        self.0.push(Step::Read(object, value.clone()));
        value
    }

    /// Notes that `value` was put into `object`, and gives it back. What is taken away is written, too: as
    /// the value that stands for nothing.
    pub fn write(&mut self, object: O, value: V) -> V {
        self.0.push(Step::Write(object, value.clone()));
        value
    }

    /// How many steps there are: a mark for [`roll_back`](Steps::roll_back).
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the writes since `mark` back, as a left branch of `or_else` that retries and a caught abort do. The reads stay:
    /// they still decide whether the transaction commits. Those of what it had written itself say nothing about others, and go.
    pub fn roll_back(&mut self, mark: usize) {
        let undone = self.0.split_off(mark.min(self.0.len()));
        let writes = |step: &Step<O, V>| match step {
            Step::Write(object, _) => Some(object.clone()),
            Step::Read(..) => None,
        };
        let mut own: HashSet<O> = self.0.iter().filter_map(writes).collect();
        for step in undone {
            match step {
                Step::Write(object, _) => {
                    own.insert(object);
                }
                Step::Read(object, value) if !own.contains(&object) => {
                    self.0.push(Step::Read(object, value));
                }
                Step::Read(..) => {}
            }
        }
    }
}

/// One transaction of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction<O, V> {
    /// What reports call it.
    pub name: String,
    /// A moment before its first step.
    pub started: u64,
    /// A moment after its end.
    pub ended: u64,
    /// Whether what it wrote was published. What one read that aborted must be explained all the same, and nobody may see
    /// what it wrote.
    pub committed: bool,
    /// What it did, in order.
    pub steps: Vec<Step<O, V>>,
}

impl<O, V> Transaction<O, V> {
    /// A recorded transaction that committed.
    pub fn committed(call: Call<impl fmt::Display, Steps<O, V>>) -> Self {
        let Call { op, answer: Steps(steps), called: started, returned: ended } = call;
        Self { name: op.to_string(), started, ended, committed: true, steps }
    }

    /// A recorded transaction that ended in an abort of its own.
    pub fn aborted(call: Call<impl fmt::Display, Steps<O, V>>) -> Self {
        Self { committed: false, ..Self::committed(call) }
    }
}

/// What is wrong with a history that no order explains. When several names fit, the first in this list is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anomaly {
    /// A transaction read something else than what it had itself read or written just before.
    Internal,
    /// A value was read that no transaction wrote.
    Unwritten,
    /// G1a: a value was read that only aborted transactions wrote.
    AbortedRead,
    /// G1b: a value was read that its writer itself wrote over before it ended.
    IntermediateRead,
    /// G0: a cycle of writes over writes. Two transactions' writes are interleaved.
    WriteCycle,
    /// G1c: a cycle of writes over writes and of reads of what was written. Two transactions saw each other.
    CircularInformation,
    /// Two transactions read one value, and both wrote over it.
    LostUpdate,
    /// G-single: a cycle in which exactly one transaction read what the next one wrote over. It saw two moments.
    ReadSkew,
    /// G2: a cycle in which several transactions read what the next one wrote over. Write skew and phantoms.
    AntiDependencyCycle,
    /// An order exists, but it puts a transaction before one that had ended before it began.
    RealTime,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Internal => "internal inconsistency",
            Self::Unwritten => "read of a value that nobody wrote",
            Self::AbortedRead => "aborted read (G1a)",
            Self::IntermediateRead => "intermediate read (G1b)",
            Self::WriteCycle => "write cycle (G0)",
            Self::CircularInformation => "circular information flow (G1c)",
            Self::LostUpdate => "lost update",
            Self::ReadSkew => "single anti-dependency cycle (G-single)",
            Self::AntiDependencyCycle => "anti-dependency cycle (G2)",
            Self::RealTime => "violation of real time",
        })
    }
}

/// An order that explains a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serial {
    /// Positions in the history, those of aborted transactions too.
    pub order: Vec<usize>,
    /// How many dependencies were found between transactions, besides real time.
    pub dependencies: usize,
    /// How many open questions had to be tried.
    pub decisions: usize,
}

/// Why a history is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// No order explains it.
    Anomalous {
        /// What is wrong.
        anomaly: Anomaly,
        /// The transactions in question, as positions in the history; for a cycle, in its order.
        transactions: Vec<usize>,
        /// Why, a line each; for a cycle, why each must come before the next.
        because: Vec<String>,
    },
    /// The history has more than [`MAX_TRANSACTIONS`] transactions.
    TooLong,
    /// Too many questions stayed open. Shorter histories, or values that are written only once, help.
    Undecided,
}

impl fmt::Display for Unexplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anomalous { anomaly, because, .. } => {
                write!(f, "{anomaly}")?;
                because.iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
            Self::TooLong => {
                write!(f, "a history of more than {MAX_TRANSACTIONS} transactions is not checked")
            }
            Self::Undecided => write!(f, "too many orders of the writes are possible to try all"),
        }
    }
}

impl std::error::Error for Unexplained {}

/// Finds an order of the transactions that explains what each of them read and that respects real time. Every object
/// holds `initial` before the history.
///
/// # Errors
///
/// [`Unexplained`] when there is none, or the history is too long or too ambiguous to tell.
pub fn check<O, V>(initial: &V, history: &[Transaction<O, V>]) -> Result<Serial, Unexplained>
where
    O: Eq + Hash + Clone + fmt::Debug,
    V: Eq + Hash + Clone + fmt::Debug,
{
    if history.len() > MAX_TRANSACTIONS {
        return Err(Unexplained::TooLong);
    }
    let interned = intern::Interned::of(initial, history)?;
    let strict = match search::solve(&interned, search::Order::RealTime) {
        Ok(serial) => return Ok(serial),
        Err(search::Failure::Undecided) => return Err(Unexplained::Undecided),
        Err(search::Failure::Cycle(found)) => found,
    };
    // Without real time there may be an order. If there is none either, that is the better explanation.
    Err(match search::solve(&interned, search::Order::Any) {
        Ok(_) => words::explain(history, &interned, &strict, Some(Anomaly::RealTime)),
        Err(search::Failure::Cycle(found)) => words::explain(history, &interned, &found, None),
        Err(search::Failure::Undecided) => words::explain(history, &interned, &strict, None),
    })
}
