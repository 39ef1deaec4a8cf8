//! How a queue is changed: the statement, then the cache and the journal, under the queue's lock.

use std::convert::Infallible;
use std::sync::Arc;

use super::DatabaseQueueStore;
use super::fault::{StoreFault, is_out};
use super::locks::Held;
use super::queue_database::{QueueDatabase, Refusal, StatementError};
use crate::db::DbErrorKind;
use crate::protocol::{ErrorType, QueueRec, RecipientId};
use crate::queue_store::{QueueFactory, StoreQueue};
use crate::stm::{StmResult, Transaction, atomically, try_atomically_numbered};
use crate::store_log::LogRecord;

impl<D: QueueDatabase, F: QueueFactory> DatabaseQueueStore<D, F> {
    /// Runs a statement on one queue; when it is done, `edit` changes the record in the cache and in the
    /// object, and `record` goes to the journal.
    ///
    /// The object is asked first whether the queue is deleted (PG-9); everything else is for the
    /// statement to decide.
    pub(super) fn change<T>(
        &self,
        operation: &'static str,
        queue: &F::Queue,
        statement: impl FnOnce(&D, &RecipientId) -> Result<T, StatementError>,
        edit: impl Fn(&mut QueueRec, &T),
        record: impl FnOnce(RecipientId) -> LogRecord,
    ) -> Result<T, ErrorType> {
        let _running = self.control.begin()?;
        let id = queue.recipient_id();
        let held = self.locks().hold(vec![id.clone()]);
        if queue.record().with_atomic(Option::is_none) {
            return Err(ErrorType::Auth);
        }
        match statement(&self.db, id) {
            Ok(value) => {
                let edit = |record: &mut QueueRec| edit(record, &value);
                self.publish(held, vec![record(id.clone())], |tx| match &self.cache {
                    Some(cache) => cache.edit(tx, queue, &edit),
                    None => edit_record(tx, queue, &edit).map(drop),
                });
                Ok(value)
            }
            Err(error) => Err(self.refuse(operation, held, id, &error)),
        }
    }

    /// Brings a change that the database has made into the cache and gives the lock back, in one
    /// transaction (RACE-41), then writes the journal.
    ///
    /// Records get their numbers in that transaction: for one queue they stand in the journal in the
    /// order of its changes (RACE-1).
    pub(super) fn publish<K>(
        &self,
        held: Held<'_, K>,
        records: Vec<LogRecord>,
        apply: impl Fn(&mut Transaction<'_>) -> StmResult<()>,
    ) where
        K: Clone + Eq + std::hash::Hash + Ord + Send + Sync + 'static,
    {
        if is_out(StoreFault::EarlyRelease) {
            atomically(|tx| held.release(tx));
        }
        let published = try_atomically_numbered(
            |tx| {
                apply(tx)?;
                if let Some(cache) = &self.cache {
                    cache.count_change(tx)?;
                }
                held.release(tx)?;
                Ok::<_, crate::stm::TxError<Infallible>>(self.journal.number(tx, &records)?)
            },
            |unused| self.journal.skip(unused),
        );
        held.done();
        if let Ok(((), Some(number))) = published {
            self.journal.append(number, records);
        }
    }

    /// The answer to a statement that failed. What the cache has is doubted where the database may have
    /// something else (RACE-70).
    pub(super) fn refuse(
        &self,
        operation: &'static str,
        held: Held<'_, RecipientId>,
        id: &RecipientId,
        error: &StatementError,
    ) -> ErrorType {
        self.end_journal_if_unclear(error);
        atomically(|tx| {
            self.doubt(tx, id, error)?;
            match is_out(StoreFault::KeptLocks) {
                true => Ok(()),
                false => held.release(tx),
            }
        });
        held.done();
        self.semantics.answer(operation, error)
    }

    /// Has a queue read again before it is served, where the error leaves open what the database has.
    pub(super) fn doubt(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
        error: &StatementError,
    ) -> StmResult<()> {
        match &self.cache {
            Some(cache) if self.leaves_doubt(error) => {
                cache.doubt(tx, id)?;
                cache.count_change(tx)
            }
            _ => Ok(()),
        }
    }

    /// What may have been changed isn't known, so it can't be journalled (RACE-50).
    pub(super) fn end_journal_if_unclear(&self, error: &StatementError) {
        if is_unclear(error) {
            self.journal.end_with_unclear();
        }
    }

    fn leaves_doubt(&self, error: &StatementError) -> bool {
        match error {
            StatementError::Failed(_) => is_unclear(error),
            // The cached record met the condition, perhaps: another process may have changed the row.
            StatementError::Refused(Refusal::Missing) => self.is_strict(),
            StatementError::Refused(_) => false,
        }
    }
}

fn is_unclear(error: &StatementError) -> bool {
    matches!(error, StatementError::Failed(error) if *error.kind() == DbErrorKind::Unclear)
}

/// Changes an object's record; gives the old and the new one, if it was live.
pub(super) fn edit_record<Q: StoreQueue>(
    tx: &mut Transaction<'_>,
    queue: &Q,
    edit: &impl Fn(&mut QueueRec),
) -> StmResult<Option<(Arc<QueueRec>, Arc<QueueRec>)>> {
    let Some(old) = queue.record().read(tx)? else { return Ok(None) };
    let mut new = QueueRec::clone(&old);
    edit(&mut new);
    let new = Arc::new(new);
    queue.record().write(tx, Some(Arc::clone(&new)))?;
    Ok(Some((old, new)))
}
