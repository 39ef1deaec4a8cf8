//! A queue with a bound: Haskell's `Control.Concurrent.STM.TBQueue`.
//!
//! **The promise.** First in, first out, never more elements than its capacity. Reading waits for an
//! element, writing waits for room.
//!
//! **The algorithm.** The two lists of a [`TQueue`], and the free room in two variables: `spare`, which
//! writers use up, and `freed`, to which readers add. A writer that finds no spare room takes over all that
//! was freed; so readers and writers touch different variables most of the time. After every
//! operation `elements + spare + freed = capacity`, and that is all there is to the bound.
//!
//! **Differences from Haskell.** This is the credit scheme of stm 2.4 and 2.5, not the ring of
//! variables that replaced it later; the two answer alike. Both broke once, in flushing and in counting the
//! capacity, so here every operation that takes elements out accounts for exactly what it took
//! out. Negative capacities can't be written; with a capacity of 0 every write waits for ever, as there. As in
//! [`TQueue`], a list is turned around at once.
//!
//! **Tests.** `tests/stm_laws/tbqueue.rs`: random operations against `VecDeque` with the equation above
//! checked after each, flushing at every fill level, threads that produce and consume; `loom-tests/tests/stm_laws.rs`.

use super::error::StmResult;
use super::tqueue::TQueue;
use super::transaction::{Transaction, retry};
use super::tvar::TVar;
use std::fmt;

/// A queue of limited length that transactions share. A clone is another handle to the same queue.
///
/// ```
/// use simplex_stores::stm::{TBQueue, atomically};
///
/// let jobs = TBQueue::new(2);
/// atomically(|tx| {
///     jobs.write(tx, "first")?;
///     jobs.write(tx, "second")
/// });
/// assert!(atomically(|tx| jobs.is_full(tx)));
/// assert_eq!(atomically(|tx| jobs.flush(tx)), ["first", "second"]);
/// ```
pub struct TBQueue<T> {
    elements: TQueue<T>,
    /// Room that writers may use up without looking at what readers do.
    spare: TVar<usize>,
    /// Room that readers made and no writer has taken over.
    freed: TVar<usize>,
    capacity: usize,
}

impl<T: Clone + Send + Sync + 'static> TBQueue<T> {
    /// A new empty queue for at most `capacity` elements: `newTBQueue`.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        TBQueue {
            elements: TQueue::new(),
            spare: TVar::new(capacity),
            freed: TVar::new(0),
            capacity,
        }
    }

    /// The most elements that it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Adds an element at the end; waits while the queue is full: `writeTBQueue`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn write(&self, tx: &mut Transaction<'_>, element: T) -> StmResult<()> {
        let spare = match self.spare.read(tx)? {
            0 => self.freed.replace(tx, 0)?,
            spare => spare,
        };
        if spare == 0 {
            return retry();
        }
        self.spare.write(tx, spare - 1)?;
        self.elements.write(tx, element)
    }

    /// Takes the first element; waits while there is none: `readTBQueue`.
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

    /// Takes the first element if there is one: `tryReadTBQueue`.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError). The same holds for the other methods that don't wait.
    pub fn try_read(&self, tx: &mut Transaction<'_>) -> StmResult<Option<T>> {
        let element = self.elements.try_read(tx)?;
        if element.is_some() {
            self.freed.update(tx, |freed| *freed += 1)?;
        }
        Ok(element)
    }

    /// Takes all elements, first to last; never waits: `flushTBQueue`.
    ///
    /// # Errors
    ///
    /// As [`try_read`](TBQueue::try_read).
    pub fn flush(&self, tx: &mut Transaction<'_>) -> StmResult<Vec<T>> {
        let elements = self.elements.flush(tx)?;
        if !elements.is_empty() {
            self.freed.update(tx, |freed| *freed += elements.len())?;
        }
        Ok(elements)
    }

    /// A copy of the first element, which stays; waits while there is none: `peekTBQueue`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn peek(&self, tx: &mut Transaction<'_>) -> StmResult<T> {
        self.elements.peek(tx)
    }

    /// A copy of the first element, which stays, if there is one: `tryPeekTBQueue`.
    ///
    /// # Errors
    ///
    /// As [`try_read`](TBQueue::try_read).
    pub fn try_peek(&self, tx: &mut Transaction<'_>) -> StmResult<Option<T>> {
        self.elements.try_peek(tx)
    }

    /// Puts an element back, to be the first; waits while the queue is full: `unGetTBQueue`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn unget(&self, tx: &mut Transaction<'_>, element: T) -> StmResult<()> {
        // The reader's own room first: who puts back what it just took touches no writer's variable.
        let freed = self.freed.read(tx)?;
        if freed > 0 {
            self.freed.write(tx, freed - 1)?;
        } else {
            let spare = self.spare.read(tx)?;
            if spare == 0 {
                return retry();
            }
            self.spare.write(tx, spare - 1)?;
        }
        self.elements.unget(tx, element)
    }

    /// How many elements there are: `lengthTBQueue`.
    ///
    /// # Errors
    ///
    /// As [`try_read`](TBQueue::try_read).
    pub fn len(&self, tx: &mut Transaction<'_>) -> StmResult<usize> {
        let room = self.spare.read(tx)? + self.freed.read(tx)?;
        Ok(self.capacity.saturating_sub(room))
    }

    /// Whether there is no element: `isEmptyTBQueue`.
    ///
    /// # Errors
    ///
    /// As [`try_read`](TBQueue::try_read).
    pub fn is_empty(&self, tx: &mut Transaction<'_>) -> StmResult<bool> {
        self.elements.is_empty(tx)
    }

    /// Whether a write would wait: `isFullTBQueue`.
    ///
    /// # Errors
    ///
    /// As [`try_read`](TBQueue::try_read).
    pub fn is_full(&self, tx: &mut Transaction<'_>) -> StmResult<bool> {
        Ok(self.spare.read(tx)? == 0 && self.freed.read(tx)? == 0)
    }
}

impl<T> Clone for TBQueue<T> {
    fn clone(&self) -> Self {
        TBQueue {
            elements: self.elements.clone(),
            spare: self.spare.clone(),
            freed: self.freed.clone(),
            capacity: self.capacity,
        }
    }
}

impl<T> fmt::Debug for TBQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TBQueue {{ capacity: {}, .. }}", self.capacity)
    }
}
