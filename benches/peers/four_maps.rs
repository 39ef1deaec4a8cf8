//! A queue store of four concurrent maps, each atomic for one key and no more.

use std::hash::Hash;
use std::sync::Arc;

use simplex_stores::protocol::{LinkId, NotifierId, QueueRec, RecipientId, RoundedDate, SenderId};

use super::{Peer, PlainQueue};

/// A crate's concurrent map.
pub(crate) trait ConcurrentMap<K, V>: Default + Send + Sync {
    /// A copy of a key's value.
    fn get(&self, key: &K) -> Option<V>;

    /// Enters a key that is free; whether it was.
    fn enter(&self, key: K, value: V) -> bool;

    fn remove(&self, key: &K);
}

/// A crate with concurrent maps.
pub(crate) trait Maps: 'static {
    /// The name in the reports.
    const NAME: &'static str;
    type Map<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>: ConcurrentMap<K, V>;
}

/// Four maps of a crate.
pub(crate) struct FourMaps<M: Maps> {
    queues: M::Map<RecipientId, Arc<PlainQueue>>,
    senders: M::Map<SenderId, RecipientId>,
    notifiers: M::Map<NotifierId, RecipientId>,
    links: M::Map<LinkId, RecipientId>,
}

impl<M: Maps> FourMaps<M> {
    fn forget_link(&self, record: &QueueRec) {
        if let Some(link) = &record.link {
            self.links.remove(&link.id);
        }
    }

    fn forget_notifier(&self, record: &QueueRec) {
        if let Some(creds) = &record.notifier {
            self.notifiers.remove(&creds.notifier_id);
        }
    }
}

impl<M: Maps> Peer for FourMaps<M> {
    const NAME: &'static str = M::NAME;
    type Queue = PlainQueue;

    fn new() -> Self {
        Self {
            queues: Default::default(),
            senders: Default::default(),
            notifiers: Default::default(),
            links: Default::default(),
        }
    }

    fn add(&self, id: RecipientId, record: QueueRec) -> Option<Arc<PlainQueue>> {
        let record = Arc::new(record);
        if !self.senders.enter(record.sender_id.clone(), id.clone()) {
            return None;
        }
        if let Some(creds) = &record.notifier
            && !self.notifiers.enter(creds.notifier_id.clone(), id.clone())
        {
            self.senders.remove(&record.sender_id);
            return None;
        }
        if let Some(link) = &record.link
            && !self.links.enter(link.id.clone(), id.clone())
        {
            self.forget_notifier(&record);
            self.senders.remove(&record.sender_id);
            return None;
        }
        let queue = PlainQueue::new(id.clone(), Arc::clone(&record));
        if !self.queues.enter(id, Arc::clone(&queue)) {
            self.forget_link(&record);
            self.forget_notifier(&record);
            self.senders.remove(&record.sender_id);
            return None;
        }
        Some(queue)
    }

    fn by_sender(&self, id: &SenderId) -> Option<Arc<PlainQueue>> {
        self.queues.get(&self.senders.get(id)?)
    }

    fn by_notifier(&self, id: &NotifierId) -> Option<Arc<PlainQueue>> {
        self.queues.get(&self.notifiers.get(id)?)
    }

    fn by_link(&self, id: &LinkId) -> Option<Arc<PlainQueue>> {
        self.queues.get(&self.links.get(id)?)
    }

    /// One after the other, at as many moments.
    fn by_notifiers(&self, ids: &[NotifierId]) -> Vec<Option<Arc<PlainQueue>>> {
        ids.iter().map(|id| self.by_notifier(id)).collect()
    }

    fn touch(&self, queue: &PlainQueue, date: RoundedDate) -> bool {
        queue.touch(date)
    }

    fn delete(&self, queue: &PlainQueue) -> bool {
        let Some(record) = queue.take() else {
            return false;
        };
        self.queues.remove(&queue.id);
        self.senders.remove(&record.sender_id);
        self.forget_notifier(&record);
        self.forget_link(&record);
        true
    }
}
