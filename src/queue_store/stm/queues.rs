//! Transaction parts that add and delete queues.

use std::sync::Arc;

use super::StmQueueStore;
use super::records::live;
use super::service_set::SetChange;
use crate::protocol::{ErrorType, QueueRec, RecipientId, ServiceRole};
use crate::queue_store::{QueueFactory, StoreQueue};
use crate::stm::{Transaction, TxResult, abort};
use crate::store_log::LogRecord;

impl<F: QueueFactory> StmQueueStore<F> {
    /// Adds a queue made by [`make_queue`](Self::make_queue) under all its ids, or under none (OP-6, QS-1).
    ///
    /// Aborts with `DUPLICATE_` when one of the ids is in use, each looked for in its own index.
    /// Under `Strict` a service that the record names must exist and have the party's role:
    /// `AUTH`, `SERVICE` (RACE-23).
    pub fn add_queue_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &Arc<F::Queue>,
    ) -> TxResult<(), ErrorType> {
        self.admit(tx)?;
        let record = live(tx, &**queue)?;
        self.check_ids_free(tx, queue.recipient_id(), &record)?;
        self.check_services(tx, &record)?;
        self.index_queue(tx, queue, &record)?;
        self.enter_services(tx, queue.recipient_id(), &record)?;
        log.push(LogRecord::CreateQueue(queue.recipient_id().clone(), record));
        Ok(())
    }

    fn check_ids_free(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
        record: &QueueRec,
    ) -> TxResult<(), ErrorType> {
        let mut taken = self.queues.contains_key(tx, id)?
            || self.senders.contains_key(tx, &record.sender_id)?;
        if let Some(creds) = &record.notifier {
            taken = taken || self.notifiers.contains_key(tx, &creds.notifier_id)?;
        }
        if let Some(link) = &record.link {
            taken = taken || self.links.contains_key(tx, &link.id)?;
        }
        if taken { abort(ErrorType::Duplicate) } else { Ok(()) }
    }

    fn check_services(
        &self,
        tx: &mut Transaction<'_>,
        record: &QueueRec,
    ) -> TxResult<(), ErrorType> {
        self.require_service(tx, record.rcv_service_id.as_ref(), ServiceRole::Messaging)?;
        let ntf_service = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
        self.require_service(tx, ntf_service, ServiceRole::Notifier)
    }

    /// Enters a queue, whose ids are free, in the four indexes.
    pub(super) fn index_queue(
        &self,
        tx: &mut Transaction<'_>,
        queue: &Arc<F::Queue>,
        record: &QueueRec,
    ) -> TxResult<(), ErrorType> {
        let id = queue.recipient_id();
        self.queues.insert(tx, id.clone(), Arc::clone(queue))?;
        self.senders.insert(tx, record.sender_id.clone(), Arc::clone(queue))?;
        if let Some(creds) = &record.notifier {
            self.notifiers.insert(tx, creds.notifier_id.clone(), Arc::clone(queue))?;
        }
        if let Some(link) = &record.link {
            self.links.insert(tx, link.id.clone(), Arc::clone(queue))?;
        }
        Ok(())
    }

    /// Enters a queue and its notifier in their services' sets.
    pub(super) fn enter_services(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
        record: &QueueRec,
    ) -> TxResult<(), ErrorType> {
        if let Some(creds) = &record.notifier {
            self.change_ntf_set(tx, SetChange::Enter, creds)?;
        }
        self.change_rcv_set(tx, SetChange::Enter, record.rcv_service_id.as_ref(), id)
    }

    /// Deletes a queue and gives its last record (OP-20).
    ///
    /// Under `Strict` the queue leaves every index in this step and its ids can be used again at
    /// once; under `Reference` a tombstone stays under its recipient id (QS-12) and its link id
    /// stays taken (QS-13).
    pub fn delete_queue_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
    ) -> TxResult<Arc<QueueRec>, ErrorType> {
        self.admit(tx)?;
        let record = live(tx, queue)?;
        let id = queue.recipient_id();
        queue.record().write(tx, None)?;
        self.senders.remove(tx, &record.sender_id)?;
        if let Some(creds) = &record.notifier {
            self.notifiers.remove(tx, &creds.notifier_id)?;
            self.change_ntf_set(tx, SetChange::Leave, creds)?;
        }
        self.change_rcv_set(tx, SetChange::Leave, record.rcv_service_id.as_ref(), id)?;
        if self.is_strict() {
            self.queues.remove(tx, id)?;
            if let Some(link) = &record.link {
                self.links.remove(tx, &link.id)?;
            }
        }
        log.push(LogRecord::DeleteQueue(id.clone()));
        Ok(record)
    }
}
