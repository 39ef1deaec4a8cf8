//! Histories of concurrent calls, and whether a sequential model explains them (linearizability).
//!
//! **The promise.** [`check`] says yes exactly when the calls can be put in one order in which the
//! model gives every call the answer that it got, and in which no call comes before one that had
//! returned before it was made.
//!
//! **The algorithm.** The search of Wing and Gong: among the calls not yet placed, any may come
//! next that was made before the first of them returned; place it if the model answers the same,
//! and go on. States that were reached before with the same calls placed are not searched again
//! (Lowe's improvement). The cost grows quickly with the number of calls that overlap, so histories
//! should be short and many.
//!
//! **Why recorded times suffice.** [`Recorder`] takes a number before each call and another after
//! it from one counter; if one call's second number is less than another's first, the one had
//! returned before the other was made.

use std::collections::HashMap;
use std::fmt;

use std::sync::Arc;

use crate::stm::{TVar, atomically, guard};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::thread;

/// A plain object that says what calls should answer, one after the other.
pub trait SequentialModel: Clone + Eq {
    /// A call.
    type Op;
    /// What a call answers.
    type Answer: Eq;

    /// Answers a call and changes the state.
    fn apply(&mut self, op: &Self::Op) -> Self::Answer;
}

/// One call of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<Op, Answer> {
    /// What was called.
    pub op: Op,
    /// What it answered.
    pub answer: Answer,
    /// The moment it was made.
    pub called: u64,
    /// The moment it returned.
    pub returned: u64,
}

/// Gives the moments of a history; shared between its threads.
#[derive(Debug, Default)]
pub struct Recorder {
    clock: AtomicU64,
}

impl Recorder {
    /// A recorder at moment zero.
    pub fn new() -> Self {
        Self { clock: AtomicU64::new(0) }
    }

    /// Makes a call and records when it was made and when it returned.
    pub fn record<Op, Answer>(&self, op: Op, call: impl FnOnce(&Op) -> Answer) -> Call<Op, Answer> {
        // SeqCst: the numbers must not be taken earlier or later than the call's own steps.
        let called = self.clock.fetch_add(1, Ordering::SeqCst);
        let answer = call(&op);
        let returned = self.clock.fetch_add(1, Ordering::SeqCst);
        Call { op, answer, called, returned }
    }
}

/// Makes the calls of each list on a thread of its own, all threads at once, and gives the history, in any order.
///
/// # Panics
/// When a call panics.
pub fn record_threads<Op, Answer, F>(lists: Vec<Vec<Op>>, call: F) -> Vec<Call<Op, Answer>>
where
    Op: Send + 'static,
    Answer: Send + 'static,
    F: Fn(&Op) -> Answer + Send + Sync + 'static,
{
    let (recorder, call) = (Arc::new(Recorder::new()), Arc::new(call));
    let started = TVar::new(false);
    let threads: Vec<_> = lists
        .into_iter()
        .map(|ops| {
            let (recorder, call, started) = (recorder.clone(), call.clone(), started.clone());
            thread::spawn(move || {
                atomically(|tx| guard(started.read(tx)?));
                ops.into_iter().map(|op| recorder.record(op, &*call)).collect::<Vec<_>>()
            })
        })
        .collect();
    atomically(|tx| started.write(tx, true));
    let mut calls = Vec::new();
    for thread in threads {
        let joined = thread.join();
        assert!(joined.is_ok(), "a call of the history panicked");
        calls.extend(joined.into_iter().flatten());
    }
    calls
}

/// The most calls that a history may have.
pub const MAX_CALLS: usize = 128;

/// Why a history is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// No order explains the answers. The longest order found places these calls and no other.
    NotLinearizable {
        /// Positions in the history, in the order in which they were placed.
        longest: Vec<usize>,
    },
    /// The history has more than [`MAX_CALLS`] calls.
    TooLong,
}

impl fmt::Display for Unexplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinearizable { longest } => {
                write!(f, "no order of the calls explains the answers; the longest: {longest:?}")
            }
            Self::TooLong => write!(f, "a history of more than {MAX_CALLS} calls is not searched"),
        }
    }
}

impl std::error::Error for Unexplained {}

/// Finds an order of the calls that explains their answers, as positions in `history`.
///
/// # Errors
/// [`Unexplained`] when there is none, or the history is too long to search.
pub fn check<M: SequentialModel>(
    initial: &M,
    history: &[Call<M::Op, M::Answer>],
) -> Result<Vec<usize>, Unexplained> {
    if history.len() > MAX_CALLS {
        return Err(Unexplained::TooLong);
    }
    let mut search =
        Search { history, order: Vec::new(), longest: Vec::new(), seen: HashMap::new() };
    if search.explains(initial, 0) {
        return Ok(search.order);
    }
    Err(Unexplained::NotLinearizable { longest: search.longest })
}

struct Search<'h, M: SequentialModel> {
    history: &'h [Call<M::Op, M::Answer>],
    order: Vec<usize>,
    longest: Vec<usize>,
    /// The states from which the rest could not be explained, by the set of calls placed.
    seen: HashMap<u128, Vec<M>>,
}

impl<M: SequentialModel> Search<'_, M> {
    /// Places the calls that are not in `placed`; its depth is the number of calls.
    fn explains(&mut self, state: &M, placed: u128) -> bool {
        if self.order.len() == self.history.len() {
            return true;
        }
        if self.seen.get(&placed).is_some_and(|states| states.contains(state)) {
            return false;
        }
        let history = self.history;
        let open = || history.iter().enumerate().filter(|(at, _)| placed & (1 << at) == 0);
        let first_return = open().map(|(_, call)| call.returned).min();
        for (at, call) in open() {
            if first_return.is_some_and(|returned| call.called > returned) {
                continue;
            }
            let mut next = state.clone();
            if next.apply(&call.op) != call.answer {
                continue;
            }
            self.order.push(at);
            if self.order.len() > self.longest.len() {
                self.longest.clone_from(&self.order);
            }
            if self.explains(&next, placed | (1 << at)) {
                return true;
            }
            self.order.pop();
        }
        self.seen.entry(placed).or_default().push(state.clone());
        false
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::{Call, Recorder, SequentialModel, Unexplained, check};

    /// A register: writing answers nothing, reading answers what was written last.
    #[derive(Clone, PartialEq, Eq)]
    struct Register(i32);

    #[derive(Clone, Copy)]
    enum Op {
        Write(i32),
        Read,
    }

    impl SequentialModel for Register {
        type Op = Op;
        type Answer = Option<i32>;

        fn apply(&mut self, op: &Op) -> Option<i32> {
            match op {
                Op::Write(value) => {
                    self.0 = *value;
                    None
                }
                Op::Read => Some(self.0),
            }
        }
    }

    fn call(op: Op, answer: Option<i32>, called: u64, returned: u64) -> Call<Op, Option<i32>> {
        Call { op, answer, called, returned }
    }

    #[test]
    fn overlapping_calls_may_take_effect_in_either_order() {
        for seen in [0, 1] {
            let history = [call(Op::Write(1), None, 0, 3), call(Op::Read, Some(seen), 1, 2)];
            assert!(check(&Register(0), &history).is_ok());
        }
    }

    #[test]
    fn a_read_after_a_write_returned_must_see_it() {
        let history = [call(Op::Write(1), None, 0, 1), call(Op::Read, Some(0), 2, 3)];
        let longest = vec![0];
        assert_eq!(check(&Register(0), &history), Err(Unexplained::NotLinearizable { longest }));
    }

    #[test]
    fn readers_must_agree_on_the_order_of_writes() {
        let history = [
            call(Op::Write(1), None, 0, 9),
            call(Op::Write(2), None, 1, 8),
            call(Op::Read, Some(1), 2, 3),
            call(Op::Read, Some(2), 4, 5),
            call(Op::Read, Some(1), 6, 7),
        ];
        assert!(check(&Register(0), &history).is_err());
        assert!(check(&Register(0), &history[..4]).is_ok());
    }

    #[test]
    fn the_recorder_orders_calls_that_follow_each_other() {
        let recorder = Recorder::new();
        let first = recorder.record(Op::Write(1), |_| None);
        let second = recorder.record(Op::Read, |_| Some(1));
        assert!(first.returned < second.called);
        assert!(check(&Register(0), &[first, second]).is_ok());
    }

    #[test]
    fn a_history_that_is_too_long_is_refused() {
        let history = vec![call(Op::Read, Some(0), 0, 1); 129];
        assert_eq!(check(&Register(0), &history), Err(Unexplained::TooLong));
    }
}
