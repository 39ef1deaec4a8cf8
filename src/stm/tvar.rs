//! A transactional variable: Haskell's `Control.Concurrent.STM.TVar`.
//!
//! **The promise.** The value is read and replaced as a whole, by transactions; a transaction that read it
//! commits only if nothing has replaced it since.
//!
//! **The algorithm.** The engine keeps the value behind an `Arc`. Reading shares it, and writing puts a new one
//! in its place, so a reader never waits for a writer that is still running.
//!
//! **Differences from Haskell.** [`with`](TVar::with) and [`update`](TVar::update) work on the value in place,
//! without a copy. `Debug` shows the committed value where Haskell has no `Show`. There is no
//! `registerDelay`: a thread that wants to wake another after a while writes a variable.
//!
//! **Tests.** `tests/stm_laws/`, `tests/stm_laws/tvar.rs`.

use super::conflicts::VarId;
use super::engine::{Value, Var};
use super::error::StmResult;
use super::transaction::Transaction;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A variable that transactions share. A clone is another handle to the same variable.
///
/// ```
/// use simplex_stores::stm::{TVar, atomically};
///
/// let seen = TVar::new(vec!["a"]);
/// let length = atomically(|tx| seen.update(tx, |names| { names.push("b"); names.len() }));
/// assert_eq!(length, 2);
/// assert_eq!(seen.read_atomic(), ["a", "b"]);
/// ```
pub struct TVar<T> {
    var: Var,
    holds: PhantomData<fn(T) -> T>,
}

impl<T: Send + Sync + 'static> TVar<T> {
    /// A new variable. It can be made inside or outside of a transaction; it isn't shared until a
    /// transaction that stores it somewhere has committed.
    pub fn new(value: T) -> Self {
        TVar { var: Var::new(Arc::new(value)), holds: PhantomData }
    }

    /// A copy of the value as the transaction sees it: what it wrote itself, or else what was
    /// committed when it first looked.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError). The same holds for the other methods that take a transaction.
    pub fn read(&self, tx: &mut Transaction<'_>) -> StmResult<T>
    where
        T: Clone,
    {
        self.with(tx, T::clone)
    }

    /// Looks at the value without copying it.
    ///
    /// # Errors
    ///
    /// As [`read`](TVar::read).
    pub fn with<R>(&self, tx: &mut Transaction<'_>, look: impl FnOnce(&T) -> R) -> StmResult<R> {
        Ok(look(known(tx.read(&self.var)?)))
    }

    /// Replaces the value, whatever it was: the transaction doesn't come to depend on it.
    ///
    /// # Errors
    ///
    /// As [`read`](TVar::read).
    pub fn write(&self, tx: &mut Transaction<'_>, value: T) -> StmResult<()> {
        tx.write(&self.var, Arc::new(value));
        Ok(())
    }

    /// Replaces the value by what `change` makes of it.
    ///
    /// # Errors
    ///
    /// As [`read`](TVar::read).
    pub fn modify(&self, tx: &mut Transaction<'_>, change: impl FnOnce(T) -> T) -> StmResult<()>
    where
        T: Clone,
    {
        let value = self.read(tx)?;
        self.write(tx, change(value))
    }

    /// Changes the value where it is. A value that this transaction alone holds, because it wrote it before, is not
    /// copied; otherwise it is cloned first.
    ///
    /// # Errors
    ///
    /// As [`read`](TVar::read).
    pub fn update<R>(
        &self,
        tx: &mut Transaction<'_>,
        change: impl FnOnce(&mut T) -> R,
    ) -> StmResult<R>
    where
        T: Clone,
    {
        let Some(value) = tx.written_mut(&self.var) else {
            let mut value = self.read(tx)?;
            let result = change(&mut value);
            self.write(tx, value)?;
            return Ok(result);
        };
        if Arc::get_mut(value).is_none() {
            *value = Arc::new(known::<T>(value).clone());
        }
        match Arc::get_mut(value).and_then(|value| value.downcast_mut()) {
            Some(value) => Ok(change(value)),
            None => unreachable!("the value was just made, for this variable's type"),
        }
    }

    /// Replaces the value and returns the earlier one.
    ///
    /// # Errors
    ///
    /// As [`read`](TVar::read).
    pub fn replace(&self, tx: &mut Transaction<'_>, value: T) -> StmResult<T>
    where
        T: Clone,
    {
        let old = self.read(tx)?;
        self.write(tx, value)?;
        Ok(old)
    }

    /// A copy of the committed value, outside of any transaction. It never waits for one, and says nothing
    /// about any other variable. Inside a transaction, use [`read`](TVar::read).
    pub fn read_atomic(&self) -> T
    where
        T: Clone,
    {
        self.with_atomic(T::clone)
    }

    /// Looks at the committed value without copying it, outside of any transaction. No lock is held meanwhile.
    pub fn with_atomic<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(known(&self.var.committed()))
    }

    /// Tells the variable from all others that exist, for [`conflicts`](super::conflicts).
    pub fn id(&self) -> VarId {
        VarId(self.var.id())
    }

    /// Whether both are handles to one variable.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.var.id() == other.var.id()
    }
}

/// The value as what the variable's type says it is.
fn known<T: 'static>(value: &Value) -> &T {
    let value: &(dyn Any + Send + Sync) = &**value;
    match value.downcast_ref() {
        Some(value) => value,
        None => unreachable!("a variable holds only values of its own type"),
    }
}

impl<T> Clone for TVar<T> {
    fn clone(&self) -> Self {
        TVar { var: self.var.clone(), holds: PhantomData }
    }
}

impl<T: Default + Send + Sync + 'static> Default for TVar<T> {
    fn default() -> Self {
        TVar::new(T::default())
    }
}

impl<T: fmt::Debug + Send + Sync + 'static> fmt::Debug for TVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_atomic(|value| f.debug_tuple("TVar").field(value).finish())
    }
}
