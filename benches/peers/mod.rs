//! The stores that are measured side by side: ours, and what a router without STM might use.
//!
//! | peer | what it is | what it lacks |
//! |---|---|---|
//! | [`Stm`](stm::Stm) | [`StmQueueStore`](simplex_stores::queue_store::StmQueueStore) | |
//! | [`Locked`](locked::Locked) | one `RwLock` around four `std::collections::HashMap`s | operations do not compose |
//! | [`Dash`](dash::Dash) | four `DashMap`s | they do not compose either, and a reader can see half a queue |
//! | [`Scc`](scc::Scc) | four `scc::HashMap`s | as `DashMap`s |
//!
//! All hold the same records in the same `Arc`s, so what is compared is the maps and their protocol.
#![allow(dead_code)] // each bench uses its part

pub(crate) mod dash;
pub(crate) mod four_maps;
pub(crate) mod locked;
pub(crate) mod logged;
pub(crate) mod scc;
pub(crate) mod stm;

use std::sync::Arc;

use simplex_stores::protocol::{LinkId, NotifierId, QueueRec, RecipientId, RoundedDate, SenderId};
use simplex_stores::sync::RwLock;

/// The operations that are measured, on any of the stores.
pub(crate) trait Peer: Send + Sync + Sized {
    /// The name in the reports.
    const NAME: &'static str;
    /// A queue of the store.
    type Queue: Send + Sync;

    /// An empty store.
    fn new() -> Self;

    /// Adds a queue under its four ids; `None`, and nothing is added, when one of them is in use.
    fn add(&self, id: RecipientId, record: QueueRec) -> Option<Arc<Self::Queue>>;

    /// Finds a queue by its sender id.
    fn by_sender(&self, id: &SenderId) -> Option<Arc<Self::Queue>>;

    /// Finds a queue by its notifier id.
    fn by_notifier(&self, id: &NotifierId) -> Option<Arc<Self::Queue>>;

    /// Finds a queue by the id of its link.
    fn by_link(&self, id: &LinkId) -> Option<Arc<Self::Queue>>;

    /// Finds many queues by notifier id, in the order asked; at one moment where the store can.
    fn by_notifiers(&self, ids: &[NotifierId]) -> Vec<Option<Arc<Self::Queue>>>;

    /// Sets the date on which the queue was last used; whether the queue still lives.
    fn touch(&self, queue: &Self::Queue, date: RoundedDate) -> bool;

    /// Removes the queue and its four ids; whether it lived.
    fn delete(&self, queue: &Self::Queue) -> bool;

    /// Adds many queues, not timed.
    fn fill(&self, queues: impl Iterator<Item = (RecipientId, QueueRec)>) {
        for (id, record) in queues {
            assert!(self.add(id, record).is_some(), "a new queue is added");
        }
    }

    /// Removes many queues, not timed.
    fn remove(&self, queues: &[Arc<Self::Queue>]) {
        for queue in queues {
            assert!(self.delete(queue), "an added queue is there");
        }
    }
}

/// A queue of the peers without STM.
pub(crate) struct PlainQueue {
    id: RecipientId,
    record: RwLock<Option<Arc<QueueRec>>>,
}

impl PlainQueue {
    fn new(id: RecipientId, record: Arc<QueueRec>) -> Arc<Self> {
        Arc::new(Self { id, record: RwLock::new(Some(record)) })
    }

    fn touch(&self, date: RoundedDate) -> bool {
        let mut record = self.record.write();
        let Some(present) = &*record else {
            return false;
        };
        let mut changed = QueueRec::clone(present);
        changed.updated_at = Some(date);
        *record = Some(Arc::new(changed));
        true
    }

    fn take(&self) -> Option<Arc<QueueRec>> {
        self.record.write().take()
    }
}
