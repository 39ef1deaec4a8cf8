//! Transaction parts for notifiers.

use super::StmQueueStore;
use super::records::{live, replace};
use super::service_set::SetChange;
use crate::protocol::{ErrorType, NtfCreds, ServiceRole};
use crate::queue_store::{QueueFactory, StoreQueue};
use crate::stm::{Transaction, TxResult, abort};
use crate::store_log::LogRecord;

impl<F: QueueFactory> StmQueueStore<F> {
    /// Sets the notifier and gives the one it replaced (OP-14, QS-15).
    ///
    /// Aborts with `DUPLICATE_` when the id is in the index, the queue's own present one included.
    /// Under `Strict` a service in the credentials must exist and have the role notifier, and the
    /// notifier enters its set; under `Reference` it does not (QS-26, RACE-24).
    pub fn add_notifier_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        creds: &NtfCreds,
    ) -> TxResult<Option<NtfCreds>, ErrorType> {
        self.admit(tx)?;
        live(tx, queue)?;
        self.require_service(tx, creds.service_id.as_ref(), ServiceRole::Notifier)?;
        self.put_notifier(tx, log, queue, creds)
    }

    /// As [`add_notifier_tx`](Self::add_notifier_tx), without asking whether the service exists.
    pub(super) fn put_notifier(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        creds: &NtfCreds,
    ) -> TxResult<Option<NtfCreds>, ErrorType> {
        let record = live(tx, queue)?;
        if self.notifiers.contains_key(tx, &creds.notifier_id)? {
            return abort(ErrorType::Duplicate);
        }
        let replaced = record.notifier.as_deref().cloned();
        if let Some(old) = &replaced {
            self.notifiers.remove(tx, &old.notifier_id)?;
            self.change_ntf_set(tx, SetChange::Leave, old)?;
        }
        let id = queue.recipient_id();
        replace(tx, queue, &record, |changed| changed.notifier = Some(Box::new(creds.clone())))?;
        let indexed = self.indexed(tx, id)?;
        self.notifiers.insert(tx, creds.notifier_id.clone(), indexed)?;
        if self.is_strict() {
            self.change_ntf_set(tx, SetChange::Enter, creds)?;
        }
        log.push(LogRecord::AddNotifier(id.clone(), Box::new(creds.clone())));
        Ok(replaced)
    }

    /// Removes the notifier and gives it; journalled also when there was none (OP-15, QS-14).
    pub fn delete_notifier_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
    ) -> TxResult<Option<NtfCreds>, ErrorType> {
        self.admit(tx)?;
        let record = live(tx, queue)?;
        let removed = record.notifier.as_deref().cloned();
        if let Some(old) = &removed {
            replace(tx, queue, &record, |changed| changed.notifier = None)?;
            self.notifiers.remove(tx, &old.notifier_id)?;
            self.change_ntf_set(tx, SetChange::Leave, old)?;
        }
        log.push(LogRecord::DeleteNotifier(queue.recipient_id().clone()));
        Ok(removed)
    }
}
