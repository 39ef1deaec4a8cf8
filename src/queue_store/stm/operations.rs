//! The finished operations: each runs its transaction part, then writes the journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{StmQueueStore, labels};
use crate::protocol::{
    AuthKey, BlockingInfo, CountHash, ErrorType, LinkData, LinkId, NotifierId, NtfCreds, QueueLink,
    QueueRec, RecipientId, RecipientKeys, RoundedDate, ServiceId, ServiceParty, ServiceRec,
};
use crate::queue_store::{
    EntityCounts, FoundQueues, NtfServiceGroups, QueueFactory, QueueKey, QueueStore,
    ServiceResults, StoreQueue,
};
use crate::stm::{atomically, try_atomically};

impl<F: QueueFactory> QueueStore for StmQueueStore<F> {
    type Queue = F::Queue;

    fn close(&self) -> Result<(), ErrorType> {
        self.shut()
    }

    fn entity_counts(&self) -> Result<EntityCounts, ErrorType> {
        self.check_open()?;
        Ok(atomically(|tx| self.entity_counts_tx(tx)))
    }

    fn loaded_queues(&self) -> Result<Vec<Arc<F::Queue>>, ErrorType> {
        self.check_open()?;
        let queues = self.queues.snapshot_atomic();
        Ok(queues.iter_sorted().into_iter().map(|(_, queue)| queue).collect())
    }

    /// Always zero: a deleted queue is gone at once, or stays as a tombstone until restart (QS-23).
    fn purge_deleted(&self) -> Result<u64, ErrorType> {
        self.check_open()?;
        Ok(0)
    }

    fn add_queue(&self, id: RecipientId, record: QueueRec) -> Result<Arc<F::Queue>, ErrorType> {
        let queue = self.make_queue(id, record);
        self.transact_as(&labels::ADD_QUEUE, |tx, log| self.add_queue_tx(tx, log, &queue))?;
        Ok(queue)
    }

    fn get_queue(&self, key: &QueueKey) -> Result<Arc<F::Queue>, ErrorType> {
        self.check_open()?;
        self.find(key)
    }

    fn get_queue_rec(&self, key: &QueueKey) -> Result<(Arc<F::Queue>, Arc<QueueRec>), ErrorType> {
        self.check_open()?;
        self.find_rec(key)
    }

    fn get_queues(&self, ids: &[RecipientId]) -> Result<FoundQueues<F::Queue>, ErrorType> {
        self.check_open()?;
        Ok(atomically(|tx| self.get_queues_tx(tx, ids)))
    }

    fn get_queues_by_notifier(
        &self,
        ids: &[NotifierId],
    ) -> Result<FoundQueues<F::Queue>, ErrorType> {
        self.check_open()?;
        Ok(atomically(|tx| self.get_queues_by_notifier_tx(tx, ids)))
    }

    fn get_link_data(&self, queue: &F::Queue, link_id: &LinkId) -> Result<LinkData, ErrorType> {
        self.check_open()?;
        try_atomically(|tx| self.get_link_data_tx(tx, queue, link_id))
    }

    fn add_link_data(
        &self,
        queue: &F::Queue,
        link_id: LinkId,
        data: LinkData,
    ) -> Result<(), ErrorType> {
        let link = QueueLink { id: link_id, data };
        self.transact_as(&labels::ADD_LINK_DATA, |tx, log| {
            self.add_link_data_tx(tx, log, queue, &link)
        })
    }

    fn delete_link_data(&self, queue: &F::Queue) -> Result<(), ErrorType> {
        self.transact_as(&labels::DELETE_LINK_DATA, |tx, log| {
            self.delete_link_data_tx(tx, log, queue)
        })
    }

    fn secure_queue(&self, queue: &F::Queue, key: AuthKey) -> Result<(), ErrorType> {
        self.transact_as(&labels::SECURE_QUEUE, |tx, log| {
            self.secure_queue_tx(tx, log, queue, &key)
        })
    }

    fn update_keys(&self, queue: &F::Queue, keys: RecipientKeys) -> Result<(), ErrorType> {
        self.transact_as(&labels::UPDATE_KEYS, |tx, log| self.update_keys_tx(tx, log, queue, &keys))
    }

    fn add_notifier(
        &self,
        queue: &F::Queue,
        creds: NtfCreds,
    ) -> Result<Option<NtfCreds>, ErrorType> {
        self.transact_as(&labels::ADD_NOTIFIER, |tx, log| {
            self.add_notifier_tx(tx, log, queue, &creds)
        })
    }

    fn delete_notifier(&self, queue: &F::Queue) -> Result<Option<NtfCreds>, ErrorType> {
        self.transact_as(&labels::DELETE_NOTIFIER, |tx, log| {
            self.delete_notifier_tx(tx, log, queue)
        })
    }

    fn suspend_queue(&self, queue: &F::Queue) -> Result<(), ErrorType> {
        self.transact_as(&labels::SUSPEND_QUEUE, |tx, log| self.suspend_queue_tx(tx, log, queue))
    }

    fn block_queue(&self, queue: &F::Queue, info: BlockingInfo) -> Result<(), ErrorType> {
        self.transact_as(&labels::BLOCK_QUEUE, |tx, log| self.block_queue_tx(tx, log, queue, info))
    }

    fn unblock_queue(&self, queue: &F::Queue) -> Result<(), ErrorType> {
        self.transact_as(&labels::UNBLOCK_QUEUE, |tx, log| self.unblock_queue_tx(tx, log, queue))
    }

    fn update_time(&self, queue: &F::Queue, date: RoundedDate) -> Result<Arc<QueueRec>, ErrorType> {
        self.transact_as(&labels::UPDATE_TIME, |tx, log| self.update_time_tx(tx, log, queue, date))
    }

    fn delete_queue(&self, queue: &F::Queue) -> Result<Arc<QueueRec>, ErrorType> {
        self.transact_as(&labels::DELETE_QUEUE, |tx, log| self.delete_queue_tx(tx, log, queue))
    }

    fn get_or_create_service(&self, service: ServiceRec) -> Result<ServiceId, ErrorType> {
        self.transact_as(&labels::GET_OR_CREATE_SERVICE, |tx, log| {
            self.get_or_create_service_tx(tx, log, &service)
        })
    }

    fn set_queue_service(
        &self,
        queue: &F::Queue,
        party: ServiceParty,
        service_id: Option<ServiceId>,
    ) -> Result<(), ErrorType> {
        self.transact_as(&labels::SET_QUEUE_SERVICE, |tx, log| {
            self.set_queue_service_tx(tx, log, queue, party, service_id.as_ref())
        })
    }

    /// One transaction and one journal entry for each queue; the whole never fails (QS-20).
    fn set_queue_services(
        &self,
        party: ServiceParty,
        service_id: Option<ServiceId>,
        queues: &[Arc<F::Queue>],
    ) -> Result<ServiceResults, ErrorType> {
        self.check_open()?;
        let mut results = BTreeMap::new();
        for queue in queues {
            let result = self.set_queue_service(queue, party, service_id.clone());
            results.insert(queue.recipient_id().clone(), result);
        }
        Ok(results.into_iter().collect())
    }

    fn group_by_ntf_service<T>(
        &self,
        ntfs: Vec<(NotifierId, T)>,
    ) -> Result<NtfServiceGroups<T>, ErrorType> {
        self.check_open()?;
        let grouping =
            atomically(|tx| self.group_by_ntf_service_tx(tx, ntfs.iter().map(|(id, _)| id)));
        Ok(grouping.distribute(ntfs))
    }

    fn service_count_hash(
        &self,
        party: ServiceParty,
        service_id: &ServiceId,
    ) -> Result<CountHash, ErrorType> {
        self.check_open()?;
        try_atomically(|tx| self.service_count_hash_tx(tx, party, service_id))
    }

    /// An unknown service gives `init`.
    fn fold_service_queues<B>(
        &self,
        service_id: &ServiceId,
        init: B,
        mut step: impl FnMut(B, &RecipientId, Arc<QueueRec>) -> B,
    ) -> Result<B, ErrorType> {
        self.check_open()?;
        let Some(service) = self.services.get_atomic(service_id) else {
            return Ok(init);
        };
        let mut folded = init;
        for id in service.rcv.ids.snapshot_atomic().iter_sorted() {
            let record = self.queues.get_atomic(&id).and_then(|queue| queue.record().read_atomic());
            if let Some(record) = record {
                folded = step(folded, &id, record);
            }
        }
        Ok(folded)
    }
}
