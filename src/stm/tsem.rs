//! A semaphore: Haskell's `Control.Concurrent.STM.TSem`.
//!
//! **The promise.** A count of permits. Waiting takes one, or waits until there is one; signalling adds one.
//! Both are parts of their transactions, so a permit is taken only if the rest commits too.
//!
//! **The algorithm.** A [`TVar`] that holds the count; waiting is [`retry`](super::retry).
//!
//! **Differences from Haskell.** The count has 64 bits and stops at its greatest value instead of growing without
//! bound. A negative count to begin with is allowed, as there: so many signals are needed before the first permit.
//! Neither is fair: all threads that wait wake up, and one of them gets the permit.
//!
//! **Tests.** `tests/stm_laws/tsem.rs`.

use super::error::StmResult;
use super::transaction::{Transaction, guard};
use super::tvar::TVar;
use std::fmt;

/// A semaphore that transactions share. A clone is another handle to the same semaphore.
///
/// ```
/// use simplex_stores::stm::{TSem, atomically};
///
/// let permits = TSem::new(1);
/// atomically(|tx| permits.wait(tx));
/// let second = atomically(|tx| tx.or_else(|tx| permits.wait(tx).map(|()| true), |_| Ok(false)));
/// assert!(!second);
/// atomically(|tx| permits.signal(tx));
/// ```
#[derive(Clone)]
pub struct TSem {
    permits: TVar<i64>,
}

impl TSem {
    /// A new semaphore with so many permits: `newTSem`.
    #[must_use]
    pub fn new(permits: i64) -> Self {
        TSem { permits: TVar::new(permits) }
    }

    /// Takes a permit; waits while there is none: `waitTSem`.
    ///
    /// # Errors
    ///
    /// When it has to wait; see [`retry`](super::retry).
    pub fn wait(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        let permits = self.permits.read(tx)?;
        guard(permits > 0)?;
        self.permits.write(tx, permits - 1)
    }

    /// Adds a permit: `signalTSem`.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError).
    pub fn signal(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        self.signal_n(tx, 1)
    }

    /// Adds `n` permits in one step: `signalTSemN`.
    ///
    /// # Errors
    ///
    /// As [`signal`](TSem::signal).
    pub fn signal_n(&self, tx: &mut Transaction<'_>, n: u64) -> StmResult<()> {
        self.permits.modify(tx, |permits| permits.saturating_add_unsigned(n))
    }

    /// How many permits there are, outside of any transaction; negative while signals are owed.
    #[must_use]
    pub fn permits_atomic(&self) -> i64 {
        self.permits.read_atomic()
    }

    /// Whether both are handles to one semaphore.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.permits.ptr_eq(&other.permits)
    }
}

impl fmt::Debug for TSem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TSem {{ permits: {} }}", self.permits_atomic())
    }
}
