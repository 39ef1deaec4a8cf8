//! Numbers for transactions, in the order in which they commit.
//!
//! **The promise.** Of two transactions with numbers of which one depends on the other, directly or through others, the one that comes first in
//! the serial order has the smaller one; so does one that had ended before the other began. There are no gaps: each number goes to a
//! transaction that commits, or is reported as unused. Of two that have nothing to do with each other, either may have the smaller one, whichever a
//! third transaction happens to see first: replayed by their numbers, they give the same state.
//!
//! **The algorithm.** On the native engine a commit takes the next number when it holds its locks, beside the clock's, and before it
//! checks what it read; a number whose commit then fails is unused. So transactions with numbers
//! don't conflict on them. On the other engines the number is a variable like any other.
//!
//! **Why the ordering is right.** A later transaction that depends on an earlier one has read what the earlier published after it had its number, or
//! writes what the earlier read: then it got its lock after the earlier one had found it free, and that was after the earlier had its number.
//!
//! **Tests.** `tests/stm_laws/sequence.rs`; under loom `loom-tests/tests/stm_native.rs`.

use super::error::StmResult;
use super::transaction::Transaction;
#[cfg(not(native_engine))]
use super::tvar::TVar;
#[cfg(native_engine)]
use crate::sync::atomic::{AtomicU64, Ordering};
#[cfg(native_engine)]
use std::sync::Arc;

/// Gives numbers to transactions in the order in which they commit, beginning with 1.
///
/// For what must leave the memory in that order: a journal, a stream of changes. See
/// [`try_atomically_numbered`](super::try_atomically_numbered). A clone is another handle to the same sequence.
#[derive(Clone, Debug)]
pub struct Sequence {
    #[cfg(native_engine)]
    last: Arc<AtomicU64>,
    #[cfg(not(native_engine))]
    last: TVar<u64>,
}

impl Default for Sequence {
    fn default() -> Self {
        Sequence::new()
    }
}

impl Sequence {
    /// A sequence of which no number was given yet.
    #[must_use]
    pub fn new() -> Self {
        Sequence {
            #[cfg(native_engine)]
            last: Arc::new(AtomicU64::new(0)),
            #[cfg(not(native_engine))]
            last: TVar::new(0),
        }
    }

    /// Makes the transaction take a number when it commits, one however often this is called. That stays so when it was a branch
    /// that is taken back.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError).
    pub fn take(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        tx.take_number(self);
        Ok(())
    }

    /// The greatest number that was given, zero before the first. Another may be given at any time, unless
    /// a variable that all takers read keeps them from it.
    #[must_use]
    pub fn last(&self) -> u64 {
        #[cfg(native_engine)]
        return self.last.load(Ordering::Acquire);
        #[cfg(not(native_engine))]
        self.last.read_atomic()
    }

    /// The next number, for a commit that holds its locks.
    #[cfg(native_engine)]
    pub(super) fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The next number, as the last step of a transaction.
    #[cfg(not(native_engine))]
    pub(super) fn next(&self, tx: &mut Transaction<'_>) -> StmResult<u64> {
        self.last.update(tx, |last| {
            *last += 1;
            *last
        })
    }
}
