//! The store's own journal, beside the database (PG-17).
//!
//! The database is the authority: a record that can't be written fails no operation. It is counted, and
//! nothing is written after it, so that the file ends where it is still true (RACE-50).

use crate::protocol::ErrorType;
use crate::stm::{Sequence, StmResult, Transaction};
use crate::store_log::{Journal, LogRecord};
use crate::sync::atomic::{AtomicU64, Ordering};

/// A journal, or none.
pub(super) struct ExtraJournal {
    journal: Option<Journal>,
    sequence: Sequence,
    lost: AtomicU64,
}

impl ExtraJournal {
    pub(super) fn new(journal: Option<Journal>) -> Self {
        Self { journal, sequence: Sequence::new(), lost: AtomicU64::new(0) }
    }

    /// Makes a transaction that journals something take a number when it commits.
    pub(super) fn number(&self, tx: &mut Transaction<'_>, records: &[LogRecord]) -> StmResult<()> {
        match self.journal.is_some() && !records.is_empty() {
            true => self.sequence.take(tx),
            false => Ok(()),
        }
    }

    /// Nothing will be journalled under this number.
    pub(super) fn skip(&self, number: u64) {
        if let Some(journal) = &self.journal {
            // On a journal that takes nothing any more, nobody waits for the number either.
            drop(journal.submit(number, Vec::new()));
        }
    }

    /// Writes the records of a transaction that got this number.
    pub(super) fn append(&self, number: u64, records: Vec<LogRecord>) {
        let Some(journal) = &self.journal else { return };
        let count = records.len() as u64;
        if self.lost() > 0 {
            self.lost.fetch_add(count, Ordering::Relaxed);
            return self.skip(number);
        }
        if let Err(error) = journal.submit(number, records).wait() {
            self.lost.fetch_add(count, Ordering::Relaxed);
            tracing::warn!(%error, "the journal beside the database is behind it from now on");
        }
    }

    /// A change may have been made, or was, of which nothing can be journalled: here the journal ends.
    pub(super) fn end_with_unclear(&self) {
        if self.journal.is_some() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("it is unclear what was changed: the journal beside the database ends");
        }
    }

    /// How many records the journal lacks. More than none: make it again by an export.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Closes the journal after the last record that was numbered.
    pub(super) fn close(&self) -> Result<(), ErrorType> {
        let Some(journal) = &self.journal else { return Ok(()) };
        journal.close_after(self.sequence.last()).map_err(|error| {
            tracing::error!(%error, "the journal beside the database could not be closed");
            ErrorType::Store("journal write failed".into())
        })
    }
}
