//! Who may change the store, and in which order changes reach the journal.
//!
//! One transactional variable holds both answers, because they must change together: closing
//! reads the last sequence number in the same step that refuses further changes.

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
    /// The sequence number of the last journalled transaction.
    sequence: u64,
}

/// What a committed transaction owes the journal.
pub(crate) struct Entry {
    sequence: u64,
    records: Vec<LogRecord>,
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

    /// Takes the next sequence number, the last step of a transaction that journals something.
    pub(crate) fn sequence(
        &self,
        tx: &mut Transaction<'_>,
        records: Vec<LogRecord>,
    ) -> StmResult<Option<Entry>> {
        if self.journal.is_none() || records.is_empty() {
            return Ok(None);
        }
        let sequence = self.control.update(tx, |control| {
            control.sequence += 1;
            control.sequence
        })?;
        Ok(Some(Entry { sequence, records }))
    }

    /// Hands a committed transaction's records to the journal and waits as its durability says.
    ///
    /// Nothing between the commit and this call may fail or run user code: a number that is taken
    /// and never submitted would hold up every later one (RACE-2).
    pub(crate) fn append(&self, entry: Option<Entry>) -> Result<(), ErrorType> {
        let (Some(journal), Some(entry)) = (&self.journal, entry) else {
            return Ok(());
        };
        journal.submit(entry.sequence, entry.records).wait().map_err(|error| {
            tracing::error!(%error, "a change could not be written to the store log");
            ErrorType::Store(JOURNAL_FAILED.into())
        })
    }

    /// Refuses further changes and closes the journal after the last one that was committed.
    pub(crate) fn shut(&self) -> Result<(), ErrorType> {
        let last = atomically(|tx| {
            self.control.update(tx, |control| {
                control.closed = true;
                control.sequence
            })
        });
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        journal.close_after(last).map_err(|error| {
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
