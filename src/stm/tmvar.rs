//! A place that is full or empty: Haskell's `Control.Concurrent.STM.TMVar`.
//!
//! **The promise.** Holds one value or none. Taking waits for a value, putting waits for room, and both
//! are parts of their transactions, so a thread can wait for several places at once.
//!
//! **The algorithm.** A [`TVar`] that holds an option; waiting is [`retry`].
//!
//! **Differences from Haskell.** [`try_put`](TMVar::try_put) gives the value back when there is no
//! room. There is no fairness in either: all threads that wait wake up, and one of them goes on. No
//! `mkWeakTMVar`: drop the handles instead.
//!
//! **Tests.** `tests/stm_laws/tmvar.rs`.

use super::error::StmResult;
use super::transaction::{Transaction, retry};
use super::tvar::TVar;
use std::fmt;

/// A place that transactions share, full or empty. A clone is another handle to the same place.
///
/// ```
/// use simplex_stores::stm::{TMVar, atomically};
///
/// let answer = TMVar::new_empty();
/// atomically(|tx| answer.put(tx, 42));
/// assert_eq!(atomically(|tx| answer.try_put(tx, 43)), Err(43));
/// assert_eq!(atomically(|tx| answer.take(tx)), 42);
/// ```
pub struct TMVar<T> {
    place: TVar<Option<T>>,
}

impl<T: Clone + Send + Sync + 'static> TMVar<T> {
    /// A new place that holds `value`: `newTMVar`.
    pub fn new(value: T) -> Self {
        TMVar { place: TVar::new(Some(value)) }
    }

    /// A new empty place: `newEmptyTMVar`.
    #[must_use]
    pub fn new_empty() -> Self {
        TMVar { place: TVar::new(None) }
    }

    /// Takes the value out; waits while the place is empty: `takeTMVar`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn take(&self, tx: &mut Transaction<'_>) -> StmResult<T> {
        match self.try_take(tx)? {
            Some(value) => Ok(value),
            None => retry(),
        }
    }

    /// Puts a value in; waits while the place is full: `putTMVar`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn put(&self, tx: &mut Transaction<'_>, value: T) -> StmResult<()> {
        match self.try_put(tx, value)? {
            Ok(()) => Ok(()),
            Err(_) => retry(),
        }
    }

    /// A copy of the value, which stays; waits while the place is empty: `readTMVar`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn read(&self, tx: &mut Transaction<'_>) -> StmResult<T> {
        match self.try_read(tx)? {
            Some(value) => Ok(value),
            None => retry(),
        }
    }

    /// Makes the place hold `value`, full or not, without waiting: `writeTMVar`.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError). The same holds for the other methods that don't wait.
    pub fn write(&self, tx: &mut Transaction<'_>, value: T) -> StmResult<()> {
        self.place.write(tx, Some(value))
    }

    /// Puts a value in place of the one that is there and returns that; waits while the place is empty:
    /// `swapTMVar`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`].
    pub fn swap(&self, tx: &mut Transaction<'_>, value: T) -> StmResult<T> {
        let old = self.take(tx)?;
        self.write(tx, value)?;
        Ok(old)
    }

    /// Takes the value out if there is one: `tryTakeTMVar`.
    ///
    /// # Errors
    ///
    /// As [`write`](TMVar::write).
    pub fn try_take(&self, tx: &mut Transaction<'_>) -> StmResult<Option<T>> {
        if self.is_empty(tx)? {
            return Ok(None);
        }
        self.place.update(tx, Option::take)
    }

    /// Puts a value in if there is room; otherwise gives it back: `tryPutTMVar`.
    ///
    /// # Errors
    ///
    /// As [`write`](TMVar::write).
    pub fn try_put(&self, tx: &mut Transaction<'_>, value: T) -> StmResult<Result<(), T>> {
        if !self.is_empty(tx)? {
            return Ok(Err(value));
        }
        self.write(tx, value).map(Ok)
    }

    /// A copy of the value, which stays, if there is one: `tryReadTMVar`.
    ///
    /// # Errors
    ///
    /// As [`write`](TMVar::write).
    pub fn try_read(&self, tx: &mut Transaction<'_>) -> StmResult<Option<T>> {
        self.place.read(tx)
    }

    /// Whether the place is empty: `isEmptyTMVar`.
    ///
    /// # Errors
    ///
    /// As [`write`](TMVar::write).
    pub fn is_empty(&self, tx: &mut Transaction<'_>) -> StmResult<bool> {
        self.place.with(tx, Option::is_none)
    }

    /// Whether both are handles to one place.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.place.ptr_eq(&other.place)
    }
}

impl<T> Clone for TMVar<T> {
    fn clone(&self) -> Self {
        TMVar { place: self.place.clone() }
    }
}

impl<T: Clone + Send + Sync + 'static> Default for TMVar<T> {
    /// An empty place.
    fn default() -> Self {
        TMVar::new_empty()
    }
}

impl<T: fmt::Debug + Send + Sync + 'static> fmt::Debug for TMVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.with_atomic(|value| f.debug_tuple("TMVar").field(value).finish())
    }
}
