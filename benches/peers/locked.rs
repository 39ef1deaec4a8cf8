//! One lock around four maps: the simplest store that is right, as long as nobody needs to do two
//! things at once.

use std::collections::HashMap;
use std::sync::Arc;

use simplex_stores::protocol::{LinkId, NotifierId, QueueRec, RecipientId, RoundedDate, SenderId};
use simplex_stores::sync::RwLock;

use super::{Peer, PlainQueue};

/// One `RwLock` around four `HashMap`s.
pub(crate) struct Locked(pub(super) RwLock<Maps>);

#[derive(Default)]
pub(super) struct Maps {
    queues: HashMap<RecipientId, Arc<PlainQueue>>,
    senders: HashMap<SenderId, RecipientId>,
    notifiers: HashMap<NotifierId, RecipientId>,
    links: HashMap<LinkId, RecipientId>,
}

impl Maps {
    pub(super) fn add(
        &mut self,
        id: RecipientId,
        record: Arc<QueueRec>,
    ) -> Option<Arc<PlainQueue>> {
        let (link, notifier) = (record.link.as_ref(), record.notifier.as_ref());
        let taken = self.queues.contains_key(&id)
            || self.senders.contains_key(&record.sender_id)
            || notifier.is_some_and(|creds| self.notifiers.contains_key(&creds.notifier_id))
            || link.is_some_and(|link| self.links.contains_key(&link.id));
        if taken {
            return None;
        }
        self.senders.insert(record.sender_id.clone(), id.clone());
        if let Some(creds) = notifier {
            self.notifiers.insert(creds.notifier_id.clone(), id.clone());
        }
        if let Some(link) = link {
            self.links.insert(link.id.clone(), id.clone());
        }
        let queue = PlainQueue::new(id.clone(), record);
        self.queues.insert(id, Arc::clone(&queue));
        Some(queue)
    }

    fn by_notifier(&self, id: &NotifierId) -> Option<Arc<PlainQueue>> {
        self.queues.get(self.notifiers.get(id)?).cloned()
    }

    pub(super) fn delete(&mut self, queue: &PlainQueue) -> bool {
        let Some(record) = queue.take() else {
            return false;
        };
        self.senders.remove(&record.sender_id);
        if let Some(creds) = &record.notifier {
            self.notifiers.remove(&creds.notifier_id);
        }
        if let Some(link) = &record.link {
            self.links.remove(&link.id);
        }
        self.queues.remove(&queue.id);
        true
    }
}

impl Peer for Locked {
    const NAME: &'static str = "rwlock";
    type Queue = PlainQueue;

    fn new() -> Self {
        Self(RwLock::new(Maps::default()))
    }

    fn add(&self, id: RecipientId, record: QueueRec) -> Option<Arc<PlainQueue>> {
        let record = Arc::new(record);
        self.0.write().add(id, record)
    }

    fn by_sender(&self, id: &SenderId) -> Option<Arc<PlainQueue>> {
        let maps = self.0.read();
        maps.queues.get(maps.senders.get(id)?).cloned()
    }

    fn by_notifier(&self, id: &NotifierId) -> Option<Arc<PlainQueue>> {
        self.0.read().by_notifier(id)
    }

    fn by_link(&self, id: &LinkId) -> Option<Arc<PlainQueue>> {
        let maps = self.0.read();
        maps.queues.get(maps.links.get(id)?).cloned()
    }

    fn by_notifiers(&self, ids: &[NotifierId]) -> Vec<Option<Arc<PlainQueue>>> {
        let maps = self.0.read();
        ids.iter().map(|id| maps.by_notifier(id)).collect()
    }

    fn touch(&self, queue: &PlainQueue, date: RoundedDate) -> bool {
        queue.touch(date)
    }

    fn delete(&self, queue: &PlainQueue) -> bool {
        self.0.write().delete(queue)
    }
}
