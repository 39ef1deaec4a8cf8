//! Transaction parts that change only a queue's own record: keys, status, update date.

use std::sync::Arc;

use super::StmQueueStore;
use crate::protocol::{
    AuthKey, BlockingInfo, EntityStatus, ErrorType, QueueRec, RecipientKeys, RoundedDate,
};
use crate::queue_store::{QueueFactory, StoreQueue};
use crate::stm::{Transaction, TxResult, abort};
use crate::store_log::LogRecord;

/// The record of a live queue; `AUTH` when it is deleted.
pub(super) fn live<Q: StoreQueue>(
    tx: &mut Transaction<'_>,
    queue: &Q,
) -> TxResult<Arc<QueueRec>, ErrorType> {
    match queue.record().read(tx)? {
        Some(record) => Ok(record),
        None => abort(ErrorType::Auth),
    }
}

/// Writes a changed copy of `record` into the queue's cell and gives it.
pub(super) fn replace<Q: StoreQueue>(
    tx: &mut Transaction<'_>,
    queue: &Q,
    record: &QueueRec,
    change: impl FnOnce(&mut QueueRec),
) -> TxResult<Arc<QueueRec>, ErrorType> {
    let mut changed = record.clone();
    change(&mut changed);
    let changed = Arc::new(changed);
    queue.record().write(tx, Some(Arc::clone(&changed)))?;
    Ok(changed)
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// Sets the sender key (OP-12). The same key again succeeds and is journalled (QS-5, QS-14).
    pub fn secure_queue_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        key: &AuthKey,
    ) -> TxResult<(), ErrorType> {
        self.admit(tx)?;
        let record = live(tx, queue)?;
        match &record.sender_key {
            None => {
                replace(tx, queue, &record, |changed| changed.sender_key = Some(key.clone()))?;
            }
            Some(present) if present == key => {}
            Some(_) => return abort(ErrorType::Auth),
        }
        log.push(LogRecord::SecureQueue(queue.recipient_id().clone(), key.clone()));
        Ok(())
    }

    /// Replaces the recipient keys (OP-13).
    pub fn update_keys_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        keys: &RecipientKeys,
    ) -> TxResult<(), ErrorType> {
        self.admit(tx)?;
        let record = live(tx, queue)?;
        replace(tx, queue, &record, |changed| changed.recipient_keys = keys.clone())?;
        log.push(LogRecord::UpdateKeys(queue.recipient_id().clone(), keys.clone()));
        Ok(())
    }

    /// Sets the status off, whatever it was (OP-16, QS-17).
    pub fn suspend_queue_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
    ) -> TxResult<(), ErrorType> {
        let record = LogRecord::SuspendQueue(queue.recipient_id().clone());
        self.set_status_tx(tx, log, queue, EntityStatus::Off, record)
    }

    /// Sets the status blocked, whatever it was (OP-17, QS-17).
    pub fn block_queue_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        info: BlockingInfo,
    ) -> TxResult<(), ErrorType> {
        let record = LogRecord::BlockQueue(queue.recipient_id().clone(), info);
        self.set_status_tx(tx, log, queue, EntityStatus::Blocked(info), record)
    }

    /// Sets the status active, whatever it was (OP-18, QS-17).
    pub fn unblock_queue_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
    ) -> TxResult<(), ErrorType> {
        let record = LogRecord::UnblockQueue(queue.recipient_id().clone());
        self.set_status_tx(tx, log, queue, EntityStatus::Active, record)
    }

    fn set_status_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        status: EntityStatus,
        record: LogRecord,
    ) -> TxResult<(), ErrorType> {
        self.admit(tx)?;
        let present = live(tx, queue)?;
        replace(tx, queue, &present, |changed| changed.status = status)?;
        log.push(record);
        Ok(())
    }

    /// Sets the update date and gives the record; an equal date writes nothing (OP-19, QS-16).
    pub fn update_time_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        date: RoundedDate,
    ) -> TxResult<Arc<QueueRec>, ErrorType> {
        self.admit(tx)?;
        let record = live(tx, queue)?;
        if record.updated_at == Some(date) {
            return Ok(record);
        }
        let changed = replace(tx, queue, &record, |changed| changed.updated_at = Some(date))?;
        log.push(LogRecord::UpdateTime(queue.recipient_id().clone(), date));
        Ok(changed)
    }
}
