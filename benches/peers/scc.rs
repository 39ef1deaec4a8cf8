//! Four of scc's concurrent maps, each atomic for one key and no more.
//!
//! scc and not papaya: it is released every few weeks, and its locks lie on single buckets, for writers as much as for readers,
//! where papaya is made for reads and keeps what was removed for a while.
//!
//! They do not compose: an add takes its four ids one after the other and gives them back when one
//! is in use, so that meanwhile a reader can find a queue by some of its ids only, a second add can be
//! refused for an id that is then given back, and no two operations make one step.

use std::sync::Arc;

use scc::HashMap;
use scc::hash_map::Entry;
use simplex_stores::protocol::{LinkId, NotifierId, QueueRec, RecipientId, RoundedDate, SenderId};

use super::{Peer, PlainQueue};

/// Four `scc::HashMap`s.
#[derive(Default)]
pub(crate) struct Scc {
    queues: HashMap<RecipientId, Arc<PlainQueue>>,
    senders: HashMap<SenderId, RecipientId>,
    notifiers: HashMap<NotifierId, RecipientId>,
    links: HashMap<LinkId, RecipientId>,
}

/// Enters a key that is free; whether it was.
fn enter<K: Eq + std::hash::Hash, V>(map: &HashMap<K, V>, key: K, value: V) -> bool {
    match map.entry_sync(key) {
        Entry::Occupied(_) => false,
        Entry::Vacant(free) => {
            free.insert_entry(value);
            true
        }
    }
}

impl Scc {
    fn forget_link(&self, record: &QueueRec) {
        if let Some(link) = &record.link {
            self.links.remove_sync(&link.id);
        }
    }

    fn forget_notifier(&self, record: &QueueRec) {
        if let Some(creds) = &record.notifier {
            self.notifiers.remove_sync(&creds.notifier_id);
        }
    }
}

impl Peer for Scc {
    const NAME: &'static str = "scc";
    type Queue = PlainQueue;

    fn new() -> Self {
        Self::default()
    }

    fn add(&self, id: RecipientId, record: QueueRec) -> Option<Arc<PlainQueue>> {
        let record = Arc::new(record);
        if !enter(&self.senders, record.sender_id.clone(), id.clone()) {
            return None;
        }
        if let Some(creds) = &record.notifier
            && !enter(&self.notifiers, creds.notifier_id.clone(), id.clone())
        {
            self.senders.remove_sync(&record.sender_id);
            return None;
        }
        if let Some(link) = &record.link
            && !enter(&self.links, link.id.clone(), id.clone())
        {
            self.forget_notifier(&record);
            self.senders.remove_sync(&record.sender_id);
            return None;
        }
        let queue = PlainQueue::new(id.clone(), Arc::clone(&record));
        if !enter(&self.queues, id, Arc::clone(&queue)) {
            self.forget_link(&record);
            self.forget_notifier(&record);
            self.senders.remove_sync(&record.sender_id);
            return None;
        }
        Some(queue)
    }

    fn by_sender(&self, id: &SenderId) -> Option<Arc<PlainQueue>> {
        let id = self.senders.read_sync(id, |_, id| id.clone())?;
        self.queues.read_sync(&id, |_, queue| Arc::clone(queue))
    }

    fn by_notifier(&self, id: &NotifierId) -> Option<Arc<PlainQueue>> {
        let id = self.notifiers.read_sync(id, |_, id| id.clone())?;
        self.queues.read_sync(&id, |_, queue| Arc::clone(queue))
    }

    fn by_link(&self, id: &LinkId) -> Option<Arc<PlainQueue>> {
        let id = self.links.read_sync(id, |_, id| id.clone())?;
        self.queues.read_sync(&id, |_, queue| Arc::clone(queue))
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
        self.queues.remove_sync(&queue.id);
        self.senders.remove_sync(&record.sender_id);
        self.forget_notifier(&record);
        self.forget_link(&record);
        true
    }
}
