//! The library's store.

use std::sync::Arc;

use simplex_stores::protocol::{
    LinkId, NotifierId, QueueRec, RecipientId, RoundedDate, Semantics, SenderId,
};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore, StmQueueStore};

use super::Peer;
use crate::common::ENGINE;

/// How many queues are added in one transaction where nothing is timed.
const BATCH: usize = 10_000;

/// The store of the library, with or without a journal.
pub(crate) struct Stm(pub(crate) StmQueueStore);

impl Peer for Stm {
    const NAME: &'static str = ENGINE;
    type Queue = BasicQueue;

    fn new() -> Self {
        Self(StmQueueStore::new(BasicFactory, Semantics::Strict))
    }

    fn add(&self, id: RecipientId, record: QueueRec) -> Option<Arc<BasicQueue>> {
        self.0.add_queue(id, record).ok()
    }

    fn by_sender(&self, id: &SenderId) -> Option<Arc<BasicQueue>> {
        self.0.get_queue(&QueueKey::Sender(id.clone())).ok()
    }

    fn by_notifier(&self, id: &NotifierId) -> Option<Arc<BasicQueue>> {
        self.0.get_queue(&QueueKey::Notifier(id.clone())).ok()
    }

    fn by_link(&self, id: &LinkId) -> Option<Arc<BasicQueue>> {
        self.0.get_queue(&QueueKey::Link(id.clone())).ok()
    }

    fn by_notifiers(&self, ids: &[NotifierId]) -> Vec<Option<Arc<BasicQueue>>> {
        match self.0.get_queues_by_notifier(ids) {
            Ok(queues) => queues.into_iter().map(Result::ok).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn touch(&self, queue: &BasicQueue, date: RoundedDate) -> bool {
        self.0.update_time(queue, date).is_ok()
    }

    fn delete(&self, queue: &BasicQueue) -> bool {
        self.0.delete_queue(queue).is_ok()
    }

    /// In large transactions: on the reference engine a map that nobody else holds is changed in place.
    fn fill(&self, mut queues: impl Iterator<Item = (RecipientId, QueueRec)>) {
        loop {
            let batch: Vec<_> = (queues.by_ref().take(BATCH))
                .map(|(id, record)| self.0.make_queue(id, record))
                .collect();
            if batch.is_empty() {
                return;
            }
            let added = self.0.transact(|tx, log| {
                batch.iter().try_for_each(|queue| self.0.add_queue_tx(tx, log, queue))
            });
            assert_eq!(added, Ok(()));
        }
    }

    fn remove(&self, queues: &[Arc<BasicQueue>]) {
        for batch in queues.chunks(BATCH) {
            let removed = self.0.transact(|tx, log| {
                batch.iter().try_for_each(|queue| self.0.delete_queue_tx(tx, log, queue).map(drop))
            });
            assert_eq!(removed, Ok(()));
        }
    }
}
