//! Who may change the store, and in which order changes reach the journal.
//!
//! One transactional variable says who may. Every change reads it, so once the store is closed no further one gets a
//! number, and the last number is the last.

use super::StmQueueStore;
use crate::protocol::ErrorType;
use crate::queue_store::QueueFactory;
use crate::stm::{StmResult, Transaction, TxResult, abort, atomically, guard};
use crate::store_log::LogRecord;

/// The text of `STORE` when the store is closed: fixed, since it reaches clients (RACE-17).
const CLOSED: &str = "closed";
/// The text of `STORE` when the journal failed.
const JOURNAL_FAILED: &str = "journal write failed";

/// The store's state towards change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Control {
    closed: bool,
    /// Somebody reads the whole store: changes wait.
    frozen: bool,
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// Every part that changes something starts here: refused when closed, waits while frozen.
    pub(crate) fn admit(&self, tx: &mut Transaction<'_>) -> TxResult<(), ErrorType> {
        let control = self.control.read(tx)?;
        if control.closed {
            return abort(ErrorType::Store(CLOSED.into()));
        }
        Ok(guard(!control.frozen)?)
    }

    /// Lookups outside a transaction start here.
    pub(crate) fn check_open(&self) -> Result<(), ErrorType> {
        if self.control.with_atomic(|control| control.closed) {
            return Err(ErrorType::Store(CLOSED.into()));
        }
        Ok(())
    }

    /// A journal that failed once accepts nothing more (RACE-3).
    pub(crate) fn check_journal(&self) -> Result<(), ErrorType> {
        match &self.journal {
            Some(journal) if journal.is_broken() => Err(ErrorType::Store(JOURNAL_FAILED.into())),
            _ => Ok(()),
        }
    }

    /// Makes a transaction that journals something take a number when it commits.
    pub(crate) fn number(&self, tx: &mut Transaction<'_>, records: &[LogRecord]) -> StmResult<()> {
        match self.journal.is_some() && !records.is_empty() {
            true => self.sequence.take(tx),
            false => Ok(()),
        }
    }

    /// Hands a committed transaction's records to the journal and waits as its durability says.
    ///
    /// Nothing between the commit and this call may fail or run user code: a number that is taken
    /// and never submitted would hold up every later one (RACE-2).
    pub(crate) fn append(&self, number: u64, records: Vec<LogRecord>) -> Result<(), ErrorType> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        journal.submit(number, records).wait().map_err(|error| {
            tracing::error!(%error, "a change could not be written to the store log");
            ErrorType::Store(JOURNAL_FAILED.into())
        })
    }

    /// Nothing will be journalled under this number.
    pub(crate) fn skip(&self, number: u64) {
        if let Some(journal) = &self.journal {
            // On a journal that takes nothing any more, nobody waits for the number either.
            drop(journal.submit(number, Vec::new()));
        }
    }

    /// Refuses further changes and closes the journal after the last one that was committed.
    pub(crate) fn shut(&self) -> Result<(), ErrorType> {
        atomically(|tx| self.control.update(tx, |control| control.closed = true));
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        journal.close_after(self.sequence.last()).map_err(|error| {
            tracing::error!(%error, "the store log could not be closed");
            ErrorType::Store(JOURNAL_FAILED.into())
        })
    }

    /// Runs `read` while no change commits, so that plain reads of many cells are one moment.
    pub(crate) fn while_frozen<T>(&self, read: impl FnOnce() -> T) -> T {
        atomically(|tx| {
            let frozen = self.control.with(tx, |control| control.frozen)?;
            guard(!frozen)?;
            self.control.update(tx, |control| control.frozen = true)
        });
        let _thaw = Thaw(self);
        read()
    }
}

/// Lets changes go on, also when the reader panics.
struct Thaw<'a, F: QueueFactory>(&'a StmQueueStore<F>);

impl<F: QueueFactory> Drop for Thaw<'_, F> {
    fn drop(&mut self) {
        atomically(|tx| self.0.control.update(tx, |control| control.frozen = false));
    }
}
