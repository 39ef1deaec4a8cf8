//! Finding queues, singly and in batches.
//!
//! A single lookup is one read of one index, outside a transaction (QS-18, RACE-26). One that also asks for the record reads
//! the two one after the other, and is still one moment: a live record carries exactly the ids under which its queue is
//! indexed, so a record that carries the id asked for shows that the index entry is in force at the moment the
//! record is read. When it does not, a change came in between, and the lookup is made again as a
//! transaction.

use std::sync::Arc;

use super::StmQueueStore;
use crate::protocol::{ErrorType, NotifierId, QueueRec, RecipientId, ServiceRole};
use crate::queue_store::{EntityCounts, FoundQueues, QueueFactory, QueueKey, StoreQueue};
use crate::stm::{StmResult, Transaction, TxResult, abort, try_atomically};

/// A queue and the record it had at the moment it was found.
pub(super) type Found<Q> = (Arc<Q>, Arc<QueueRec>);

impl<F: QueueFactory> StmQueueStore<F> {
    /// Finds a queue by the id of one of its parties (OP-7); aborts with `AUTH` when there is none.
    ///
    /// Under `Reference` a deleted queue is found by its recipient id and its link id (QS-12, QS-13).
    pub fn get_queue_tx(
        &self,
        tx: &mut Transaction<'_>,
        key: &QueueKey,
    ) -> TxResult<Arc<F::Queue>, ErrorType> {
        let queue = match key {
            QueueKey::Recipient(id) => self.queues.get(tx, id)?,
            QueueKey::Sender(id) => self.senders.get(tx, id)?,
            QueueKey::Notifier(id) => self.notifiers.get(tx, id)?,
            QueueKey::Link(id) => self.links.get(tx, id)?,
        };
        queue.map_or_else(|| abort(ErrorType::Auth), Ok)
    }

    /// Finds a live queue together with its record (RACE-26); else aborts with `AUTH`.
    pub fn get_queue_rec_tx(
        &self,
        tx: &mut Transaction<'_>,
        key: &QueueKey,
    ) -> TxResult<(Arc<F::Queue>, Arc<QueueRec>), ErrorType> {
        let queue = self.get_queue_tx(tx, key)?;
        match queue.record().read(tx)? {
            Some(record) => Ok((queue, record)),
            None => abort(ErrorType::Auth),
        }
    }

    pub(super) fn find(&self, key: &QueueKey) -> Result<Arc<F::Queue>, ErrorType> {
        let queue = match key {
            QueueKey::Recipient(id) => self.queues.get_atomic(id),
            QueueKey::Sender(id) => self.senders.get_atomic(id),
            QueueKey::Notifier(id) => self.notifiers.get_atomic(id),
            QueueKey::Link(id) => self.links.get_atomic(id),
        };
        queue.ok_or(ErrorType::Auth)
    }

    pub(super) fn find_rec(&self, key: &QueueKey) -> Result<Found<F::Queue>, ErrorType> {
        let queue = self.find(key)?;
        match queue.record().read_atomic() {
            Some(record) if key.is_carried_by(&record) => Ok((queue, record)),
            _ => try_atomically(|tx| self.get_queue_rec_tx(tx, key)),
        }
    }

    /// The object that is indexed under a live queue's own id.
    pub(super) fn indexed(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
    ) -> TxResult<Arc<F::Queue>, ErrorType> {
        self.queues.get(tx, id)?.map_or_else(|| abort(ErrorType::Auth), Ok)
    }

    /// Finds many queues by recipient id at one moment, in the order asked (OP-8, QS-6).
    pub fn get_queues_tx(
        &self,
        tx: &mut Transaction<'_>,
        ids: &[RecipientId],
    ) -> StmResult<FoundQueues<F::Queue>> {
        let find = |id| Ok(self.queues.get(tx, id)?.ok_or(ErrorType::Auth));
        ids.iter().map(find).collect()
    }

    /// Finds many queues by notifier id at one moment, in the order asked (OP-8, QS-6).
    pub fn get_queues_by_notifier_tx(
        &self,
        tx: &mut Transaction<'_>,
        ids: &[NotifierId],
    ) -> StmResult<FoundQueues<F::Queue>> {
        let find = |id| Ok(self.notifiers.get(tx, id)?.ok_or(ErrorType::Auth));
        ids.iter().map(find).collect()
    }

    /// Counts everything at one moment (OP-3, RACE-61).
    ///
    /// Live queues and services by role under `Strict`; under `Reference` tombstones count as queues.
    pub fn entity_counts_tx(&self, tx: &mut Transaction<'_>) -> StmResult<EntityCounts> {
        let mut counts = EntityCounts {
            queues: self.queues.len(tx)? as u64,
            notifiers: self.notifiers.len(tx)? as u64,
            ..EntityCounts::default()
        };
        for (_, service) in self.services.snapshot(tx)?.iter() {
            match service.record.role {
                ServiceRole::Messaging => counts.rcv_services += 1,
                ServiceRole::Notifier => counts.ntf_services += 1,
                ServiceRole::Proxy => {}
            }
            counts.rcv_service_queues += service.rcv.ids.len(tx)? as u64;
            counts.ntf_service_queues += service.ntf.ids.len(tx)? as u64;
        }
        Ok(counts)
    }
}
