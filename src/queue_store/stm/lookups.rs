//! Finding queues, singly and in batches.
//!
//! A single lookup by a secondary id reads the index, the queue and its record one after the
//! other, outside a transaction. It is still one moment (QS-18, RACE-26): a live record carries
//! exactly the ids under which its queue is indexed, so a record that carries the id asked for
//! shows that the index entry is in force at the moment the record is read. When it does not, a
//! change came in between, and the lookup is made again as a transaction.

use std::sync::Arc;

use super::StmQueueStore;
use crate::protocol::{ErrorType, NotifierId, QueueRec, RecipientId, ServiceRole};
use crate::queue_store::{EntityCounts, FoundQueues, QueueFactory, QueueKey, StoreQueue};
use crate::stm::{StmResult, Transaction, TxResult, abort, try_atomically};

/// A queue and the record it had at the moment it was found.
pub(super) type Found<Q> = (Arc<Q>, Arc<QueueRec>);

/// Whether a live queue with this record, found under its recipient id, is found under this key too.
fn carries(record: &QueueRec, key: &QueueKey) -> bool {
    match key {
        QueueKey::Recipient(_) => true,
        QueueKey::Sender(id) => record.sender_id == *id,
        QueueKey::Notifier(id) => {
            record.notifier.as_ref().is_some_and(|creds| creds.notifier_id == *id)
        }
        QueueKey::Link(id) => record.link.as_ref().is_some_and(|link| link.id == *id),
    }
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// Finds a queue by the id of one of its parties (OP-7); aborts with `AUTH` when there is none.
    ///
    /// Under `Reference` a deleted queue is found by its recipient id and its link id (QS-12, QS-13).
    pub fn get_queue_tx(
        &self,
        tx: &mut Transaction<'_>,
        key: &QueueKey,
    ) -> TxResult<Arc<F::Queue>, ErrorType> {
        let recipient_id = match key {
            QueueKey::Recipient(id) => Some(id.clone()),
            QueueKey::Sender(id) => self.senders.get(tx, id)?,
            QueueKey::Notifier(id) => self.notifiers.get(tx, id)?,
            QueueKey::Link(id) => self.links.get(tx, id)?,
        };
        let queue = match recipient_id {
            Some(id) => self.queues.get(tx, &id)?,
            None => None,
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
        if let QueueKey::Recipient(id) = key {
            return self.queues.get_atomic(id).ok_or(ErrorType::Auth);
        }
        match self.glance(key) {
            Glance::Found((queue, _)) => Ok(queue),
            Glance::Absent => Err(ErrorType::Auth),
            Glance::Moved => try_atomically(|tx| self.get_queue_tx(tx, key)),
        }
    }

    pub(super) fn find_rec(&self, key: &QueueKey) -> Result<Found<F::Queue>, ErrorType> {
        match self.glance(key) {
            Glance::Found(found) => Ok(found),
            Glance::Absent => Err(ErrorType::Auth),
            Glance::Moved => try_atomically(|tx| self.get_queue_rec_tx(tx, key)),
        }
    }

    /// The lookup outside a transaction.
    fn glance(&self, key: &QueueKey) -> Glance<F::Queue> {
        let recipient_id = match key {
            QueueKey::Recipient(id) => Some(id.clone()),
            QueueKey::Sender(id) => self.senders.get_atomic(id),
            QueueKey::Notifier(id) => self.notifiers.get_atomic(id),
            QueueKey::Link(id) => self.links.get_atomic(id),
        };
        let Some(recipient_id) = recipient_id else {
            return Glance::Absent;
        };
        let Some(queue) = self.queues.get_atomic(&recipient_id) else {
            return Glance::Moved;
        };
        match queue.record().read_atomic() {
            Some(record) if carries(&record, key) => Glance::Found((queue, record)),
            _ => Glance::Moved,
        }
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
        let find = |id| match self.notifiers.get(tx, id)? {
            Some(id) => Ok(self.queues.get(tx, &id)?.ok_or(ErrorType::Auth)),
            None => Ok(Err(ErrorType::Auth)),
        };
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

/// What a lookup outside a transaction saw.
enum Glance<Q> {
    Found(Found<Q>),
    Absent,
    /// The pieces do not fit together: something changed between the reads, or a tombstone.
    Moved,
}
