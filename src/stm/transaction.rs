//! Running transactions, and the ways that one can end.
//!
//! **The promise.** All of a transaction happens at one moment, or nothing of it does.
//!
//! **The algorithm.** The body runs against a private `Log`. When it returns, the engine checks that
//! everything it read still stands and, in the same step, publishes what it wrote; when something
//! changed meanwhile, the log is thrown away and the body runs again. Everything else comes from
//! how little of the log is kept: `or_else` takes back the writes of a left branch that retried and
//! keeps its reads; an abort takes back every write and still has the reads checked; a retry waits
//! until one of the reads changes; a panic drops the log.
//!
//! **Why the ordering is right.** Nothing is published before the body has returned, so there is
//! never anything to undo in a shared place. Values that a transaction replaced or discarded are
//! dropped after it ended: a destructor may use variables, or start a transaction of its own.
//!
//! **Tests.** `tests/stm_laws/`, one file a law, on every engine.

use super::engine::{self, End, Reader, Step, Value, Var};
use super::error::{Reason, StmError, StmResult, Stop, TxError, TxResult};
use super::log::Log;
use super::sequence::Sequence;
use super::stats::Count;
use crate::sync;
use std::cell::Cell;
use std::fmt;
use std::panic::resume_unwind;

/// A transaction while it runs: the handle through which its parts reach the variables.
///
/// [`atomically`] and [`try_atomically`] make one and lend it to their body. A function that is to
/// be a part of larger transactions takes `&mut Transaction<'_>` and returns [`StmResult`], or
/// [`TxResult`] when it can abort.
pub struct Transaction<'t> {
    log: &'t mut Log,
    reader: Reader<'t>,
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction { .. }")
    }
}

/// Runs `body` as one transaction and returns what it returned.
///
/// The body may run several times, so it should do nothing but use variables: no input or output, no
/// locks, no waiting for other threads. It is run again when another transaction changed something
/// that it read; when it ends in [`retry`], the thread sleeps until something it read changes.
///
/// ```
/// use simplex_stores::stm::{TVar, atomically};
///
/// let (from, to) = (TVar::new(10), TVar::new(0));
/// let moved = atomically(|tx| {
///     let amount = from.replace(tx, 0)?;
///     to.modify(tx, |balance| balance + amount)?;
///     Ok(amount)
/// });
/// assert_eq!((moved, from.read_atomic(), to.read_atomic()), (10, 0, 10));
/// ```
///
/// # Panics
///
/// When called inside another transaction, whose parts take `&mut Transaction` instead; and when the body retries
/// without having read a variable, since nothing could ever wake it. A panic of the body is passed on; nothing
/// that the body wrote is published then, and every variable stays usable.
pub fn atomically<T>(mut body: impl FnMut(&mut Transaction<'_>) -> StmResult<T>) -> T {
    never_aborted(run(|tx| body(tx).map_err(TxError::Stm)))
}

pub(super) enum Never {}

pub(super) fn never_aborted<T>(done: Result<T, Never>) -> T {
    match done {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// Runs `body` as one transaction that may end itself with an error of its own.
///
/// When the body ends in [`abort`], everything that it wrote is discarded, and the error is
/// returned once it is certain that what the body read was one consistent state; otherwise the body
/// runs again. In all else this is [`atomically`].
///
/// ```
/// use simplex_stores::stm::{TVar, abort, try_atomically};
///
/// let balance = TVar::new(3);
/// let paid = try_atomically(|tx| {
///     let left = balance.update(tx, |b| { *b -= 5; *b })?;
///     if left < 0 { abort("not enough") } else { Ok(left) }
/// });
/// assert_eq!(paid, Err("not enough"));
/// assert_eq!(balance.read_atomic(), 3);
/// ```
///
/// # Errors
///
/// The error that the body aborted with.
///
/// # Panics
///
/// As [`atomically`].
pub fn try_atomically<T, E>(
    body: impl FnMut(&mut Transaction<'_>) -> TxResult<T, E>,
) -> Result<T, E> {
    run(body)
}

/// Runs `body` as [`try_atomically`] does, and returns also the number that the transaction got from a
/// [`Sequence`], if it [took](Sequence::take) one.
///
/// A number that was taken for a commit which then met a conflict goes to nobody: `unused` is called with it, outside of the
/// transaction and under no lock, before the body runs again.
///
/// ```
/// use simplex_stores::stm::{Sequence, TVar, TxResult, try_atomically_numbered};
///
/// let (balance, changes) = (TVar::new(3), Sequence::new());
/// let (left, number) = try_atomically_numbered(
///     |tx| -> TxResult<_, ()> {
///         changes.take(tx)?;
///         Ok(balance.update(tx, |b| { *b -= 1; *b })?)
///     },
///     |unused| println!("no change has the number {unused}"),
/// )?;
/// assert_eq!((left, number), (2, Some(1)));
/// # Ok::<(), ()>(())
/// ```
///
/// # Errors
///
/// The error that the body aborted with.
///
/// # Panics
///
/// As [`atomically`].
pub fn try_atomically_numbered<T, E>(
    body: impl FnMut(&mut Transaction<'_>) -> TxResult<T, E>,
    mut unused: impl FnMut(u64),
) -> Result<(T, Option<u64>), E> {
    run_numbered(Count::default(), body, &mut unused)
}

/// Waits: gives up this run of the transaction, which starts again when a variable that it has
/// read changes. An [`or_else`](Transaction::or_else) around it runs its other branch instead.
///
/// # Errors
///
/// Always: the error that asks for it.
pub fn retry<T>() -> StmResult<T> {
    Err(StmError(Reason::Retry))
}

/// Goes on when `cond` holds, and [retries](retry) otherwise.
///
/// # Errors
///
/// As [`retry`], when `cond` doesn't hold.
pub fn guard(cond: bool) -> StmResult<()> {
    if cond { Ok(()) } else { retry() }
}

/// Ends the transaction with an error; nothing that it wrote is published.
///
/// # Errors
///
/// Always: the error that asks for it.
pub fn abort<T, E>(error: E) -> TxResult<T, E> {
    Err(TxError::Abort(error))
}

fn run<T, E>(body: impl FnMut(&mut Transaction<'_>) -> TxResult<T, E>) -> Result<T, E> {
    run_numbered(Count::default(), body, &mut |_| {}).map(|(value, _)| value)
}

pub(super) fn run_numbered<T, E>(
    count: Count,
    mut body: impl FnMut(&mut Transaction<'_>) -> TxResult<T, E>,
    unused: &mut dyn FnMut(u64),
) -> Result<(T, Option<u64>), E> {
    let running = Running::enter();
    let mut log = Log::take();
    log.count = count;
    let mut result = None;
    let mut body = |tx: &mut Transaction<'_>| match body(tx).and_then(|value| {
        tx.number()?;
        Ok(value)
    }) {
        Ok(value) => {
            result = Some(Ok(value));
            Step::Commit
        }
        Err(TxError::Abort(error)) => {
            result = Some(Err(error));
            Step::Discard
        }
        Err(TxError::Stm(StmError(Reason::Retry))) => Step::Retry,
        Err(TxError::Stm(StmError(Reason::Conflict))) => Step::Conflict,
    };
    let end = engine::run(&mut log, &mut body, unused);
    let number = log.number;
    // From here on the thread may run transactions again: emptying the log can start one.
    drop(running);
    log.give_back();
    match (end, result) {
        (End::Done, Some(result)) => {
            count.add(|counters| &counters.commits, 1);
            result.map(|value| (value, number))
        }
        (End::Panicked(payload), _) => resume_unwind(payload),
        (End::NothingToWaitFor, _) => refuse_empty_retry(),
        (End::Done, None) => unreachable!("a transaction ended without a result"),
    }
}

#[allow(clippy::panic, reason = "a mistake in the program, documented under # Panics")]
fn refuse_empty_retry() -> ! {
    panic!("a transaction retries without having read any variable: nothing could ever wake it")
}

sync::thread_local! {
    static RUNNING: Cell<bool> = Cell::default();
}

/// Whether a transaction runs on this thread.
#[cfg_attr(
    any(not(any(loom, shuttle)), native_engine),
    allow(dead_code, reason = "the model engine asks")
)]
pub(super) fn is_running() -> bool {
    RUNNING.try_with(Cell::get).unwrap_or(false)
}

/// Does `work` as if no transaction ran on this thread, even if one does: for the pauses between its runs, and for
/// destructors.
#[cfg_attr(
    any(loom, shuttle),
    allow(dead_code, reason = "the model engine never pauses without its lock")
)]
pub(super) fn outside<R>(work: impl FnOnce() -> R) -> R {
    let was_running = RUNNING.try_with(|running| running.replace(false)).unwrap_or(false);
    let result = work();
    let _ = RUNNING.try_with(|running| running.set(was_running));
    result
}

/// Marks that a transaction runs on this thread, until dropped.
struct Running;

impl Running {
    #[allow(clippy::panic, reason = "a mistake in the program, documented under # Panics")]
    fn enter() -> Running {
        // While the thread ends, its flag may be gone already: then nothing runs around us.
        let nested = RUNNING.try_with(|running| running.replace(true)).unwrap_or(false);
        if nested {
            panic!(
                "a transaction was started inside another one: pass `&mut Transaction` to the \
                 inner part instead of calling `atomically` in it"
            );
        }
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A model checker ends the threads of a failed execution by unwinding them, when their locals are gone.
        if cfg!(any(loom, shuttle)) && std::thread::panicking() {
            return;
        }
        let _ = RUNNING.try_with(|running| running.set(false));
    }
}

impl<'t> Transaction<'t> {
    pub(super) fn new(log: &'t mut Log, reader: Reader<'t>) -> Self {
        Transaction { log, reader }
    }

    /// Runs `left`; when that retries, takes its writes back and runs `right` instead.
    ///
    /// What `left` read still counts: the transaction commits only if it still stands, and when
    /// `right` retries too, a change to anything that either branch read wakes the thread. An abort in
    /// `left` ends the transaction; it does not run `right`.
    ///
    /// ```
    /// use simplex_stores::stm::{TVar, atomically, guard};
    ///
    /// let (first, second) = (TVar::new(0), TVar::new(7));
    /// let taken = atomically(|tx| {
    ///     tx.or_else(
    ///         |tx| { let n = first.replace(tx, 0)?; guard(n > 0)?; Ok(n) },
    ///         |tx| { let n = second.replace(tx, 0)?; guard(n > 0)?; Ok(n) },
    ///     )
    /// });
    /// assert_eq!(taken, 7);
    /// ```
    ///
    /// # Errors
    ///
    /// What the branch that ran last returned.
    pub fn or_else<T, E: Stop>(
        &mut self,
        left: impl FnOnce(&mut Transaction<'t>) -> Result<T, E>,
        right: impl FnOnce(&mut Transaction<'t>) -> Result<T, E>,
    ) -> Result<T, E> {
        let checkpoint = self.log.checkpoint();
        match left(self) {
            Err(error) if error.is_retry() => {
                self.log.roll_back(checkpoint);
                right(self)
            }
            result => {
                self.log.keep(checkpoint);
                result
            }
        }
    }

    /// Runs `part`; when that aborts, takes its writes back and returns its error as a value, and the
    /// transaction goes on. What the part read still counts.
    ///
    /// ```
    /// use simplex_stores::stm::{TVar, abort, atomically};
    ///
    /// let n = TVar::new(1);
    /// let caught = atomically(|tx| {
    ///     tx.catch_abort(|tx| {
    ///         n.write(tx, 2)?;
    ///         abort::<(), _>("no")
    ///     })
    /// });
    /// assert_eq!((caught, n.read_atomic()), (Err("no"), 1));
    /// ```
    ///
    /// # Errors
    ///
    /// When the part retries or meets a conflict.
    pub fn catch_abort<T, E>(
        &mut self,
        part: impl FnOnce(&mut Transaction<'t>) -> TxResult<T, E>,
    ) -> StmResult<Result<T, E>> {
        let checkpoint = self.log.checkpoint();
        match part(self) {
            Err(TxError::Abort(error)) => {
                self.log.roll_back(checkpoint);
                Ok(Err(error))
            }
            result => {
                self.log.keep(checkpoint);
                match result {
                    Ok(value) => Ok(Ok(value)),
                    Err(TxError::Stm(error)) => Err(error),
                    Err(TxError::Abort(error)) => Ok(Err(error)),
                }
            }
        }
    }

    /// Takes a number of the sequence at the end.
    pub(super) fn take_number(&mut self, sequence: &Sequence) {
        if self.log.sequence.is_none() {
            self.log.sequence = Some(sequence.clone());
        }
    }

    /// The body has ended: where a number is a variable, now is the time to take it.
    #[cfg(not(native_engine))]
    fn number(&mut self) -> StmResult<()> {
        if let Some(sequence) = self.log.sequence.clone() {
            self.log.number = Some(sequence.next(self)?);
        }
        Ok(())
    }

    /// The commit takes the number.
    #[cfg(native_engine)]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on the other engines")]
    fn number(&mut self) -> StmResult<()> {
        Ok(())
    }

    /// The maps that this transaction came to.
    #[cfg(native_engine)]
    pub(super) fn parts(&mut self) -> &mut engine::Parts {
        &mut self.log.parts
    }

    /// The number of the innermost branch; 0 outside all of them.
    #[cfg(native_engine)]
    pub(super) fn branch(&self) -> u64 {
        self.log.branch()
    }

    /// What `look` finds, which it gives with the version since which that is so, as this transaction sees it.
    #[cfg(native_engine)]
    pub(super) fn read_newest<T>(&mut self, look: impl Fn() -> (T, u64)) -> StmResult<T> {
        self.reader.read_newest(self.log, look)
    }

    /// Goes on at a later time, if everything that was read still stands then.
    #[cfg(native_engine)]
    pub(super) fn extend_to(&mut self, time: u64) -> StmResult<()> {
        self.reader.extend_to(self.log, time)
    }

    /// The value of `var` as this transaction sees it.
    pub(super) fn read(&mut self, var: &Var) -> StmResult<&Value> {
        let (at, entry) = self.log.entry(var);
        if entry.written.is_none() && entry.read.is_none() {
            let value = self.reader.read(var, self.log)?;
            self.log.entries_mut()[at].read = Some(value);
        }
        let entry = &self.log.entries()[at];
        match (&entry.written, &entry.read) {
            (Some(value), _) | (None, Some(value)) => Ok(value),
            (None, None) => retry(),
        }
    }

    /// Sets what `var` will hold.
    pub(super) fn write(&mut self, var: &Var, value: Value) {
        let (at, _) = self.log.entry(var);
        self.log.before_write(at);
        self.log.entries_mut()[at].written = Some(value);
    }

    /// What `var` will hold, to be changed by the caller, if this transaction has written it.
    pub(super) fn written_mut(&mut self, var: &Var) -> Option<&mut Value> {
        let (at, entry) = self.log.entry(var);
        entry.written.as_ref()?;
        self.log.before_write(at);
        self.log.entries_mut()[at].written.as_mut()
    }
}
