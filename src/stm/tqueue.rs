//! A queue without a bound: Haskell's `Control.Concurrent.STM.TQueue`.
//!
//! **The promise.** First in, first out. Reading waits for an element; writing never waits.
//!
//! **The algorithm.** Two lists in two variables: writers push onto the back list, readers pop from the front
//! list, and a reader that finds the front list empty turns the back list around and takes it over. So
//! readers and writers touch different variables and rarely conflict, and each element is moved
//! once: constant time on average.
//!
//! **Differences from Haskell.** Turning the list around is done at once, not when its result is needed,
//! so the reader that does it runs for as long as the list is; a stream of writers can make it run again, until
//! the engine's fallback lets it go first.
//!
//! **Tests.** `tests/stm_laws/tqueue.rs`: random operations against `VecDeque`, threads that produce and
//! consume; `loom-tests/tests/stm_laws.rs`.

use super::error::StmResult;
use super::list::List;
use super::transaction::{Transaction, retry};
use super::tvar::TVar;
use std::fmt;

/// A queue that transactions share. A clone is another handle to the same queue.
///
/// ```
/// use simplex_stores::stm::{TQueue, atomically};
///
/// let jobs = TQueue::new();
/// atomically(|tx| {
///     jobs.write(tx, "first")?;
///     jobs.write(tx, "second")
/// });
/// assert_eq!(atomically(|tx| jobs.read(tx)), "first");
/// ```
pub struct TQueue<T> {
    front: TVar<List<T>>,
    back: TVar<List<T>>,
}

impl<T: Clone + Send + Sync + 'static> TQueue<T> {
    /// A new empty queue: `newTQueue`.
    #[must_use]
    pub fn new() -> Self {
        TQueue { front: TVar::new(List::EMPTY), back: TVar::new(List::EMPTY) }
    }

    /// Adds an element at the end: `writeTQueue`.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError). The same holds for the other methods that don't wait.
    pub fn write(&self, tx: &mut Transaction<'_>, element: T) -> StmResult<()> {
        self.back.modify(tx, |back| back.push(element))
    }

    /// Takes the first element; waits while there is none: `readTQueue`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn read(&self, tx: &mut Transaction<'_>) -> StmResult<T> {
        match self.try_read(tx)? {
            Some(element) => Ok(element),
            None => retry(),
        }
    }

    /// Takes the first element if there is one: `tryReadTQueue`.
    ///
    /// # Errors
    ///
    /// As [`write`](TQueue::write).
    pub fn try_read(&self, tx: &mut Transaction<'_>) -> StmResult<Option<T>> {
        let front = self.fill_front(tx)?;
        match front.pop() {
            Some((element, rest)) => self.front.write(tx, rest).map(|()| Some(element)),
            None => Ok(None),
        }
    }

    /// Takes all elements, first to last; never waits: `flushTQueue`.
    ///
    /// # Errors
    ///
    /// As [`write`](TQueue::write).
    pub fn flush(&self, tx: &mut Transaction<'_>) -> StmResult<Vec<T>> {
        let (front, back) = (self.front.read(tx)?, self.back.read(tx)?);
        if !front.is_empty() {
            self.front.write(tx, List::EMPTY)?;
        }
        if !back.is_empty() {
            self.back.write(tx, List::EMPTY)?;
        }
        Ok(front.iter().chain(back.reversed().iter()).cloned().collect())
    }

    /// A copy of the first element, which stays; waits while there is none: `peekTQueue`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn peek(&self, tx: &mut Transaction<'_>) -> StmResult<T> {
        match self.try_peek(tx)? {
            Some(element) => Ok(element),
            None => retry(),
        }
    }

    /// A copy of the first element, which stays, if there is one: `tryPeekTQueue`.
    ///
    /// # Errors
    ///
    /// As [`write`](TQueue::write).
    pub fn try_peek(&self, tx: &mut Transaction<'_>) -> StmResult<Option<T>> {
        Ok(self.fill_front(tx)?.first().cloned())
    }

    /// Puts an element back, to be the first: `unGetTQueue`.
    ///
    /// # Errors
    ///
    /// As [`write`](TQueue::write).
    pub fn unget(&self, tx: &mut Transaction<'_>, element: T) -> StmResult<()> {
        self.front.modify(tx, |front| front.push(element))
    }

    /// Whether there is no element: `isEmptyTQueue`.
    ///
    /// # Errors
    ///
    /// As [`write`](TQueue::write).
    pub fn is_empty(&self, tx: &mut Transaction<'_>) -> StmResult<bool> {
        Ok(self.front.with(tx, List::is_empty)? && self.back.with(tx, List::is_empty)?)
    }

    /// The front list; takes over the back list when it is empty and that isn't.
    fn fill_front(&self, tx: &mut Transaction<'_>) -> StmResult<List<T>> {
        let front = self.front.read(tx)?;
        if !front.is_empty() {
            return Ok(front);
        }
        let back = self.back.read(tx)?;
        if back.is_empty() {
            return Ok(front);
        }
        let front = back.reversed();
        self.back.write(tx, List::EMPTY)?;
        self.front.write(tx, front.clone())?;
        Ok(front)
    }
}

impl<T> Clone for TQueue<T> {
    fn clone(&self) -> Self {
        TQueue { front: self.front.clone(), back: self.back.clone() }
    }
}

impl<T: Clone + Send + Sync + 'static> Default for TQueue<T> {
    fn default() -> Self {
        TQueue::new()
    }
}

impl<T> fmt::Debug for TQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TQueue { .. }")
    }
}
